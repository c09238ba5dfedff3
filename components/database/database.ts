import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { defaults } from "../../settings/environments.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { firstStartScript, postgresService, postgresStatefulSet, serverName } from "./statefulset.ts";

/** How the application reaches its database; what must stand before its pods start. */
export interface DatabaseAccess {
  /** A secret. */
  readonly url: pulumi.Output<string>;
  readonly ready: readonly pulumi.Resource[];
}

export interface DatabaseArgs {
  readonly settings: Settings;
  /** Login role and name of the application's database. */
  readonly user: string;
  readonly database: string;
  /** What a server in the cluster needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
}

/** The application's PostgreSQL: a server in the namespace, or one that somebody else runs. Same outputs for each kind. */
export class Database extends pulumi.ComponentResource {
  readonly access: DatabaseAccess;

  constructor(args: DatabaseArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:database:Database", `${args.settings.application.name}-database`, {}, opts);
    this.access = args.settings.database.kind === "external" ? external(args) : server(this, args);
    this.registerOutputs({});
  }
}

function external({ settings, user, database }: DatabaseArgs): DatabaseAccess {
  if (settings.database.kind !== "external") throw new pulumi.RunError("not an external database");
  const { host, port } = settings.database;
  // Without the secret only a preview gets here (settings.ts); its text is never applied.
  const password = pulumi.secret(settings.secrets.databasePassword ?? "not-set");
  // S4-22: an external server must prove its name; the certificate authorities are the image's.
  const url = connectionUrl({ user, password, host, port, database, query: "?sslmode=verify-full" });
  return { url, ready: [] };
}

function server(parent: Database, { settings, user, database, after }: DatabaseArgs): DatabaseAccess {
  const { namespace, imageMirrors, environment } = settings;
  if (settings.database.kind !== "statefulset") throw new pulumi.RunError("not a database of our own");
  const { image, storage, storageClass } = settings.database;
  const labels = { app: settings.application.name, component: serverName };
  const { protect } = defaults[environment];
  const opts = { parent, dependsOn: [...after] };
  const keeping = { parent, protect, retainOnDelete: protect };

  const admin = generatedPassword("postgres-admin-password", keeping);
  const application = generatedPassword("postgres-application-password", keeping);
  const passwords = new kubernetes.core.v1.Secret(
    "postgres-passwords",
    {
      metadata: { name: serverName, namespace, labels },
      stringData: { "admin-password": admin, "application-password": application },
    },
    opts,
  );
  const firstStart = new kubernetes.core.v1.ConfigMap(
    "postgres-first-start",
    {
      metadata: { name: `${serverName}-first-start`, namespace, labels },
      data: { "10-application.sh": firstStartScript(database, user) },
    },
    opts,
  );
  const spec = {
    namespace,
    labels,
    image: mirrored(image, imageMirrors),
    storage,
    storageClass,
    disposable: environment === "local",
  };
  const service = new kubernetes.core.v1.Service("postgres", postgresService(spec), opts);
  const statefulSet = new kubernetes.apps.v1.StatefulSet("postgres", postgresStatefulSet(spec), {
    ...keeping,
    dependsOn: [passwords, firstStart, service],
    // S4-52: ready within 300 s.
    customTimeouts: { create: "300s", update: "300s" },
  });
  const host = `${serverName}.${namespace}.svc.cluster.local`;
  const url = connectionUrl({ user, password: application, host, port: 5432, database, query: "" });
  return { url, ready: [statefulSet] };
}

/** Letters and digits only: it stands in URLs and SQL as it is. */
function generatedPassword(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  return new random.RandomPassword(name, { length: 32, special: false }, opts).result;
}

interface Connection {
  readonly user: string;
  readonly password: pulumi.Output<string>;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly query: string;
}

function connectionUrl({ user, password, host, port, database, query }: Connection): pulumi.Output<string> {
  return pulumi.secret(
    pulumi.interpolate`postgresql://${user}:${password.apply(encodeURIComponent)}@${host}:${port}/${database}${query}`,
  );
}
