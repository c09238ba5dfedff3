import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaults } from "../../settings/environments.ts";
import { mirrored } from "../../settings/images.ts";
import { serverName } from "./address.ts";
import { generatedPassword } from "./passwords.ts";
import type { DatabaseServer, ServerArgs } from "./server.ts";
import { postgresService, postgresStatefulSet } from "./statefulset.ts";

/** One server in a pod of the namespace, with a volume of its own: staging and local. */
export function statefulSetServer(parent: pulumi.Resource, { settings, after }: ServerArgs): DatabaseServer {
  const { namespace, imageMirrors, environment, database } = settings;
  if (database.kind !== "statefulset") throw new pulumi.RunError(`the database is ${database.kind}, not statefulset`);
  const labels = { app: settings.application.name, component: serverName };
  const { protect } = defaults[environment];
  const opts = { parent, dependsOn: [...after] };
  const keeping = { parent, protect, retainOnDelete: protect };

  const password = generatedPassword("postgres-admin-password", keeping);
  const secret = new kubernetes.core.v1.Secret(
    "postgres-passwords",
    { metadata: { name: serverName, namespace, labels }, stringData: { "admin-password": password } },
    // A server that is kept needs it to start again.
    { ...keeping, dependsOn: [...after] },
  );
  const server = {
    namespace,
    labels,
    image: mirrored(database.image, imageMirrors),
    storage: database.storage,
    storageClass: database.storageClass,
    disposable: environment === "local",
  };
  const service = new kubernetes.core.v1.Service("postgres", postgresService(server), opts);
  const statefulSet = new kubernetes.apps.v1.StatefulSet("postgres", postgresStatefulSet(server), {
    ...keeping,
    dependsOn: [secret, service],
    // S4-52: ready within 300 s.
    customTimeouts: { create: "300s", update: "300s" },
  });
  return {
    admin: { user: "postgres", password, database: "postgres", superuser: true },
    makesRoles: false,
    ready: [statefulSet],
    holder: statefulSet,
  };
}
