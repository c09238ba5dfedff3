import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { Platform, type PlatformArgs } from "../../components/platform.ts";
import { renderRelease } from "../../components/release/manifests.ts";
import type { MigrationResult } from "../../rollout/schema/migration-result.ts";
import { type Config, certificate } from "../support/config.ts";
import { type Declaration, declareBoth, generated, secretOf } from "../support/harness.ts";
import { schemaRecord } from "../support/live.ts";
import {
  clusterOf,
  declarePlatform,
  external,
  firstRun,
  migrationResult,
  programs,
  type Run,
  type Stack,
  stackSettings,
} from "../support/platform.ts";

const kinds = ["statefulset", "external", "cloudnative-pg"] as const;
type Kind = (typeof kinds)[number];
const declared = new Map<Kind, Declaration>();
const of = (kind: Kind): Declaration => {
  const declaration = declared.get(kind);
  if (!declaration) throw new Error(`${kind} was not declared`);
  return declaration;
};
const stackOf: Readonly<Record<Kind, readonly [Stack, Config]>> = {
  statefulset: ["staging", {}],
  external: ["staging", { database: external }],
  "cloudnative-pg": ["production", {}],
};

beforeAll(async () => {
  for (const kind of kinds) {
    const [stack, changes] = stackOf[kind];
    declared.set(kind, await declarePlatform(firstRun(stackSettings(stack, changes))));
  }
}, 60_000);

/** Everything in a server, in the order in which it is declared. */
const inServer = (kind: Kind) => of(kind).all.filter(({ type }) => type.startsWith("postgresql:"));
const label = ({ type, name }: { readonly type: string; readonly name: string }) => `${type}::${name}`;

describe("what stands in a database server", () => {
  it.each(kinds)("of kind %s is declared one after the other: rights that are given at once fail", (kind) => {
    const all = new Map(inServer(kind).map((each) => [label(each), each]));
    const ready = {
      statefulset: "kubernetes:apps/v1:StatefulSet::postgres",
      external: "",
      "cloudnative-pg": "kubernetes:postgresql.cnpg.io/v1:Cluster::postgres",
    };
    const before = [...all.values()].map(({ dependsOn }) =>
      dependsOn.filter((each) => !each.startsWith("random:") && each !== "pulumi:providers:postgresql::postgresql"),
    );
    const first = ready[kind] === "" ? [] : [ready[kind]];
    // Each waits for one other, no two for the same, and the first for the server.
    expect(new Set(before.map((each) => each.join())).size).toBe(all.size);
    for (const each of before) expect(each.length === 0 || all.has(each[0] ?? "") || each[0] === first[0]).toBe(true);
    expect(before.filter((each) => each.join() === first.join())).toHaveLength(1);
  });

  it("is reached as its administrator through the loopback port, and not before the server is ready", () => {
    const { inputs, dependsOn } = of("statefulset").find("postgresql", "postgresql");
    expect(dependsOn).toEqual([
      "kubernetes:apps/v1:StatefulSet::postgres",
      "random:index/randomPassword:RandomPassword::postgres-admin-password",
    ]);
    const { password, ...rest } = inputs;
    expect(secretOf(password)).toBe(generated("postgres-admin-password"));
    expect(rest).toEqual({
      host: "127.0.0.1",
      port: "15433",
      username: "postgres",
      database: "postgres",
      superuser: "true",
      sslmode: "disable",
      connectTimeout: "30",
    });
  });

  it("of somebody else is reached over verified TLS as the administrator that config names", () => {
    const { password, ...rest } = of("external").find("postgresql", "postgresql").inputs;
    expect(secretOf(password)).toBe("p@ss/word");
    expect(rest).toEqual({
      host: "postgres.taskflow.example.com",
      port: "5432",
      username: "postgres",
      database: "postgres",
      superuser: "false",
      sslmode: "verify-full",
      connectTimeout: "30",
    });
  });

  it("of an operator is reached as the owner, who gives rights only: no superuser may log in", () => {
    const { password, ...rest } = of("cloudnative-pg").find("postgresql", "postgresql").inputs;
    expect(secretOf(password)).toBe(generated("taskflow-user-password"));
    expect(rest).toEqual({
      host: "127.0.0.1",
      port: "15434",
      username: "taskflow_user",
      database: "taskflow",
      superuser: "false",
      sslmode: "disable",
      connectTimeout: "30",
    });
    expect(inServer("cloudnative-pg").filter(({ type }) => type.endsWith(":Role"))).toEqual([]);
    expect(of("cloudnative-pg").names("Database")).toEqual([]);
  });

  it("goes with its server when that is deleted, so that a destroy needs no database", () => {
    for (const each of inServer("statefulset"))
      expect(each.deletedWith, label(each)).toBe("kubernetes:apps/v1:StatefulSet::postgres");
    for (const each of inServer("cloudnative-pg"))
      expect(each.deletedWith, label(each)).toBe("kubernetes:postgresql.cnpg.io/v1:Cluster::postgres");
  });

  it("of somebody else goes with the database, but roles go alone", () => {
    for (const each of inServer("external"))
      expect(each.deletedWith, label(each)).toBe(
        /:(Role|Database)$/.test(each.type) ? "" : "postgresql:index/database:Database::taskflow_staging",
      );
  });
});

describe("a server of CloudNativePG", () => {
  const declared = (kind: string) => of("cloudnative-pg").find(kind, "postgres");
  const cluster = "kubernetes:postgresql.cnpg.io/v1:Cluster::postgres";

  it("has its archive and its passwords before it starts, and is backed up after", () => {
    const secrets = ["app-a", "app-b", "backup", "exporter", "readonly", "user"];
    expect(declared("Cluster").dependsOn).toEqual([
      "kubernetes:barmancloud.cnpg.io/v1:ObjectStore::postgres",
      "kubernetes:core/v1:Namespace::production",
      ...secrets.map((login) => `kubernetes:core/v1:Secret::postgres-login-taskflow-${login}`),
    ]);
    expect(declared("ScheduledBackup").dependsOn).toEqual([cluster]);
    expect(declared("ObjectStore").inputs).toMatchObject({
      metadata: { namespace: "production" },
      spec: { configuration: { destinationPath: "s3://taskflow-backups/production" } },
    });
    expect(declared("PodMonitor").inputs).toMatchObject({ metadata: { namespace: "production" } });
  });

  it("without an object store has no archive", async () => {
    const database = { kind: "cloudnative-pg" };
    const without = await declarePlatform(firstRun(stackSettings("production", { database })));
    expect([...without.names("ObjectStore"), ...without.names("ScheduledBackup")]).toEqual([]);
    expect(without.names("PodMonitor")).toContain("postgres");
    expect(without.find("Cluster", "postgres").inputs.spec).not.toHaveProperty("plugins");
  });
});

describe("the roles", () => {
  it("have passwords of their own, and exactly the groups and powers of their declaration", () => {
    const rolesOf = (kind: Kind) =>
      of(kind)
        .all.filter(({ type }) => type === "postgresql:index/role:Role")
        .map(({ name, inputs: { password, ...inputs } }) => {
          expect(inputs.name).toBe(name);
          const { login, bypassRowLevelSecurity, createDatabase, connectionLimit, roles, superuser, createRole } =
            inputs;
          expect([superuser, createRole]).toEqual([false, false]);
          if (login) expect(secretOf(password)).toBe(generated(`${name.replaceAll("_", "-")}-password`));
          else expect(password).toBe(undefined);
          return [name, login, bypassRowLevelSecurity, createDatabase, connectionLimit, roles];
        });
    expect(rolesOf("statefulset")).toEqual([
      ["taskflow_user", true, true, true, -1, []],
      ["taskflow_app", false, false, false, -1, []],
      ["taskflow_read", false, false, false, -1, []],
      ["taskflow_app_a", true, false, false, -1, ["taskflow_app"]],
      ["taskflow_app_b", true, false, false, -1, ["taskflow_app"]],
      ["taskflow_readonly", true, false, false, 5, ["taskflow_read"]],
      ["taskflow_backup", true, true, false, -1, ["taskflow_read"]],
      ["taskflow_exporter", true, false, false, 5, ["pg_monitor"]],
    ]);
    expect(rolesOf("external")).toEqual(rolesOf("statefulset"));
  });

  it("own the database and its schema, or have rights that are listed", () => {
    const inputs = (kind: string, name: string) => of("statefulset").find(kind, name).inputs;
    expect(inputs("Database", "taskflow_staging")).toEqual({
      name: "taskflow_staging",
      owner: "taskflow_user",
      template: "template0",
      encoding: "UTF8",
      lcCollate: "C",
      lcCtype: "C.UTF-8",
    });
    const database = "taskflow_staging";
    expect(inputs("Schema", "taskflow_staging-public")).toEqual({ name: "public", database, owner: "taskflow_user" });
    expect(inputs("Grant", "public-database")).toEqual({
      ...{ database, role: "public", objectType: "database", privileges: [] },
    });
    expect(inputs("Grant", "taskflow_app-schema")).toEqual({
      ...{ database, schema: "public", role: "taskflow_app", objectType: "schema", privileges: ["USAGE"] },
    });
    expect(inputs("DefaultPrivileges", "taskflow_app-tables")).toEqual({
      ...{ database, schema: "public", owner: "taskflow_user", role: "taskflow_app", objectType: "table" },
      privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"],
    });
  });

  it("have their passwords in one Secret, a key each, and in Secrets of the operator's form where it makes them", () => {
    const logins = ["user", "app_a", "app_b", "readonly", "backup", "exporter"].map((each) => `taskflow_${each}`);
    const password = (login: string) => generated(`${login.replaceAll("_", "-")}-password`);
    for (const kind of kinds)
      expect(secretOf(of(kind).find("Secret", "taskflow-database").inputs.stringData)).toEqual(
        Object.fromEntries(logins.map((login) => [login, password(login)])),
      );
    const { inputs } = of("cloudnative-pg").find("Secret", "postgres-login-taskflow-app-a");
    expect(inputs).toMatchObject({
      type: "kubernetes.io/basic-auth",
      metadata: { namespace: "production", labels: { "cnpg.io/reload": "true" } },
    });
    expect(secretOf(inputs.stringData)).toEqual({ username: "taskflow_app_a", password: password("taskflow_app_a") });
  });

  it("of the application alternate with each rotation, and every generated password says on what it depends", async () => {
    const rotated = await declarePlatform(firstRun(stackSettings("local", { rotation: 1 })));
    expect(secretOf(rotated.find("Secret", "taskflow-blue").inputs.stringData)).toMatchObject({
      DATABASE_URL: expect.stringContaining(`//taskflow_app_b:${generated("taskflow-app-b-password")}@`),
    });
    const keeper = (name: string) => rotated.find("RandomPassword", `taskflow-${name}-password`).inputs.keepers;
    expect(keeper("app-a")).toEqual({ rotation: "0" });
    for (const name of ["app-b", "user", "readonly", "backup", "exporter"])
      expect(keeper(name)).toEqual({ rotation: "1" });
    for (const service of ["backend", "frontend"])
      expect(rotated.find("Deployment", `taskflow-${service}-green`).inputs).toMatchObject({
        spec: { template: { metadata: { annotations: { "golive/rotation": "1" } } } },
      });
  });
});

describe("the schema", () => {
  /** A platform declared in a preview and in an update, with the values of its output. */
  async function schemaOf(run: Run, result?: MigrationResult | undefined) {
    const { settings, plan, observed: live, decision } = run;
    const releases = { blue: renderRelease(settings, "blue"), green: renderRelease(settings, "green") };
    const record = live.schema;
    const cluster = result === undefined ? { ...clusterOf(live), migrationResult: unasked } : clusterOf(live, result);
    const schema = { ...plan, record, restored: record?.restored };
    const stack = { settings, releases, cluster, observed: live, decision };
    const args: PlatformArgs = { ...stack, programs, bundles: { rollout: "", guard: "", logging: "" }, schema };
    const outputs: unknown[] = [];
    const both = await declareBoth(async () => {
      const platform = new Platform(args);
      outputs.push(await new Promise((resolve) => pulumi.output(platform.schema).apply(resolve)));
    }, 25);
    return { ...both, outputs };
  }

  const unasked = async () => {
    throw new Error("the pod of the Job was asked, though the record has its result");
  };
  const dataOf = (declaration: Declaration) => declaration.find("ConfigMap", "taskflow-schema").inputs.data;
  const checksum = (name: string) => programs.files.find((file) => file.name === name)?.checksum;
  const line = (name: string, phase = "expand") => `${phase} ${checksum(name)}`;
  const settings = stackSettings("local");
  const [base] = programs.files;
  const applied = base ? [{ name: base.name, phase: base.phase, checksum: base.checksum }] : [];
  const { version, tables, indexes, policies, durationMs } = migrationResult;
  const figures = { version, tables, indexes, policies, durationMs, applied: migrationResult.applied };
  const jobOf = (declaration: Declaration) => {
    const { metadata } = declaration.find("Job", "taskflow-migrate").inputs;
    return typeof metadata === "object" && metadata !== null ? String(Reflect.get(metadata, "name")) : "";
  };

  it("waits for every right and everything that the Job mounts", () => {
    expect(of("statefulset").find("Job", "taskflow-migrate").dependsOn).toEqual([
      "kubernetes:core/v1:ConfigMap::taskflow-database-programs",
      "kubernetes:core/v1:ConfigMap::taskflow-database-settings",
      "kubernetes:core/v1:ConfigMap::taskflow-migrations",
      "kubernetes:core/v1:PersistentVolumeClaim::postgres-backups",
      "kubernetes:core/v1:Secret::postgres-backup-key",
      "kubernetes:core/v1:Secret::taskflow-database",
      "postgresql:index/grant:Grant::taskflow_exporter-schema",
    ]);
    expect(of("statefulset").find("Job", "taskflow-migrate").timeouts).toEqual({ create: "3720s", update: "3720s" });
    expect(of("statefulset").find("ConfigMap", "taskflow-schema").dependsOn).toContain(
      "kubernetes:batch/v1:Job::taskflow-migrate",
    );
  });

  it("of an empty database gets every file; the record has what the runner says, and a preview what is pending", async () => {
    const backup = { file: "taskflow-1.backup", bytes: 1000 };
    const { preview, update, outputs } = await schemaOf(firstRun(settings), { ...migrationResult, backup });
    const lines = {
      "000_base.sql": line("000_base.sql"),
      "101_more.sql": line("101_more.sql"),
      "202_less.sql": line("202_less.sql", "contract"),
      job: jobOf(update),
      result: JSON.stringify({ ...migrationResult, backup }),
    };
    expect(dataOf(update)).toEqual(lines);
    expect(dataOf(preview)).toEqual(lines);
    const all = ["000_base.sql", "101_more.sql", "202_less.sql"];
    expect(outputs).toEqual([
      { ...figures, backup, held: [], pending: all },
      { ...figures, backup, held: [], pending: [] },
    ]);
  });

  it("of a database with data gets what is new; contract files are held, and stay out of the record", async () => {
    const run = firstRun(settings, schemaRecord({ applied, outdated: ["1.0.0-old"] }));
    const { preview, update, outputs } = await schemaOf(run, { ...migrationResult, held: ["202_less.sql"] });
    const lines = {
      "000_base.sql": line("000_base.sql"),
      "101_more.sql": line("101_more.sql"),
      job: jobOf(update),
      result: JSON.stringify({ ...migrationResult, held: ["202_less.sql"] }),
      outdated: "1.0.0-old",
    };
    expect(dataOf(update)).toEqual(lines);
    expect(dataOf(preview)).toEqual(lines);
    expect(outputs).toMatchObject([
      { held: ["202_less.sql"], pending: ["101_more.sql"] },
      { held: ["202_less.sql"], pending: [] },
    ]);
  });

  it("that the record knows is left as it is: nobody asks a pod, and the record stays the same", async () => {
    const all = programs.files.map(({ name, phase, checksum }) => ({ name, phase, checksum }));
    const job = jobOf(of("statefulset"));
    const staging = stackSettings("staging");
    const run = firstRun(staging, schemaRecord({ applied: all, job, result: migrationResult }));
    const { preview, update, outputs } = await schemaOf(run);
    expect(dataOf(update)).toEqual({
      ...{ "000_base.sql": line("000_base.sql"), "101_more.sql": line("101_more.sql") },
      ...{ "202_less.sql": line("202_less.sql", "contract"), job, result: JSON.stringify(migrationResult) },
    });
    expect(dataOf(preview)).toEqual(dataOf(update));
    expect(outputs).toEqual([
      { ...figures, backup: undefined, held: [], pending: [] },
      { ...figures, backup: undefined, held: [], pending: [] },
    ]);
  });

  it("that was restored is migrated again by another Job, and the record remembers the restore", async () => {
    const before = jobOf(of("statefulset"));
    const restored = "taskflow-1.backup 2026-11-21T12:00:00Z";
    const run = firstRun(stackSettings("staging"), schemaRecord({ applied, job: undefined, restored }));
    const { update } = await schemaOf(run, migrationResult);
    expect(jobOf(update)).not.toBe(before);
    expect(dataOf(update)).toMatchObject({ restored, job: jobOf(update) });
  });

  it("is contracted only after the route was told what can never serve again, and after a last look", async () => {
    const run = firstRun(settings, schemaRecord({ applied }));
    const contract = { ...run, decision: { ...run.decision, move: "contract" as const } };
    const { update } = await schemaOf(contract, migrationResult);
    const job = update.find("Job", "taskflow-migrate");
    expect(job.dependsOn).toContain("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute::taskflow");
    expect(job.hooks).toEqual({ beforeCreate: ["read-before-contract"], beforeUpdate: [], afterUpdate: [] });
    const usual = of("statefulset").find("Job", "taskflow-migrate");
    expect(usual.dependsOn).not.toContain("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute::taskflow");
    expect(usual.hooks).toEqual({ beforeCreate: [], beforeUpdate: [], afterUpdate: [] });
  });

  it("does not exist for an application without PostgreSQL", async () => {
    const { application } = settings;
    const { redis } = application.stores;
    const environment = { ...application.environment, secret: {} };
    const without = { ...settings, application: { ...application, environment, stores: redis ? { redis } : {} } };
    const run = firstRun(without);
    const { update, outputs } = await schemaOf(run);
    expect(outputs).toEqual([undefined, undefined]);
    expect(update.names("Job")).toEqual([]);
    expect(update.names("CronJob")).toEqual([]);
  });
});

describe("what the programs mount", () => {
  it("is in ConfigMaps that never change: another content has another name", async () => {
    const name = (declaration: Declaration, urn: string) => declaration.find("ConfigMap", urn).inputs.metadata;
    const { inputs } = of("statefulset").find("ConfigMap", "taskflow-migrations");
    expect(inputs).toMatchObject({
      immutable: true,
      metadata: { name: expect.stringMatching(/^taskflow-migrations-[0-9a-f]{10}$/), namespace: "staging" },
      data: {
        "000_base.sql": "-- 000_base.sql\n",
        "101_more.sql": "-- 101_more.sql\n",
        "202_less.sql": "-- 202_less.sql\n",
      },
    });
    expect(of("statefulset").find("ConfigMap", "taskflow-database-programs").inputs).toMatchObject({
      immutable: true,
      metadata: { name: expect.stringMatching(/^taskflow-database-programs-[0-9a-f]{10}$/) },
      data: { "database.mjs": "// the programs" },
    });
    for (const urn of ["taskflow-migrations", "taskflow-database-programs"])
      expect(name(of("external"), urn)).toEqual(name(of("statefulset"), urn));
  });

  it("has the authorities of an external server, where config gives them", async () => {
    const database = { ...external, ca: certificate };
    const declaration = await declarePlatform(firstRun(stackSettings("staging", { database })));
    expect(declaration.find("ConfigMap", "taskflow-database-ca").inputs).toMatchObject({
      data: { "ca.crt": certificate },
    });
    expect(of("external").names("ConfigMap")).not.toContain("taskflow-database-ca");
  });

  it("has a key of 64 letters and digits for the backups", () => {
    expect(of("statefulset").find("RandomPassword", "postgres-backup-key").inputs).toEqual({
      length: 64,
      special: false,
    });
    expect(secretOf(of("statefulset").find("Secret", "postgres-backup-key").inputs.stringData)).toEqual({
      key: generated("postgres-backup-key"),
    });
  });
});

describe("every pod of the stack", () => {
  it.each(kinds)(
    "(%s) asks for CPU and memory in each container: the quota of the namespace refuses it otherwise",
    (kind) => {
      const missing = of(kind).all.flatMap(({ name, type, inputs }) =>
        containersIn(inputs)
          .filter((container) => !/"requests":\{"cpu":"[^"]+","memory":"[^"]+"\}/.test(JSON.stringify(container)))
          .map((container) => `${type} ${name} ${JSON.stringify(container).slice(0, 60)}`),
      );
      expect(missing).toEqual([]);
    },
  );

  it("of a local stack fits into the quota, together with what a rollout adds", () => {
    const cpu = (text: string) => (text.endsWith("m") ? Number.parseInt(text, 10) : 1000 * Number(text));
    const mebibytes = (text: string) => Number.parseInt(text, 10) * (text.endsWith("Gi") ? 1024 : 1);
    const run = { cpu: 0, memory: 0, pods: 0 };
    for (const { type, inputs } of localStack.all) {
      // A Deployment adds a pod while it rolls; each Job and CronJob may run at the same time.
      const times = type.endsWith(":Deployment")
        ? 2
        : type.includes(":batch/") || type.endsWith(":StatefulSet")
          ? 1
          : 0;
      const requests = containersIn(inputs).map((container) =>
        Reflect.get(Reflect.get(container, "resources"), "requests"),
      );
      if (times === 0 || requests.length === 0) continue;
      run.pods += times;
      // Init containers run before the others: the largest counts.
      run.cpu += times * Math.max(...requests.map((each) => cpu(each.cpu)));
      run.memory += times * Math.max(...requests.map((each) => mebibytes(each.memory)));
    }
    const { spec } = localStack.find("ResourceQuota", "local-quota").inputs as {
      spec: { hard: Record<string, string> };
    };
    expect(run.pods).toBeLessThanOrEqual(Number(spec.hard.pods));
    expect(run.cpu).toBeLessThanOrEqual(cpu(spec.hard["requests.cpu"] ?? ""));
    expect(run.memory).toBeLessThanOrEqual(mebibytes(spec.hard["requests.memory"] ?? ""));
  });

  let localStack: Declaration;
  beforeAll(async () => {
    localStack = await declarePlatform(firstRun(stackSettings("local")));
  }, 60_000);

  function containersIn(value: unknown): readonly object[] {
    if (typeof value !== "object" || value === null) return [];
    if (Array.isArray(value)) return value.flatMap(containersIn);
    return Object.entries(value).flatMap(([key, each]) =>
      (key === "containers" || key === "initContainers") && Array.isArray(each) ? each : containersIn(each),
    );
  }
});
