import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { ensureMonitoringTools } from "../../local/debian/monitoring-tools.ts";
import { concerns } from "../../monitoring/alerts/all.ts";
import { Clock } from "../../monitoring/clock.ts";
import { renderRules } from "../../monitoring/rules/render.ts";
import { production } from "../support/alerts.ts";
import { healthyCase, healthyRollout } from "../support/healthy-rollout.ts";
import { caseOf, checkRules, runPromtool } from "../support/promtool.ts";

/** Debian's promtool, in real time: what an alert promises is held against the rule that Prometheus gets. */

let directory: string;

beforeAll(async () => {
  await ensureMonitoringTools(lineProgress());
  directory = await mkdtemp(join(tmpdir(), "golive-promtool-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const green = { green: true, said: expect.stringContaining("SUCCESS") };

describe("the rules", () => {
  it.each([1, 15])("are what promtool takes without a remark, at speed %i", async (speed) => {
    expect(await checkRules(directory, renderRules(production, new Clock(speed)))).toEqual(green);
  });
});

describe("a rollout on which all goes well", () => {
  it("has series of every metric that an alert reads", () => {
    const { missing, unused } = healthyRollout(production);
    expect({ missing, unused }).toEqual({ missing: [], unused: [] });
  });

  it.concurrent("calls nobody", async () => {
    expect(await runPromtool(directory, () => healthyCase(production))).toEqual(green);
  });
});

const names = ["application", "rollout", "database", "cache", "node", "cluster", "monitoring"];

it("every concern's alerts are held against their stories", () => {
  expect(concerns.map(({ name }) => name)).toEqual(names);
});

/** Each story as it is told, with a label more on every series, and without requests where it is made of them. */
describe.concurrent.each(names)(
  "%s alerts fire at their time, are silent before and without cause, and resolve",
  (name) => {
    const concern = concerns.filter((each) => each.name === name);
    it.each(concern.flatMap(({ alerts }) => alerts(production)))("$name", async (alert) => {
      expect(await runPromtool(directory, (early) => caseOf(alert, production, early))).toEqual(green);
    });
  },
);
