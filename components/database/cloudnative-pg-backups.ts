import type { ObjectStoreSettings } from "../../settings/database.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { serverName } from "./address.ts";

const plugin = "barman-cloud.cloudnative-pg.io";

/** How far back a recovery to a point in time reaches. */
const retention = "30d";

/** What a Cluster says of the archive of its write-ahead log; nothing without an object store. */
export function archiving({ database, application, stack }: Settings): { readonly plugins?: readonly object[] } {
  if (database.kind !== "cloudnative-pg" || database.objectStore === undefined) return {};
  // Every Cluster is called postgres: without a folder of its own the plugin finds another's log, and archives nothing.
  const parameters = { barmanObjectName: serverName, serverName: `${application.name}-${stack}` };
  return { plugins: [{ name: plugin, isWALArchiver: true, parameters }] };
}

/** Where base backups and the write-ahead log go, and how long they stay there. */
export function objectStoreManifest(settings: Settings, store: ObjectStoreSettings): CustomManifest {
  const key = (name: string) => ({ name: store.secret, key: name });
  return {
    apiVersion: "barmancloud.cnpg.io/v1",
    kind: "ObjectStore",
    metadata: metadataOf(settings),
    spec: {
      retentionPolicy: retention,
      configuration: {
        destinationPath: store.path,
        ...(store.endpoint === undefined ? {} : { endpointURL: store.endpoint }),
        s3Credentials: { accessKeyId: key("ACCESS_KEY_ID"), secretAccessKey: key("ACCESS_SECRET_KEY") },
        wal: { compression: "gzip", maxParallel: 4 },
        data: { compression: "gzip" },
      },
      // The quota of the namespace refuses a pod of which one container asks for nothing.
      instanceSidecarConfiguration: {
        resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
      },
    },
  };
}

/** Base backups, taken of a standby where there is one: the first at once, then with golive's own. */
export function scheduledBackupManifest(settings: Settings): CustomManifest {
  return {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "ScheduledBackup",
    metadata: metadataOf(settings),
    spec: {
      // The first field is of seconds: golive's own five would mean a backup every hour.
      schedule: `0 ${settings.backup.schedule}`,
      immediate: true,
      backupOwnerReference: "cluster",
      cluster: { name: serverName },
      target: "prefer-standby",
      method: "plugin",
      pluginConfiguration: { name: plugin },
    },
  };
}

const metadataOf = ({ namespace, application }: Settings) => ({
  name: serverName,
  namespace,
  labels: { app: application.name, component: serverName },
});
