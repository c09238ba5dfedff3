import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CloudNativePgDatabase } from "../../settings/database.ts";
import { defaults } from "../../settings/environments.ts";
import { mirrored } from "../../settings/images.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { serverName } from "./address.ts";
import { archiving, objectStoreManifest, scheduledBackupManifest } from "./cloudnative-pg-backups.ts";
import { podMonitorManifest } from "./cloudnative-pg-monitor.ts";
import { plannerParameters } from "./planner.ts";
import type { Role } from "./roles.ts";
import type { DatabaseServer, ServerArgs } from "./server.ts";

/** Several servers that the operator CloudNativePG runs: production. The roles and the database are the Cluster's own. */
export function cloudNativePgServer(parent: pulumi.Resource, args: ServerArgs): DatabaseServer {
  const { settings, names, roles, passwords, database, after } = args;
  const server = settings.database;
  if (server.kind !== "cloudnative-pg") throw new pulumi.RunError(`the database is ${server.kind}, not cloudnative-pg`);
  const { protect } = defaults[settings.environment];
  const password = passwords[names.owner];
  if (password === undefined) throw new pulumi.RunError(`the owner ${names.owner} of the database has no password`);
  const logins = roles.filter(({ login }) => login).map((role) => loginSecret(parent, role, args));
  const keeping = { protect, retainOnDelete: protect };
  // Kept as long as the Cluster: one that cannot archive keeps its whole log until its volume is full, and stops.
  const store =
    server.objectStore && declare(parent, objectStoreManifest(settings, server.objectStore), after, keeping);
  const cluster = declare(parent, clusterManifest(args), [...after, ...logins, ...(store ? [store] : [])], {
    ...keeping,
    customTimeouts: { create: "20m", update: "30m" },
  });
  if (store) declare(parent, scheduledBackupManifest(settings), [cluster]);
  if (settings.monitoring.kind !== "none") declare(parent, podMonitorManifest(settings), after);
  return {
    // No superuser may log in; the owner may give rights on what it owns.
    admin: { user: names.owner, password, database, superuser: false },
    makesRoles: true,
    ready: [cluster],
    holder: cluster,
  };
}

function declare(
  parent: pulumi.Resource,
  { apiVersion, kind, metadata, spec }: CustomManifest,
  after: readonly pulumi.Resource[],
  opts: pulumi.CustomResourceOptions = {},
) {
  return new kubernetes.apiextensions.CustomResource(
    metadata.name,
    { apiVersion, kind, metadata, spec },
    { parent, dependsOn: [...after], ...opts },
  );
}

/** The password of a login in the form that the operator reads; it sets a changed one in the server by itself. */
function loginSecret(parent: pulumi.Resource, { name }: Role, { settings, passwords, after }: ServerArgs) {
  const { namespace, application } = settings;
  const labels = { app: application.name, component: serverName, "cnpg.io/reload": "true" };
  return new kubernetes.core.v1.Secret(
    loginSecretName(name),
    {
      metadata: { name: loginSecretName(name), namespace, labels },
      type: "kubernetes.io/basic-auth",
      stringData: { username: name, password: passwords[name] ?? pulumi.secret("") },
    },
    { parent, dependsOn: [...after] },
  );
}

const loginSecretName = (login: string) => `${serverName}-login-${login.replaceAll("_", "-")}`;

/** The Cluster: a primary and standbys on machines of their own, synchronous where there is more than one (database.md 3.4). */
export function clusterManifest({
  settings,
  names,
  roles,
  database,
}: Pick<ServerArgs, "settings" | "names" | "roles" | "database">): CustomManifest {
  const { namespace, application, imageMirrors } = settings;
  if (settings.database.kind !== "cloudnative-pg")
    throw new pulumi.RunError(`the database is ${settings.database.kind}, not cloudnative-pg`);
  const server = settings.database;
  return {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: {
      name: serverName,
      namespace,
      labels: { app: application.name, component: serverName },
      annotations: { "pulumi.com/waitFor": JSON.stringify(["condition=Ready", ...roles.map(reconciled)]) },
    },
    spec: {
      instances: server.instances,
      imageName: mirrored(server.image, imageMirrors),
      ...(server.uid === undefined ? {} : { postgresUID: server.uid, postgresGID: server.uid }),
      primaryUpdateStrategy: "unsupervised",
      enableSuperuserAccess: false,
      enablePDB: server.instances > 1,
      postgresql: {
        parameters: { max_slot_wal_keep_size: "10GB", wal_compression: "on", ...plannerParameters },
        pg_hba: rules,
        ...synchronous(server),
      },
      ...archiving(settings),
      bootstrap: {
        initdb: {
          database,
          owner: names.owner,
          secret: { name: loginSecretName(names.owner) },
          encoding: "UTF8",
          localeCollate: "C",
          localeCType: "C.UTF-8",
          dataChecksums: true,
        },
      },
      managed: { roles: roles.map(managedRole) },
      storage: volume(server.storage, server),
      walStorage: volume(server.walStorage, server),
      affinity: { enablePodAntiAffinity: true, podAntiAffinityType: "required", topologyKey: "kubernetes.io/hostname" },
      resources: { requests: { cpu: "500m", memory: "2Gi" }, limits: { memory: "2Gi" } },
    },
  };
}

/**
 * Nobody comes in over the network without TLS. A port-forward ends on the pod's own loopback address: it is encrypted up to
 * there. The operator's own rules stand before these.
 */
const rules = [
  "host all all 127.0.0.1/32 scram-sha-256",
  "host all all ::1/128 scram-sha-256",
  "hostssl all all all scram-sha-256",
  "hostnossl all all all reject",
];

/** A commit waits for one standby; without any, writes wait, too. A failover needs a standby that has every commit. */
function synchronous({ instances }: CloudNativePgDatabase) {
  if (instances < 2) return {};
  return { synchronous: { method: "any", number: 1, dataDurability: "required", failoverQuorum: true } };
}

const volume = (size: string, { storageClass }: CloudNativePgDatabase) => ({
  size,
  ...(storageClass === undefined ? {} : { storageClass }),
});

/** A Cluster is ready before its roles are: rights for one that is not there fail. */
const reconciled = ({ name }: Role) => `jsonpath={.status.managedRolesStatus.byStatus.reconciled[?(@ == "${name}")]}`;

function managedRole({ name, login, bypassRowSecurity, createDatabase, connectionLimit, memberOf }: Role) {
  return {
    name,
    ensure: "present",
    login,
    superuser: false,
    createrole: false,
    createdb: createDatabase,
    bypassrls: bypassRowSecurity,
    inherit: true,
    connectionLimit: connectionLimit ?? -1,
    inRoles: [...memberOf],
    ...(login ? { passwordSecret: { name: loginSecretName(name) } } : {}),
  };
}
