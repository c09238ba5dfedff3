import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { ApiServers, notFound, routeAnswer } from "../support/api-server.ts";
import { type Config, rawSettings, stackConfig } from "../support/config.ts";
import { declare } from "../support/harness.ts";
import { routeObject } from "../support/live.ts";
import { firstRun, stackSettings } from "../support/platform.ts";

// A preview and an update run in one process here: the second would find the port taken by the first.
vi.mock("../../components/database/reach.ts", async (original) => ({
  ...(await original<typeof import("../../components/database/reach.ts")>()),
  reachDatabase: async () => {},
}));

const servers = new ApiServers();
const said: string[] = [];
beforeAll(() => {
  vi.spyOn(pulumi.log, "info").mockImplementation(async (text) => void said.push(text));
});
afterEach(async () => {
  said.length = 0;
  vi.unstubAllEnvs();
  await servers.stop();
});
afterAll(() => {
  vi.restoreAllMocks();
  servers.remove();
});

/** Runs index.ts as the engine would, on the `local` stack with some keys changed, against a cluster that answers this. */
async function runProgram(changes: Config, [status, route]: readonly [number, unknown], secretKeys: string[] = []) {
  const server = await servers.serve(routeAnswer(status, route));
  const config = {
    ...stackConfig("local"),
    cluster: { context: "golive-local", kubeconfig: servers.kubeconfig(server) },
    ...changes,
  };
  const { values } = rawSettings(config);
  const keyed = Object.fromEntries(Object.entries(values).map(([key, value]) => [`golive:${key}`, value]));
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", JSON.stringify(secretKeys.map((key) => `golive:${key}`)));
  const runs: typeof import("../../index.ts")[] = [];
  const declaration = await declare(async () => {
    pulumi.runtime.setAllConfig({ ...keyed, "aws:region": "eu-central-1" });
    vi.resetModules();
    runs.push(await import("../../index.ts"));
  }, 25);
  const [, update] = runs;
  if (!update) throw new Error("the program did not run as preview and as update");
  return { declaration, outputs: update };
}

const settled = <T>(output: pulumi.Output<T>) => new Promise((resolve) => output.apply(resolve));

describe("the program", () => {
  it("takes a new stack live with all traffic on stable, and says so", async () => {
    const { declaration, outputs } = await runProgram({}, [404, notFound]);
    expect(declaration.names("HTTPRoute")).toHaveLength(5);
    expect(said).toContain("create: candidateTraffic starts at 0 (green); blue 100 %, green 0 %");
    const { weights, schema, ...plain } = outputs;
    expect(plain).toEqual({
      ...{ hostname: "taskflow.localhost", candidate: "green", candidateTraffic: 0, nextRung: 10 },
      ledgerHead: "none",
    });
    expect(await settled(weights)).toEqual({ blue: 100, green: 0 });
    // The cluster of this test has no pods, so nobody says what the migrations did.
    expect(await settled(pulumi.output(schema))).toEqual({ pending: [], held: [] });
  });

  it("applies the migrations of the application, and records those that it may take for applied when the runner's word is lost", async () => {
    const { declaration } = await runProgram({}, [404, notFound]);
    const files = await readMigrations(join(import.meta.dirname, "..", "..", "migrations", "taskflow"));
    expect(files.length).toBeGreaterThanOrEqual(10);
    expect(declaration.find("ConfigMap", "taskflow-migrations").inputs.data).toEqual(
      Object.fromEntries(files.map(({ name, sql }) => [name, sql])),
    );
    expect(declaration.find("ConfigMap", "taskflow-schema").inputs.data).toEqual({
      // A contract file that is recorded without proof would later pass its gate unseen.
      ...Object.fromEntries(
        files.filter(({ phase }) => phase === "expand").map(({ name, checksum }) => [name, `expand ${checksum}`]),
      ),
      job: expect.stringMatching(/^taskflow-migrate-[0-9a-f]{10}$/),
    });
    const { "database.mjs": bundle } = declaration.find("ConfigMap", "taskflow-database-programs").inputs
      .data as Record<string, string>;
    expect(bundle).toContain("schema_migrations");
  });

  it("refuses an unsafe run before it declares anything", async () => {
    const { told } = firstRun(stackSettings("local")).decision;
    const route = routeObject({ told: { ...told, candidateTraffic: 10 } });
    await expect(runProgram({ candidateTraffic: 100 }, [200, route])).rejects.toThrow(
      "candidateTraffic 10 -> 100 skips a rung: the next is 50 (or any lower value)\nNext: set candidateTraffic 50\nNothing was touched.",
    );
  });

  it("refuses a bad configuration before it reads the cluster", async () => {
    await expect(runProgram({ candidateTraffic: 30 }, [500, {}])).rejects.toThrow(
      '1 problem in the configuration of stack "test":\n  golive:candidateTraffic  got 30; allowed on this ladder: 0, 10, 50, 100',
    );
  });

  it("reads from the engine which values are secret", async () => {
    const sentryDsn = "https://key@sentry.example.com/1";
    await expect(runProgram({ sentryDsn }, [404, notFound])).rejects.toThrow("golive:sentryDsn  stands in clear");
    const { declaration } = await runProgram({ sentryDsn }, [404, notFound], ["sentryDsn"]);
    expect(declaration.clearText).not.toContain(sentryDsn);
  });
});
