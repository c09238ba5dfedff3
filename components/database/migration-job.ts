import { createHash } from "node:crypto";
import type { types } from "@pulumi/kubernetes";
import { RunError } from "@pulumi/pulumi";
import type { MigrationFile } from "../../programs/database/migrations/file.ts";
import { defaults } from "../../settings/environments.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { serverAddress } from "./address.ts";
import { databaseNames, migrateName } from "./names.ts";
import { programPod } from "./program-pod.ts";
import type { RoleNames } from "./roles.ts";

/** What of a stack decides what its migrations Job does. */
export interface MigrationInputs {
  readonly settings: Settings;
  readonly database: string;
  readonly files: readonly MigrationFile[];
  /** Text of the bundled programs. */
  readonly bundle: string;
  /** The restore that came last; another text makes the Job run again. */
  readonly restored: string | undefined;
}

/** Seconds that the check, the backup and all pending migrations may take together. */
export const migrationSeconds = ({ environment }: Settings): number => defaults[environment].migrationMinutes * 60;

/** The first ten hex digits of a SHA-256 sum: a part of a name that changes with the content. */
export const digestOf = (content: unknown) =>
  createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 10);

/**
 * Name of the Job: another one for other files, another `contract`, other programs or images, another server, and after a
 * restore. So a Job that did its work is never asked again, and a preview shows a new one exactly when there is something to do.
 */
export function migrationJobName({ settings, database, files, bundle, restored }: MigrationInputs): string {
  const { application, contract, programs, imageMirrors } = settings;
  const { host, port } = serverAddress(settings);
  const digest = digestOf({
    files: files.map(({ name, checksum }) => [name, checksum]),
    contract,
    bundle: createHash("sha256").update(bundle).digest("hex"),
    restored,
    images: [programs.image, programs.postgresImage].map((image) => mirrored(image, imageMirrors)),
    server: [host, port, database],
  });
  return `${databaseNames(application.name).migrate}-${digest}`;
}

export interface MigrationJobArgs extends MigrationInputs {
  readonly names: RoleNames;
  /** ConfigMaps with the bundle and the migrations. */
  readonly mounted: { readonly programs: string; readonly migrations: string };
}

/**
 * The Job that brings the schema up to date (design section 6): the files are judged on a scratch server, then a backup is
 * made and verified (S0-13, S4-45), then the runner applies what is pending. The first that fails ends it, with the database
 * as it was.
 */
export function migrationJob(args: MigrationJobArgs): types.input.batch.v1.Job {
  const { settings, names, files, mounted } = args;
  const labels = { app: settings.application.name, component: migrateName };
  const program = (command: string, logins: readonly string[], backups: boolean) =>
    ({ name: command, args: [command], logins, backups }) as const;
  return {
    metadata: {
      name: migrationJobName(args),
      namespace: settings.namespace,
      labels,
      annotations: {
        // A preview lists here what changed.
        "golive/files": files.map(({ name, phase, checksum }) => `${name} ${phase} ${checksum}`).join("\n"),
        // A failed Job is made anew by the next run; without this it would only be looked at again (pulumi-kubernetes#856).
        "pulumi.com/replaceUnready": "true",
      },
    },
    spec: {
      // The runner tries again by itself where that can help.
      backoffLimit: 0,
      activeDeadlineSeconds: migrationSeconds(settings),
      template: {
        metadata: { labels },
        spec: programPod({
          settings,
          ...mounted,
          restartPolicy: "Never",
          run: [
            program("check", [], false),
            program("backup", [names.backup], true),
            program("migrate", [names.owner], false),
          ],
        }),
      },
    },
  };
}

/** Most bytes of a ConfigMap: etcd takes no larger object, and names and labels need some of them. */
const longestContent = 1_000_000;

/** @throws RunError when a ConfigMap could not hold this. */
export function requireRoom(what: string, content: Readonly<Record<string, string>>): void {
  const bytes = Object.entries(content).reduce((sum, entry) => sum + Buffer.byteLength(entry.join("")), 0);
  if (bytes > longestContent)
    throw new RunError(
      `${what} have ${bytes} bytes together; a ConfigMap holds ${longestContent}\nNext: make them smaller; data that is loaded belongs into a seed, not into a migration`,
    );
}
