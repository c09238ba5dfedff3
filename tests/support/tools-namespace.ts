import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BatchV1Api, CoreV1Api, KubeConfig, type V1CronJob } from "@kubernetes/client-node";
import { backupVolume, toolsCronJob } from "../../components/database/backup-jobs.ts";
import { backupKeyName, databaseNames } from "../../components/database/names.ts";
import { programFile } from "../../components/database/program-pod.ts";
import { programSettings } from "../../components/database/program-settings.ts";
import { places } from "../../local/places.ts";
import type { ApplicationDatabase } from "../../local/postgres/application-database.ts";
import { names, roles } from "../../local/postgres/application-database.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { stackSettings } from "./platform.ts";

/** The cluster as golive and a person with kubectl see it. */
export const config = new KubeConfig();
config.loadFromFile(places.kubeconfig);
export const core = config.makeApiClient(CoreV1Api);
export const batch = config.makeApiClient(BatchV1Api);

/**
 * Puts into a namespace what a stack has there for `golive database`: the CronJob postgres-tools as the component declares it, and
 * all that it mounts, for the database of a server whose pod is postgres-0 there.
 */
export async function addTools(namespace: string, database: ApplicationDatabase): Promise<void> {
  const settings = { ...stackSettings("local"), namespace };
  const named = databaseNames("taskflow");
  const { status } = await core.readNamespacedPod({ namespace, name: "postgres-0" });
  const told = {
    ...programSettings({ settings, names, roles, database: database.name }),
    server: { host: status?.podIP ?? "", port: 5432, tls: { mode: "off" } },
  };
  const { passwords, migrations } = database.settings;
  const configMap = (name: string, data: Readonly<Record<string, string>>) =>
    core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data } });
  const secret = (name: string, stringData: Readonly<Record<string, string>>) =>
    core.createNamespacedSecret({ namespace, body: { metadata: { name }, stringData } });
  await configMap(named.settings, { "settings.json": JSON.stringify(told) });
  await configMap(named.programs, { [programFile]: (await bundlePrograms()).database });
  await configMap(named.migrations, await textsIn(migrations));
  await secret(named.passwords, await textsIn(passwords));
  await secret(backupKeyName, { key: await readFile(database.settings.backup.key, "utf8") });
  // What the components declare are plain objects, typed for Pulumi.
  await core.createNamespacedPersistentVolumeClaim({ namespace, body: backupVolume(settings) as object });
  const mounted = { programs: named.programs, migrations: named.migrations };
  const cronJob = toolsCronJob({ settings, names, mounted }) as V1CronJob;
  await batch.createNamespacedCronJob({ namespace, body: cronJob });
}

async function textsIn(directory: string): Promise<Readonly<Record<string, string>>> {
  const files = await readdir(directory);
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(join(directory, file), "utf8")])),
  );
}
