import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { Problem } from "../../programs/database/problem.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { migrationRuns } from "../support/migration-runs.ts";
import { startOldServer } from "../support/old-server.ts";
import { names } from "../support/postgres.ts";

const runs = migrationRuns();
const files = { "000_base.sql": "create table a (id integer);" };

async function refusal(settings: ProgramSettings): Promise<string> {
  const error = await migrate(settings, () => {}).then(
    () => new Error("it was not refused"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof Problem) return error.message;
  throw error;
}

/** A port that nobody listens on: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("a server that the migrations cannot use", () => {
  it("is named with what is wrong: nobody answers there", async () => {
    const { settings } = await runs.fresh(files);
    const server = { ...settings.server, port: await closedPort() };
    expect(await refusal({ ...settings, server })).toBe(
      `cannot connect to ${settings.database} on 127.0.0.1:${server.port} as taskflow_user: connect ECONNREFUSED 127.0.0.1:${server.port}`,
    );
  });

  it("is named with what is wrong: the password, which is not told", async () => {
    const { settings } = await runs.fresh(files);
    const passwords = await mkdtemp(join(tmpdir(), "golive-passwords-"));
    await writeFile(join(passwords, names.owner), "correct horse battery staple\n");
    const message = await refusal({ ...settings, passwords }).finally(() => rm(passwords, { recursive: true }));
    expect(message).toBe(
      `the server 127.0.0.1:${settings.server.port} refused the login taskflow_user: password authentication failed for user "taskflow_user"; ` +
        "is its Secret newer than the role? A pulumi up sets both",
    );
    expect(message).not.toContain("horse");
  });

  it("is named with what is wrong: no password for the login", async () => {
    const { settings } = await runs.fresh(files);
    const passwords = await mkdtemp(join(tmpdir(), "golive-passwords-"));
    const message = await refusal({ ...settings, passwords }).finally(() => rm(passwords, { recursive: true }));
    expect(message).toContain(`the password of the login taskflow_user is not there: ENOENT`);
    expect(message).toContain(`is its Secret mounted at ${join(passwords, "taskflow_user")}?`);
  });

  it("is named with what is wrong: its version", async () => {
    const { settings } = await runs.fresh(files);
    const old = await startOldServer("140012", "14.12");
    try {
      const server = { ...settings.server, host: "127.0.0.1", port: old.port };
      expect(await refusal({ ...settings, server })).toBe(
        `the server 127.0.0.1:${old.port} is PostgreSQL 14.12; allowed: 15 or newer`,
      );
    } finally {
      await old.stop();
    }
  });

  it("is named with what is wrong: it has no such database", async () => {
    const { settings } = await runs.fresh(files);
    expect(await refusal({ ...settings, database: "taskflov" })).toBe(
      `the server 127.0.0.1:${settings.server.port} has no database taskflov`,
    );
  });

  it("is named with what is wrong: it does not encrypt, and verify-full is asked for", async () => {
    const { settings } = await runs.fresh(files);
    const server = { ...settings.server, tls: { mode: "verify-full", ca: undefined } } as const;
    expect(await refusal({ ...settings, server })).toBe(
      `cannot connect to ${settings.database} on 127.0.0.1:${server.port} as taskflow_user: The server does not support SSL connections`,
    );
  });
});
