import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { MigrationFile } from "../../programs/database/migrations/file.ts";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";
import { authorityKey, authorityName, serverName } from "./address.ts";
import { backupVolume } from "./backup-jobs.ts";
import { digestOf, requireRoom } from "./migration-job.ts";
import { backupKeyName, backupVolumeName, databaseNames } from "./names.ts";
import { generatedPassword, type Passwords } from "./passwords.ts";
import { programFile } from "./program-pod.ts";
import { type ProgramSettingsArgs, programSettings } from "./program-settings.ts";

/** What runs beside the database, as text. */
export interface DatabasePrograms {
  /** The bundled programs. */
  readonly bundle: string;
  /** The application's migrations. */
  readonly files: readonly MigrationFile[];
}

export interface ProgramFilesArgs extends ProgramSettingsArgs {
  readonly programs: DatabasePrograms;
  readonly passwords: Passwords;
  readonly after: readonly pulumi.Resource[];
}

/**
 * What the pods of the database programs mount: the bundle, the migrations, settings, passwords, the backup volume and its
 * key. The bundle and the migrations stand in ConfigMaps whose name changes with their content, so that a pod sees exactly
 * the files that it was made for.
 */
export class ProgramFiles extends pulumi.ComponentResource {
  readonly mounted: { readonly programs: string; readonly migrations: string };
  readonly ready: readonly pulumi.Resource[];

  constructor(args: ProgramFilesArgs, opts: pulumi.ComponentResourceOptions) {
    const { settings, programs, passwords } = args;
    super("golive:database:ProgramFiles", `${settings.application.name}-database-programs`, {}, opts);
    const names = databaseNames(settings.application.name);
    const own = { parent: this, dependsOn: [...args.after] };
    const bundle = fixedConfigMap(settings, names.programs, { [programFile]: programs.bundle }, own);
    const texts = Object.fromEntries(programs.files.map(({ name, sql }) => [name, sql]));
    requireRoom(`the migrations of ${settings.application.name}`, texts);
    const migrations = fixedConfigMap(settings, names.migrations, texts, own);
    this.mounted = { programs: bundle.name, migrations: migrations.name };
    this.ready = [
      bundle.configMap,
      migrations.configMap,
      ...authorities(settings, own),
      configMap(
        settings,
        names.settings,
        { "settings.json": JSON.stringify(programSettings(args), undefined, 2) },
        own,
      ),
      secret(settings, names.passwords, passwords, own),
      ...backups(settings, own),
    ];
    this.registerOutputs({});
  }
}

const labelsOf = ({ application }: Settings) => ({ app: application.name, component: serverName });

function configMap(
  settings: Settings,
  name: string,
  data: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
) {
  const metadata = { name, namespace: settings.namespace, labels: labelsOf(settings) };
  return new kubernetes.core.v1.ConfigMap(name, { metadata, data }, opts);
}

/**
 * Its name has a digest of its content behind it, and its URN has, too: a run that failed and is taken back finds the object
 * of before, which the engine would otherwise still hold under a name that it makes anew.
 */
function fixedConfigMap(
  settings: Settings,
  prefix: string,
  data: Readonly<Record<string, string>>,
  opts: pulumi.CustomResourceOptions,
) {
  const name = `${prefix}-${digestOf(data)}`;
  const metadata = { name, namespace: settings.namespace, labels: labelsOf(settings) };
  return { name, configMap: new kubernetes.core.v1.ConfigMap(name, { metadata, data, immutable: true }, opts) };
}

function secret(settings: Settings, name: string, stringData: Passwords, opts: pulumi.CustomResourceOptions) {
  const metadata = { name, namespace: settings.namespace, labels: labelsOf(settings) };
  return new kubernetes.core.v1.Secret(name, { metadata, stringData }, opts);
}

function authorities(settings: Settings, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
  const { database } = settings;
  if (database.kind !== "external" || database.ca === undefined) return [];
  return [configMap(settings, authorityName(settings.application.name), { [authorityKey]: database.ca }, opts)];
}

/** The volume of the backups, and the key without which they cannot be read. */
function backups(settings: Settings, opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
  const { protect } = defaults[settings.environment];
  const keeping = { protect, retainOnDelete: protect };
  const key = generatedPassword(backupKeyName, { ...opts, ...keeping }, { length: 64 });
  return [
    new kubernetes.core.v1.PersistentVolumeClaim(backupVolumeName, backupVolume(settings), { ...opts, ...keeping }),
    // Backups that are kept cannot be read without it.
    secret(settings, backupKeyName, { key }, { ...opts, ...keeping }),
  ];
}
