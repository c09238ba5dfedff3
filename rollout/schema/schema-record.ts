import { RunError } from "@pulumi/pulumi";
import type { AppliedMigration } from "../../programs/database/migrations/plan.ts";
import { type MigrationResult, parseResult } from "./migration-result.ts";

/** The schema as the last migrations Job left it, recorded in a ConfigMap, so that a preview needs no way to the database. */
export interface SchemaRecord {
  /** By name. Empty: a database without any migration. */
  readonly applied: readonly AppliedMigration[];
  /** The Job that wrote it; undefined: none has run since the database was restored. */
  readonly job: string | undefined;
  /** Undefined when the pod of that Job was gone before it was asked. */
  readonly result: MigrationResult | undefined;
  /** The restore that came last, as `golive database restore` wrote it: another text makes the next run migrate again. */
  readonly restored: string | undefined;
  /** Releases that a contract migration made unable to serve. The route has them too, but a deleted route forgets. */
  readonly outdated: readonly string[];
}

/** Name of the ConfigMap. */
export const recordName = (application: string) => `${application}-schema`;

const fileKey = /\.sql$/;
const fileValue = /^(expand|contract) ([0-9a-f]{64})$/;

/**
 * Reads the record from the ConfigMap's data: one key for each file (`NNN_name.sql`: "<phase> <checksum>"), and `job`,
 * `result`, `restored`, `outdated`.
 * @throws RunError that names the key, what it is and what to do, when somebody edited it.
 */
export function readRecord(data: Readonly<Record<string, string>>, where = "the record of the schema"): SchemaRecord {
  const repair = `Put it right by hand (\`./golive database status\` lists what is applied), or delete the ConfigMap and run \`pulumi up --refresh\`.`;
  const applied = Object.entries(data)
    .filter(([name]) => fileKey.test(name))
    .map(([name, value]): AppliedMigration => {
      const [, phase, checksum] = fileValue.exec(value) ?? [];
      if ((phase === "expand" || phase === "contract") && checksum !== undefined) return { name, phase, checksum };
      throw new RunError(
        `${where}: ${name} is ${JSON.stringify(value)}; it should be "expand" or "contract", and a SHA-256 sum\n${repair}`,
      );
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    applied,
    job: data.job,
    result: data.result === undefined ? undefined : parseResult(data.result, `${where}: result`, repair),
    restored: data.restored,
    outdated: (data.outdated ?? "").split(" ").filter((id) => id !== ""),
  };
}

/** The ConfigMap's data for a record: `readRecord` reads it back as it was. */
export function recordData(record: SchemaRecord): Readonly<Record<string, string>> {
  const { applied, job, result, restored, outdated } = record;
  const rest = {
    job,
    result: result && JSON.stringify(result),
    restored,
    outdated: outdated.length > 0 ? outdated.join(" ") : undefined,
  };
  return {
    ...Object.fromEntries(applied.map(({ name, phase, checksum }) => [name, `${phase} ${checksum}`])),
    ...Object.fromEntries(Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))),
  };
}
