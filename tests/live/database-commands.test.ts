import { randomBytes } from "node:crypto";
import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { toolCluster } from "../../cli/database/cluster.ts";
import { planOf } from "../../cli/database/plan.ts";
import { runTask } from "../../cli/database/run.ts";
import type { DatabaseStack } from "../../cli/database/stack.ts";
import { runPlan } from "../../cli/database.ts";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { type ApplicationDatabase, makeDatabase, makeRoles, names } from "../../local/postgres/application-database.ts";
import { type ClusterServer, startClusterServer } from "../../local/postgres/server.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { failureOf } from "../support/failure.ts";
import { hashesOf, rowsOf } from "../support/seeded-rows.ts";
import { addTools, batch, config, core } from "../support/tools-namespace.ts";
import { until } from "../support/until.ts";

/** A stack's namespace as far as `golive database` needs it: a server, its database with the schema, and the tools. */
let server: ClusterServer;
let superuser: pg.Client;
let database: ApplicationDatabase;
let namespace: string;

beforeAll(async () => {
  server = await startClusterServer("checks");
  namespace = server.namespace;
  superuser = new pg.Client({ ...server.admin });
  await superuser.connect();
  const password = randomBytes(16).toString("hex");
  await makeRoles(superuser, password);
  database = await makeDatabase(superuser, { ...server.admin }, password, "taskflow");
  await migrate(database.settings, () => {});
  await addTools(namespace, database);
});

afterAll(async () => {
  await database?.drop();
  await superuser?.end();
  await server?.stop();
});

/** What a person at a terminal sees of one call, and its exit code. */
async function golive(line: string) {
  const told: string[] = [];
  const progress: Progress = { note: (text) => void told.push(text), stage: (_, work) => work(progress) };
  const session = new Session(progress);
  const stack: DatabaseStack = {
    name: "local",
    application: "taskflow",
    environment: "local",
    namespace,
    cluster: { context: "golive-local", kubeconfig: undefined },
  };
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    }),
  );
  try {
    const exitCode = await runPlan(planOf(line.split(" ")), stack, config, session);
    return { exitCode, told, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
    await session.end();
  }
}

const jobs = async () => (await batch.listNamespacedJob({ namespace })).items.map(({ metadata }) => metadata?.name);

async function asOwner<T>(work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client(database.access(names.owner));
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

describe("golive database", () => {
  it("says what the database is like, as tables and as JSON, and leaves no Job", async () => {
    const shown = await golive("status");
    expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^version +015$/m);
    expect(shown.stdout).toMatch(/^row security gaps +none$/m);
    const { stdout } = await golive("status --json");
    expect(JSON.parse(stdout)).toMatchObject({ database: database.name, version: "015", rowSecurityGaps: [] });
    expect(await jobs()).toEqual([]);
  });

  it("seeds, and verifies what was seeded", async () => {
    const seeded = await golive("seed");
    expect(seeded.exitCode).toBe(0);
    expect(seeded.told.at(-1)).toBe("Local data seeded successfully");
    const { exitCode, stdout } = await golive("verify");
    expect({ exitCode, gaps: stdout.split("\n").filter((line) => / NO( |$)/.test(line)) }).toEqual({
      exitCode: 0,
      gaps: [],
    });
  });

  it("ends with 1 when a check does not hold, and names what", async () => {
    await asOwner((owner) => owner.query("create table invoices (id integer primary key)"));
    try {
      const { exitCode, stdout } = await golive("verify");
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/invoices/);
    } finally {
      await asOwner((owner) => owner.query("drop table invoices"));
    }
  });

  it("lists what the next up would apply", async () => {
    const { stdout, exitCode } = await golive("migrate --dry-run --json");
    expect({ exitCode, result: JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      result: { pending: [], version: "015" },
    });
  });

  it("takes a backup, restores it over what came later, records the restored schema, and says what is next", async () => {
    const before = await asOwner(hashesOf);
    const backup = await golive("backup --json");
    const { file } = JSON.parse(backup.stdout) as { file: string };
    expect((await golive("restore --list")).stdout).toContain(file.replace(".dump.enc", ""));
    await asOwner((owner) => owner.query("delete from tasks"));
    const name = "taskflow-schema";
    // As Pulumi's provider keeps it: by server-side apply, in a name of its own.
    const applied = (data: Record<string, string>) =>
      core.patchNamespacedConfigMap(
        {
          namespace,
          name,
          body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data },
          fieldManager: "pulumi-1",
        },
        setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
      );
    const sum = "b".repeat(64);
    await applied({
      "000_base_schema.sql": `expand ${sum}`,
      "999_gone.sql": `expand ${sum}`,
      job: "taskflow-migrate-1",
    });
    const { exitCode, stderr } = await golive("restore --yes");
    expect(exitCode).toBe(0);
    expect(await asOwner(hashesOf)).toEqual(before);
    const record = (await core.readNamespacedConfigMap({ namespace, name })).data ?? {};
    const ledger = await asOwner((owner) =>
      rowsOf(owner, "select name, phase || ' ' || checksum from schema_migrations"),
    );
    expect(record).toEqual({
      ...Object.fromEntries(ledger),
      restored: expect.stringMatching(new RegExp(`^${file} at 20`)),
    });
    expect(stderr).toContain("Next: golive pulumi up --stack local");
    // Every key of it is still the provider's: another value meets no conflict, and a key that it drops is gone.
    const { restored: _, ...rest } = record;
    await applied({ ...rest, "000_base_schema.sql": `expand ${sum}` });
    expect((await core.readNamespacedConfigMap({ namespace, name })).data).toEqual({
      ...rest,
      "000_base_schema.sql": `expand ${sum}`,
    });
  });

  it("proves the newest backup", async () => {
    const { exitCode, stdout } = await golive("drill");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^tables +\d+$/m) });
  });

  it("fails with the program's own words, and leaves no Job", async () => {
    const name = "taskflow-20200101T000000Z";
    const { message, exitCode } = await failureOf(() => golive(`restore ${name} --yes`));
    expect(exitCode).toBe(1);
    expect(message).toContain(`golive database restore: no backup ${name} of ${database.name} in /backups: there are `);
    expect(await jobs()).toEqual([]);
  });
});

describe("a Job of golive database", () => {
  const quiet: Progress = { note: () => {}, stage: (_, work) => work(quiet) };
  const task = { command: "status", args: [], seconds: 600 };
  const tools = () => toolCluster(config, namespace);

  it("that is stopped is gone, and its pod with it", async () => {
    const session = new Session(quiet);
    // A program that has no end of its own.
    const endless = { ...task, command: "metrics" };
    const ending = runTask(tools(), endless, { namespace, session, progress: quiet }).then(
      ({ exitCode }) => `exit code ${exitCode}`,
      (error: unknown) => (error instanceof Failure ? error.message : error),
    );
    await until("the pod of the Job runs", async () =>
      (await core.listNamespacedPod({ namespace })).items.some(
        ({ metadata, status }) => metadata?.name?.startsWith("postgres-tools-metrics-") && status?.phase === "Running",
      ),
    );
    expect(await session.end()).toEqual([]);
    await until(
      "no pod but the server's",
      async () => (await core.listNamespacedPod({ namespace })).items.length === 1,
    );
    expect(await jobs()).toEqual([]);
    // The last look at the pod comes before it is gone, or after.
    expect(await ending).toMatch(/^exit code 130$|^postgres-tools-metrics-\w+ was ended: somebody deleted the Job$/);
  });

  const broken = async (image: string, nodeSelector: Record<string, string>) => {
    const session = new Session(quiet);
    const real = tools();
    const template = async () => {
      const cronJob = await real.template();
      const pod = cronJob?.spec?.jobTemplate.spec?.template.spec;
      const [container] = pod?.containers ?? [];
      if (pod === undefined || container === undefined) throw new Error("no template");
      if (image !== "") container.image = image;
      pod.nodeSelector = nodeSelector;
      return cronJob;
    };
    const options = { namespace, session, progress: quiet, patienceSeconds: 3 };
    const failure = await failureOf(() => runTask({ ...real, template }, task, options));
    await session.end();
    return failure.message;
  };

  it("whose image cannot be pulled says so", async () => {
    const message = await broken("golive.local/nothing:1", {});
    expect(message).toMatch(/: for 3 s now, .*golive\.local\/nothing:1.*\. Put that right and start again$/s);
    expect(message).toMatch(/pull/i);
  });

  it("that no node takes says so", async () => {
    expect(await broken("", { "kubernetes.io/hostname": "nowhere" })).toMatch(
      /: for 3 s now, pod \S+ is not scheduled: 0\/1 nodes/,
    );
  });

  it("cannot be made where no stack is up", async () => {
    const session = new Session(quiet);
    const { message } = await failureOf(() =>
      runTask(toolCluster(config, "default"), task, { namespace: "default", session, progress: quiet }),
    );
    expect(message).toMatch(/^no CronJob postgres-tools in namespace default: the stack is not up there/);
  });
});
