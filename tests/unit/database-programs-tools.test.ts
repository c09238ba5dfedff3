import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cleanUp } from "../../programs/database/afterwards.ts";
import { accessTo, runTool, toolMajor } from "../../programs/database/postgres.ts";
import { Problem } from "../../programs/database/problem.ts";
import { withScratchServer } from "../../programs/database/scratch.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { until } from "../support/until.ts";

let directory: string;
let settings: ProgramSettings;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-tools-"));
  await mkdir(join(directory, "passwords"));
  await writeFile(join(directory, "passwords", "taskflow_backup"), "s3cret\n");
  settings = {
    server: { host: "postgres", port: 5432, tls: { mode: "off" } },
    database: "taskflow",
    logins: { migrator: "taskflow_user", backup: "taskflow_backup", exporter: "taskflow_exporter" },
    passwords: join(directory, "passwords"),
    roles: [],
    binaries: directory,
    work: directory,
  } as unknown as ProgramSettings;
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true, force: true });
});

async function tool(name: string, script: string): Promise<void> {
  await writeFile(join(directory, name), `#!/bin/bash\n${script}\n`);
  await chmod(join(directory, name), 0o755);
}

describe("one of PostgreSQL's programs", () => {
  it("gets its password in its environment, never among its arguments, and nothing else of ours", async () => {
    vi.stubEnv("GOLIVE_SECRET", "x");
    vi.stubEnv("PGDATABASE", "another");
    await tool("pg_dump", 'echo "$*"; env | grep -v -e ^SHLVL -e ^PWD -e ^_= -e ^PATH= | sort');
    const access = await accessTo(settings, "taskflow_backup");
    const printed = await runTool(settings, "pg_dump", ["--format=custom"], { what: "pg_dump", access });
    vi.unstubAllEnvs();
    expect(printed.trim().split("\n")).toEqual([
      "--format=custom",
      "LC_ALL=C",
      "PGAPPNAME=golive",
      "PGCONNECT_TIMEOUT=10",
      "PGDATABASE=taskflow",
      "PGHOST=postgres",
      "PGOPTIONS=-c client_connection_check_interval=1s",
      "PGPASSWORD=s3cret",
      "PGPORT=5432",
      "PGSSLMODE=disable",
      "PGUSER=taskflow_backup",
    ]);
  });

  it("makes the server prove its name, by the authority that is given or those that Node trusts", async () => {
    const own = { ...settings, server: { ...settings.server, tls: { mode: "verify-full", ca: "/ca.crt" } as const } };
    expect(await accessTo(own, "taskflow_backup", "postgres")).toMatchObject({
      PGDATABASE: "postgres",
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/ca.crt",
    });
    const anyone = { ...own, server: { ...own.server, tls: { mode: "verify-full", ca: undefined } as const } };
    expect((await accessTo(anyone, "taskflow_backup")).PGSSLROOTCERT).toBe(join(directory, "authorities.crt"));
  });

  it("that fails is told with what it said; that is missing, with where it was looked for", async () => {
    await tool("pg_dump", "echo 'pg_dump: error: no' >&2; exit 3");
    await expect(runTool(settings, "pg_dump", [], { what: "pg_dump of taskflow" })).rejects.toThrow(
      "pg_dump of taskflow failed (exit code 3):\npg_dump: error: no",
    );
    await tool("pg_dump", "kill -KILL $$");
    await expect(runTool(settings, "pg_dump", [], { what: "pg_dump of taskflow" })).rejects.toThrow(
      "pg_dump of taskflow failed (SIGKILL)",
    );
    await expect(runTool(settings, "pg_restore", [], { what: "pg_restore" })).rejects.toThrow(
      `cannot start pg_restore (ENOENT), looked for in ${directory}; this program runs in an image of PostgreSQL, which has it`,
    );
  });

  it("may stop reading when it has enough, and is judged by its exit code", async () => {
    const endless = () =>
      Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536);
        })(),
      );
    await tool("pg_restore", "head -c 10 | wc -c");
    expect(await runTool(settings, "pg_restore", [], { what: "list", input: endless() })).toBe("10\n");
    await tool("pg_restore", "head -c 10 > /dev/null; echo 'broken archive' >&2; exit 1");
    await expect(runTool(settings, "pg_restore", [], { what: "list", input: endless() })).rejects.toThrow(
      "broken archive",
    );
  });

  it("is ended when what it reads turns out to be bad, and that is what is told", async () => {
    await tool("pg_restore", "cat > /dev/null; exec sleep 600");
    const bad = Readable.from(
      (async function* () {
        yield Buffer.from("good");
        throw new Problem("byte 4 was changed");
      })(),
    );
    await expect(runTool(settings, "pg_restore", [], { what: "restore", input: bad })).rejects.toThrow(
      "byte 4 was changed",
    );
  });

  it("is ended when this program is told to stop", async () => {
    await tool(
      "pg_dump",
      `trap 'echo ended > ${directory}/end; exit 1' TERM; touch ${directory}/begun; while :; do sleep 0.05; done`,
    );
    const running = runTool(settings, "pg_dump", [], { what: "pg_dump" });
    const outcome = expect(running).rejects.toThrow("pg_dump failed (exit code 1)");
    await until("the child", async () => (await readdir(directory)).includes("begun"), 20, 20);
    expect(await cleanUp()).toEqual([]);
    expect(await readdir(directory)).toContain("end");
    await outcome;
  });

  it.each([
    ["pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15],
    ["pg_dump (PostgreSQL) 9.6.24", 9],
    ["pg_dump (PostgreSQL) 18beta1", 18],
  ])("says its version: %s", async (printed, major) => {
    await tool("pg_dump", `echo '${printed}'`);
    expect(await toolMajor(settings, "pg_dump")).toBe(major);
  });

  it("that says no version is refused", async () => {
    await tool("pg_dump", "echo hello");
    await expect(toolMajor(settings, "pg_dump")).rejects.toThrow('pg_dump --version says "hello", no version');
  });
});

describe("a scratch server", () => {
  const asUser = (uid: number) => vi.spyOn(process, "getuid").mockReturnValue(uid);
  const never = () => Promise.reject(new Error("not to be reached"));

  it("is refused to root, with how to run it instead", async () => {
    asUser(0);
    await expect(withScratchServer(settings, never)).rejects.toThrow(
      "this program runs as root, and PostgreSQL does not start as root: run it as another user (in a pod: runAsUser 999; on a machine: runuser -u postgres -- …)",
    );
  });

  it("is refused where its socket's path would be too long, or nothing can be written", async () => {
    asUser(999);
    const deep = join(directory, "d".repeat(60), "e".repeat(30));
    await mkdir(deep, { recursive: true });
    await expect(withScratchServer({ ...settings, work: deep }, never)).rejects.toThrow(
      /the directory .* is too deep for a scratch server: its socket's path would have \d+ bytes, and Linux takes 107; set a shorter one/,
    );
    expect(await readdir(deep)).toEqual([]);
    await expect(withScratchServer({ ...settings, work: "/nowhere" }, never)).rejects.toThrow(
      "cannot make a scratch server in /nowhere: ENOENT",
    );
  });

  it("that cannot be made or started is told with what PostgreSQL said, and leaves nothing", async () => {
    asUser(999);
    await tool("initdb", "echo 'initdb: error: No space left on device' >&2; exit 1");
    await expect(withScratchServer(settings, never)).rejects.toThrow(
      `initdb of a scratch server in ${directory} failed (exit code 1):\ninitdb: error: No space left on device`,
    );
    await tool("initdb", "exit 0");
    await tool("postgres", "echo 'FATAL: could not create shared memory segment' >&2; exit 1");
    await expect(withScratchServer(settings, never)).rejects.toThrow(
      `the scratch server in ${directory} failed (exit code 1):\nFATAL: could not create shared memory segment`,
    );
    expect((await readdir(directory)).sort()).toEqual(["initdb", "passwords", "postgres"]);
  });
});
