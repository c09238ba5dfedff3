import { KubeConfig } from "@kubernetes/client-node";
import type { DatabasePrograms } from "../../components/database/programs.ts";
import { Platform } from "../../components/platform.ts";
import { renderRelease } from "../../components/release/manifests.ts";
import type { MigrationFile } from "../../programs/database/migrations/file.ts";
import { type MigrationPlan, planMigrations } from "../../programs/database/migrations/plan.ts";
import { type Allowed, decide } from "../../rollout/decide.ts";
import { desiredOf } from "../../rollout/desired.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import type { Observed } from "../../rollout/observed.ts";
import type { MigrationResult } from "../../rollout/schema/migration-result.ts";
import type { SchemaRecord } from "../../rollout/schema/schema-record.ts";
import { secretKeys } from "../../settings/schema.ts";
import { parseSettings, type Settings } from "../../settings.ts";
import { type Config, rawSettings, stackConfig } from "./config.ts";
import { type Declaration, declare } from "./harness.ts";
import { observed } from "./live.ts";

export type Stack = "local" | "staging" | "production";

/** An external database, as docs/configuration.md shows it. */
export const external = { kind: "external", host: "postgres.taskflow.example.com" };

/** Where pages go. Whoever knows it can send some: it is a secret. */
export const onCallUrl = "https://on-call.example.com/hooks/p@ger";

/** Settings of a stack file with some keys changed; an external database gets a password, the on-call tool its address. */
export function stackSettings(stack: Stack, changes: Config = {}): Settings {
  const secrets = { databaseAdminPassword: "p@ss/word", onCallUrl };
  const config = { ...stackConfig(stack), ...secrets, ...changes };
  return parseSettings(rawSettings(config, { stack, secretKeys: new Set(secretKeys) }));
}

/** A migration with a name, a phase and a text that nobody runs. */
export const migrationFile = (name: string, phase: MigrationFile["phase"] = "expand"): MigrationFile => ({
  name,
  version: name.slice(0, 3),
  phase,
  transaction: true,
  checksum: name.slice(0, 1).repeat(64),
  sql: `-- ${name}\n`,
});

/** Two migrations that expand and one that contracts, and programs that do nothing. */
export const programs: DatabasePrograms = {
  bundle: "// the programs",
  files: [migrationFile("000_base.sql"), migrationFile("101_more.sql"), migrationFile("202_less.sql", "contract")],
};

/** What a migrations Job of these files would say. */
export const migrationResult: MigrationResult = {
  version: "101",
  applied: { "000_base.sql": 20, "101_more.sql": 5 },
  held: [],
  tables: 9,
  indexes: 44,
  policies: 30,
  durationMs: 40,
};

export interface Run {
  readonly settings: Settings;
  readonly observed: Observed;
  readonly decision: Allowed;
  readonly plan: MigrationPlan;
}

/** A run of these settings on a cluster without a route, whose database has what this record says. */
export function firstRun(settings: Settings, record?: SchemaRecord): Run {
  const live = observed({ noRoute: true, ...(record === undefined ? {} : { schema: record }) });
  const plan = planMigrations(programs.files, record?.applied ?? [], settings.contract);
  const [blue, green] = [renderRelease(settings, "blue"), renderRelease(settings, "green")];
  const decision = decide(live, desiredOf(settings, { blue: blue?.id, green: green?.id }, plan));
  if (!decision.allowed) throw new Error(decision.reason);
  return { settings, observed: live, decision, plan };
}

/** An API server that nobody may ask. */
export const silentApi: KubeApi = {
  ask: ({ method, path }) => Promise.reject(new Error(`asked: ${method} ${path}`)),
};

/** A cluster in which every migrations Job ends well. */
export const clusterOf = (observed: Observed, result: MigrationResult | undefined = migrationResult) => ({
  observe: async () => observed,
  config: new KubeConfig(),
  api: silentApi,
  migrationResult: async () => result,
});

/** The whole platform of a run, declared under mocks. */
export async function declarePlatform({ settings, observed, decision, plan }: Run): Promise<Declaration> {
  const releases = { blue: renderRelease(settings, "blue"), green: renderRelease(settings, "green") };
  const cluster = clusterOf(observed);
  const record = observed.schema;
  return declare(() => {
    const schema = { ...plan, record, restored: record?.restored };
    const bundles = { rollout: "// the rollout program", guard: "// the guard", logging: "// the logging program" };
    new Platform({ settings, releases, cluster, observed, decision, programs, bundles, schema });
  }, 25);
}
