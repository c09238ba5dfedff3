import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { AppliedMigration } from "../../programs/database/migrations/plan.ts";
import type { LiveCluster } from "../../rollout/cluster.ts";
import type { MigrationResult } from "../../rollout/schema/migration-result.ts";
import type { PlannedMigrations } from "../../rollout/schema/migrations.ts";
import { recordData, recordName, type SchemaRecord } from "../../rollout/schema/schema-record.ts";
import { serverName } from "./address.ts";
import { type MigrationJobArgs, migrationJob, migrationJobName, migrationSeconds } from "./migration-job.ts";
import { databaseNames } from "./names.ts";

/** What this run does to the schema, and what was recorded by the runs before. */
export interface SchemaRun extends Pick<PlannedMigrations, "pending" | "held"> {
  /** As observed; undefined: there is none yet. */
  readonly record: SchemaRecord | undefined;
  /** The restore that came last, as recorded. */
  readonly restored?: string | undefined;
}

/** What a migrations Job measured. */
type Figures = Pick<
  MigrationResult,
  "version" | "tables" | "indexes" | "policies" | "applied" | "durationMs" | "backup"
>;

/**
 * The schema of the application's database, as a stack output: its figures (version of `schema_migrations`, S4-48; indexes,
 * policies, milliseconds of each file, S0-22; the backup made and verified before, S0-13), and what is still to come. Figures are unknown in the preview of a Job that is still to run, and undefined when they were lost.
 */
export type SchemaOutput = {
  readonly [Name in keyof Figures]-?: pulumi.Output<Figures[Name] | undefined>;
} & {
  /** Files that are still to be applied, by name: none after an `up`, so that a second one changes nothing. */
  readonly pending: readonly string[];
  /** Contract files that config does not ask for yet. */
  readonly held: pulumi.Output<readonly string[]>;
};

export interface MigrationsArgs extends MigrationJobArgs {
  readonly schema: SchemaRun;
  /** Releases that a contract migration of this run, or of one before, made unable to serve. */
  readonly outdated: readonly string[];
  readonly cluster: Pick<LiveCluster, "migrationResult">;
  readonly after: pulumi.Input<pulumi.Input<pulumi.Resource>[]>;
  readonly hooks: pulumi.ResourceHookBinding | undefined;
}

/** The schema: one awaited Job that applies what is pending, and the record of what it left. */
export class Migrations extends pulumi.ComponentResource {
  /** The schema is up to date with it. */
  readonly job: kubernetes.batch.v1.Job;
  readonly schema: SchemaOutput;

  constructor(args: MigrationsArgs, opts: pulumi.ComponentResourceOptions) {
    const { settings, after, hooks } = args;
    super("golive:database:Migrations", databaseNames(settings.application.name).migrations, {}, opts);
    // The URN changes with what the Job does, too: files that are taken back after a failure find the Job of before.
    this.job = new kubernetes.batch.v1.Job(migrationJobName(args), migrationJob(args), {
      parent: this,
      dependsOn: after,
      ...(hooks === undefined ? {} : { hooks }),
      customTimeouts: {
        create: `${migrationSeconds(settings) + 120}s`,
        update: `${migrationSeconds(settings) + 120}s`,
      },
    });
    const measured = resultOf(this.job, args);
    record(this, args, measured);
    this.schema = schemaOutput(measured, args.schema);
    this.registerOutputs({});
  }
}

/** What the Job ended with; as recorded when it has not run since. Unknown in the preview of a Job that is still to run. */
function resultOf(job: kubernetes.batch.v1.Job, args: MigrationsArgs): pulumi.Output<MigrationResult | undefined> {
  const name = migrationJobName(args);
  const { record } = args.schema;
  if (record?.job === name) return pulumi.output(record.result);
  return job.id.apply(() => args.cluster.migrationResult(name));
}

function record(parent: Migrations, args: MigrationsArgs, measured: pulumi.Output<MigrationResult | undefined>) {
  const { settings, schema } = args;
  const name = recordName(settings.application.name);
  const labels = { app: settings.application.name, component: serverName };
  const known = schema.record?.job === migrationJobName(args);
  const data = known ? recordAfter(args, schema.record?.result) : newRecord(args, measured);
  new kubernetes.core.v1.ConfigMap(
    name,
    { metadata: { name, namespace: settings.namespace, labels }, data },
    { parent, dependsOn: [parent.job] },
  );
}

/** A preview shows each file as a line of its own, though the result is unknown; an `up` records what the runner says. */
function newRecord(args: MigrationsArgs, measured: pulumi.Output<MigrationResult | undefined>) {
  if (!pulumi.runtime.isDryRun()) return measured.apply((result) => recordAfter(args, result));
  const result = measured.apply((known) => recordAfter(args, known).result ?? "");
  return { ...recordAfter(args, "to come"), result };
}

/** The record's data after this run: every file is applied that the runner, or else the plan, does not hold back. */
export function recordAfter(
  args: Pick<MigrationsArgs, "schema" | "outdated"> & MigrationJobArgs,
  given: MigrationResult | "to come" | undefined,
): Readonly<Record<string, string>> {
  const result = given === "to come" ? undefined : given;
  const { files, schema, outdated } = args;
  const held = result?.held ?? schema.held.map(({ name }) => name);
  // Neither the runner nor a record says what the database holds: a contract file that is taken for applied would pass its gate.
  const unknown = given === undefined && schema.record === undefined;
  const applied = files
    .filter(({ name, phase }) => !held.includes(name) && !(unknown && phase === "contract"))
    .map(({ name, phase, checksum }): AppliedMigration => ({ name, phase, checksum }));
  return recordData({ applied, job: migrationJobName(args), result, restored: schema.restored, outdated });
}

function schemaOutput(
  measured: pulumi.Output<MigrationResult | undefined>,
  { pending, held }: SchemaRun,
): SchemaOutput {
  const preview = pulumi.runtime.isDryRun();
  const figure = <Name extends keyof Figures>(name: Name): pulumi.Output<Figures[Name] | undefined> =>
    measured.apply((result): Figures[Name] | undefined => result?.[name]);
  const names = (files: SchemaRun["pending"]) => files.map(({ name }) => name);
  return {
    pending: preview ? names(pending) : [],
    // A preview knows what the plan holds back, though not what the runner will say.
    held: preview ? pulumi.output(names(held)) : measured.apply((result) => result?.held ?? names(held)),
    version: figure("version"),
    tables: figure("tables"),
    indexes: figure("indexes"),
    policies: figure("policies"),
    applied: figure("applied"),
    durationMs: figure("durationMs"),
    backup: figure("backup"),
  };
}
