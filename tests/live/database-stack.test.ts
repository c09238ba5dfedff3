import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CheckoutCopy, copyCheckout } from "../../cli/checkout-copy.ts";
import { gateway } from "../../local/gateway.ts";
import { startLoad } from "../../local/load/load.ts";
import { golive } from "../support/clone.ts";

import { answersAs, readyPods, until } from "../support/live-cluster.ts";
import { query } from "../support/live-database.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const hostname = "taskflow.localhost";
const newFile = "016_add_task_priority.sql";
const newText = `-- How urgent a task is. A default that is no function: no row is rewritten.
ALTER TABLE tasks ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 3);
GRANT INSERT (priority), UPDATE (priority) ON tasks TO taskflow_app;
`;
const contractFile = "017_drop_task_priority.sql";
const contractText = `-- golive: phase contract
ALTER TABLE tasks DROP COLUMN priority;
`;

/** What a stack says of its schema. */
interface SchemaOutput {
  readonly version: string;
  readonly indexes: number;
  readonly policies: number;
  readonly applied: Readonly<Record<string, number>>;
  readonly pending: readonly string[];
  readonly held: readonly string[];
  readonly backup?: { readonly file: string; readonly bytes: number };
}

describe("the schema follows the files by repeated pulumi up", () => {
  let copy: CheckoutCopy;
  let stack: LiveStack;
  const migrations = (name: string) => join(copy.root, "migrations", "taskflow", name);
  const schema = async () => (await stack.output("schema")) as SchemaOutput;

  beforeAll(async () => {
    copy = await copyCheckout();
    stack = await LiveStack.open("local", copy.root);
    await stack.succeedUp();
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
  });
  afterAll(async () => {
    await stack.destroy();
    await stack.close();
    await copy.remove();
  });

  it("from an empty database, with its version, indexes, policies and durations as a stack output", async () => {
    const output = await schema();
    expect(output).toMatchObject({ version: "015", pending: [], held: [] });
    expect(Object.keys(output.applied)).toHaveLength(16);
    expect(output.indexes).toBeGreaterThanOrEqual(40);
    expect(output.policies).toBeGreaterThanOrEqual(10);
  });

  it("and a second run changes nothing", async () => {
    const preview = await stack.preview("--expect-no-changes");
    expect(textOf(preview)).not.toContain("pending:");
    expect(preview.exitCode).toBe(0);
  });

  it("lists a new file by name as pending, applies it at 10 % after a verified backup, and loses no request and no task", async () => {
    await stack.step(10);
    await writeFile(migrations(newFile), newText);
    const preview = await stack.preview();
    expect(textOf(preview)).toContain(`pending: ${newFile} (expand)`);
    expect(preview.exitCode).toBe(0);
    const load = await startLoad({
      origin: { host: gateway.host, port: gateway.publicPort },
      hostname,
      requestsPerSecond: 200,
      seconds: 240,
    });
    try {
      await stack.succeedUp();
    } finally {
      const all = await load.stop();
      expect(all.failures).toEqual([]);
      expect(all.failed).toBe(0);
      expect(all.written).toBeGreaterThan(100);
      expect(all.lost).toBe(0);
    }
    const output = await schema();
    expect(output).toMatchObject({ version: "016", pending: [], held: [] });
    expect(output.backup?.file).toMatch(/^taskflow-.*\.dump\.enc$/);
    expect(output.backup?.bytes).toBeGreaterThan(1000);
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
  });

  it("refuses an applied file that was edited, a file that is gone and one that comes too late, by name, and touches nothing", async () => {
    const original = await readFile(migrations(newFile), "utf8");
    const refused = async (said: string) => {
      const preview = await stack.preview();
      expect(textOf(preview)).toContain(said);
      expect(textOf(preview)).toContain("Nothing was touched.");
      expect(preview.exitCode).not.toBe(0);
    };
    await writeFile(migrations(newFile), `${original}-- one more line\n`);
    await refused(newFile);
    await rm(migrations(newFile));
    await refused(newFile);
    await writeFile(migrations(newFile), original);
    const late = "0155_late.sql";
    await writeFile(migrations(late), "ALTER TABLE tasks ADD COLUMN late text;\n");
    await refused(late);
    await rm(migrations(late));
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
  });

  it("refuses a migration that makes a table without row level security before it runs, and names the table", async () => {
    const open = "018_add_labels.sql";
    await writeFile(migrations(open), "CREATE TABLE labels (id integer PRIMARY KEY, team_id integer NOT NULL);\n");
    const run = await stack.up();
    expect(run.exitCode).not.toBe(0);
    expect(textOf(run)).toContain(open);
    expect(textOf(run)).toContain("labels");
    expect(await query("select to_regclass('public.labels') is null as absent")).toEqual([{ absent: true }]);
    await rm(migrations(open));
    await stack.succeedUp();
    expect((await schema()).version).toBe("016");
  });

  it("holds a contract migration until it is asked for, and refuses it while an older release could still be needed", async () => {
    await stack.step(50);
    await stack.step(100);
    await writeFile(migrations(contractFile), contractText);
    const preview = await stack.preview();
    expect(textOf(preview)).toContain(`held: ${contractFile} (contract)`);
    expect(preview.exitCode).toBe(0);
    await stack.set({ contract: contractFile });
    const early = await stack.preview();
    expect(textOf(early)).toContain("blue was not retired before");
    expect(early.exitCode).not.toBe(0);
    await stack.unset("contract");
    await stack.set({ "blue.retired": true });
    await stack.succeedUp();
    await until("no pods of blue", async () => (await readyPods("version=blue")) === 0);
    await stack.set({ contract: contractFile });
    await stack.succeedUp();
    expect(await schema()).toMatchObject({ version: "017", pending: [], held: [] });
    await stack.unset("blue.retired");
    const back = await stack.preview();
    expect(textOf(back)).toContain("a release from before a contract migration: it can never serve again");
    expect(back.exitCode).not.toBe(0);
    await stack.set({ "blue.retired": true });
  });

  it("rotates the application's password without losing a request", async () => {
    const load = await startLoad({
      origin: { host: gateway.host, port: gateway.publicPort },
      hostname,
      requestsPerSecond: 200,
      seconds: 240,
    });
    try {
      await stack.set({ rotation: 1 });
      await stack.succeedUp();
      const logins = "select distinct usename from pg_stat_activity where usename like 'taskflow_app_%' order by 1";
      await until("the application on its other login", async () =>
        JSON.stringify(await query(logins)).includes("taskflow_app_b"),
      );
    } finally {
      const all = await load.stop();
      expect(all.failures).toEqual([]);
      expect(all.failed).toBe(0);
      expect(all.lost).toBe(0);
    }
  });

  it("restores a dropped database from its backup, every row as it was", async () => {
    const fingerprint =
      "select count(*)::int as tasks, coalesce(md5(string_agg(t::text, '|' order by id)), '') as hash from tasks t";
    const before = await query(fingerprint);
    expect(before).not.toEqual([{ tasks: 0, hash: "" }]);
    expect((await golive(copy.root, ["database", "backup"])).code).toBe(0);
    await query("drop database taskflow with (force)", "postgres");
    const restored = await golive(copy.root, ["database", "restore", "--yes"]);
    expect(restored.stderr + restored.stdout).toContain("taskflow");
    expect(restored.code).toBe(0);
    expect(await query(fingerprint)).toEqual(before);
    expect((await golive(copy.root, ["database", "verify"])).code).toBe(0);
    const preview = await stack.preview();
    expect(textOf(preview)).toContain("the database was restored");
    await stack.succeedUp();
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
    await until("green serves again", () => answersAs(gateway.publicPort, hostname, "green"));
  });
});
