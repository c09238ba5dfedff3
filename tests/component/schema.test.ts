import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { recordData } from "../../rollout/schema/schema-record.ts";
import { ApiServers, routeAnswer } from "../support/api-server.ts";
import { type Config, rawSettings, stackConfig } from "../support/config.ts";
import { declare } from "../support/harness.ts";
import { routeObject, schemaRecord } from "../support/live.ts";
import { firstRun, stackSettings } from "../support/platform.ts";

const servers = new ApiServers();
afterEach(() => servers.stop());
afterAll(() => servers.remove());

/** Runs index.ts on the `local` stack with some keys changed, on a cluster whose record of the schema is this. */
async function runProgram(changes: Config, schema: Readonly<Record<string, string>>): Promise<void> {
  const { told } = firstRun(stackSettings("local")).decision;
  const server = await servers.serve(routeAnswer(200, routeObject({ told }), { schema }));
  const cluster = { context: "golive-local", kubeconfig: servers.kubeconfig(server) };
  const { values } = rawSettings({ ...stackConfig("local"), cluster, ...changes });
  await declare(async () => {
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(values).map(([key, value]) => [`golive:${key}`, value])),
    );
    vi.resetModules();
    await import("../../index.ts");
  }, 1);
}

const files = await readMigrations(join(import.meta.dirname, "..", "..", "migrations", "taskflow"));
const applied = files.map(({ name, phase, checksum }) => ({ name, phase, checksum }));
const [first] = applied;
const contracts = files.filter(({ phase }) => phase === "contract").map(({ name }) => name);
const sum = "f".repeat(64);

describe("a run whose migrations do not fit what was applied is refused before anything is declared:", () => {
  it("an applied file was edited", async () => {
    const edited = applied.map((each) => (each === first ? { ...each, checksum: sum } : each));
    await expect(runProgram({}, recordData(schemaRecord({ applied: edited })))).rejects.toThrow(
      new RegExp(
        `^migrations/taskflow and golive:contract do not fit the schema as it was last applied:\n {2}${first?.name}: edited after it was applied[^\n]*\nNext: .*\nNothing was touched.$`,
      ),
    );
  });

  it("an applied file is missing", async () => {
    const gone = { name: "000_before_all.sql", phase: "expand", checksum: sum } as const;
    await expect(runProgram({}, recordData(schemaRecord({ applied: [gone, ...applied] })))).rejects.toThrow(
      "000_before_all.sql: applied, but not in the directory",
    );
  });

  it("a new file comes before an applied one", async () => {
    await expect(runProgram({}, recordData(schemaRecord({ applied: applied.slice(1) })))).rejects.toThrow(
      `${first?.name}: new, but `,
    );
  });

  it("config asks for a contract file that there is not", async () => {
    await expect(
      runProgram({ contract: "099_no_such_file.sql" }, recordData(schemaRecord({ applied }))),
    ).rejects.toThrow(
      new RegExp(
        `golive:contract do not fit .*\n {2}099_no_such_file.sql: .*there is no such file; allowed: ${contracts.join(", ")}`,
      ),
    );
  });

  it("config asks for a contract file while both colours may serve", async () => {
    const [contract] = contracts;
    const held = applied.filter(({ phase }) => phase === "expand");
    await expect(runProgram({ contract }, recordData(schemaRecord({ applied: held })))).rejects.toThrow(
      `golive:contract would run ${contract}, which older releases do not survive: `,
    );
  });
});
