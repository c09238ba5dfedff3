import { beforeEach, describe, expect, it } from "vitest";
import type { Allowed, Desired } from "../../rollout/decision.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import {
  asideOf,
  missingOf,
  planHash,
  type RecordedRun,
  recordOf,
  refusedOf,
  tripRecordOf,
} from "../../rollout/ledger/drafts.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { recordRun } from "../../rollout/ledger/record-run.ts";
import { readRoute } from "../../rollout/observed.ts";
import { at, run } from "../support/decision.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { releases, step, write } from "../support/ledger-records.ts";
import { evenRules, type LiveOptions, observed, type RouteOptions, routeObject, told } from "../support/live.ts";

let api: LedgerApi;
beforeEach(() => {
  api = new LedgerApi();
});

const verdict: Verdict = {
  outcome: "pass",
  reason: "0.1 % of 900",
  numbers: { errors: 0.001 },
  waitSeconds: undefined,
};
/** A run as the hooks of the route know it. */
function recorded(live: LiveOptions, desired: Partial<Desired>, rest: Partial<RecordedRun> = {}): RecordedRun {
  const decision = run(live, desired);
  if (!decision.allowed) throw new Error(decision.reason);
  const origin = { who: "Ada", commit: "abc dirty" };
  const usualRun = { application: "taskflow", stack: "production", observed: observed(live) };
  return { ...usualRun, ...origin, decision, ...rest };
}

const route = (options: RouteOptions) => readRoute(routeObject(options));

describe("the record of a run", () => {
  it("says what moved, of which releases, who, from which commit and by which verdict", () => {
    const queries = [{ promql: "up", value: 1 }];
    const own = recorded(at(10), { candidateTraffic: 50 }, { verdict, queries });
    expect(recordOf(own)).toEqual({
      kind: "up",
      application: "taskflow",
      stack: "production",
      candidate: "green",
      from: { blue: 90, green: 10 },
      to: { blue: 50, green: 50 },
      releases,
      who: "Ada",
      commit: "abc dirty",
      plan: planHash(own.decision),
      reason: "up: candidate green 10 -> 50 %",
      verdict,
      queries,
    });
  });

  it.each<[string, LiveOptions, Partial<Desired>, string]>([
    ["a new route", { noRoute: true, pods: { blue: [], green: [] } }, {}, "the route was made: candidate green at 0 %"],
    ["a way down", at(50), { candidateTraffic: 10 }, "down: candidate green 50 -> 10 %"],
    [
      "a switch of roles",
      at(100),
      { candidate: "blue", candidateTraffic: 0 },
      "roles switched: candidate green -> blue",
    ],
    [
      "a release",
      at(0),
      { releases: { blue: releases.blue, green: "2.1.0-cccc" } },
      "no traffic moved; release of green 2.0.0-bbbb -> 2.1.0-cccc",
    ],
    [
      "a first release",
      at(0, { releases: { blue: releases.blue, green: undefined } }),
      {},
      "no traffic moved; release of green none -> 2.0.0-bbbb",
    ],
  ])("tells of %s", (_, live, desired, reason) => {
    expect(recordOf(recorded(live, desired)).reason).toBe(reason);
  });

  it("tells of an override, with its reason", () => {
    const override = { percent: 50, reason: "the fix of an outage" };
    const own = recorded(at(10), { candidateTraffic: 50, override }, { override: override.reason });
    expect(recordOf(own)).toMatchObject({ kind: "override", reason: expect.stringContaining("the fix of an outage") });
  });

  it("of a run that was refused tells what was asked, and that nothing was changed", () => {
    const own = recorded(at(10), { candidateTraffic: 50 });
    expect(refusedOf(own, "soak: 40 s left")).toMatchObject({
      kind: "refused",
      from: { blue: 90, green: 10 },
      to: { blue: 50, green: 50 },
      releases,
      reason: "up: candidate green 10 -> 50 %: soak: 40 s left",
    });
  });

  it("has the same plan hash as the preview that was reviewed, and another one for another plan", () => {
    const decisionAt = (percent: number) => recorded(at(10), { candidateTraffic: percent }).decision as Allowed;
    expect(planHash(decisionAt(50))).toBe(planHash(decisionAt(50)));
    expect(planHash(decisionAt(50))).not.toBe(planHash(decisionAt(0)));
  });
});

describe("what is not a run", () => {
  const trip = "green: 12 % errors (guard, 2026-11-21T12:00:00Z)";
  const before = route({ told: told({ candidateTraffic: 10 }) });
  const after = route({ told: told({ candidateTraffic: 10 }), rules: evenRules({ blue: 100, green: 0 }), trip });

  it("is recorded of a trip: whose it was, what it took, and what the guard saw", () => {
    const { trip: written } = after;
    if (!written) throw new Error("the route has no trip");
    const done = { kind: "trip", application: "taskflow", trip: written, before, route: after, verdict } as const;
    expect(tripRecordOf(done)).toEqual({
      kind: "trip",
      application: "taskflow",
      stack: undefined,
      candidate: "green",
      from: { blue: 90, green: 10 },
      to: { blue: 100, green: 0 },
      releases,
      who: "guard",
      reason: "12 % errors",
      verdict,
      queries: undefined,
    });
  });

  it("is recorded of a pause: the weights stay", () => {
    expect(asideOf(before, { kind: "pause", application: "taskflow", who: "Ada", reason: "lunch" })).toEqual({
      kind: "pause",
      application: "taskflow",
      who: "Ada",
      reason: "lunch",
      candidate: "green",
      from: { blue: 90, green: 10 },
      to: { blue: 90, green: 10 },
      releases,
    });
  });
});

describe("what the ledger has missed", () => {
  const finder = { application: "taskflow", stack: "production", who: "Ada" };
  const written = async () => readLedger(api, place);

  it("is nothing when the route stands where the newest step left it, whatever was said since", async () => {
    await write(api, [step("up", 0, 10), step("refused", 10, 50), step("pause", 10, 10, { releases: {} })]);
    expect(missingOf(await written(), route({ told: told({ candidateTraffic: 10 }) }), finder)).toBeUndefined();
    expect(missingOf(await written(), undefined, finder)).toBeUndefined();
    expect(missingOf([], readRoute({}), finder)).toBeUndefined();
  });

  it("is the step of an up that was killed between the route and the ledger", async () => {
    await write(api, [step("up", 0, 10)]);
    const options = { told: told({ candidateTraffic: 50 }), hoursAgo: 1 };
    expect(missingOf(await written(), route(options), finder)).toEqual({
      ...finder,
      kind: "found",
      candidate: "green",
      from: { blue: 90, green: 10 },
      to: { blue: 50, green: 50 },
      releases,
      reason:
        "the route was written after record 1, and whoever did could not write it down (the route was last written 2026-11-21T11:00:00.000Z)",
    });
  });

  it("is a release that nobody wrote down, though no traffic moved", async () => {
    await write(api, [step("up", 0, 10)]);
    const other = { blue: releases.blue, green: "2.1.0-cccc" };
    const found = missingOf(await written(), route({ told: told({ candidateTraffic: 10, releases: other }) }), finder);
    expect(found).toMatchObject({ kind: "found", releases: other });
  });

  it("is a trip whose guard could not write, in the guard's own words", async () => {
    await write(api, [step("up", 0, 10)]);
    const trip = "green: 12 % errors (guard, 2026-11-21T12:00:00Z)";
    const live = route({ told: told({ candidateTraffic: 10 }), rules: evenRules({ blue: 100, green: 0 }), trip });
    expect(missingOf(await written(), live, finder)).toMatchObject({
      kind: "trip",
      who: "guard",
      reason: "12 % errors",
      from: { blue: 90, green: 10 },
      to: { blue: 100, green: 0 },
    });
  });

  it("is written before a run's own record, and of a stack that had none, where it begins", async () => {
    const first = recorded(at(10), { candidateTraffic: 50 });
    await recordRun(api, place, first);
    const later = recorded(at(100), { candidateTraffic: 10 });
    await recordRun(api, place, later, refusedOf(later, "held"));
    const records = await written();
    expect(records.map(({ kind, from, to }) => [kind, from?.green, to.green])).toEqual([
      ["found", undefined, 10],
      ["up", 10, 50],
      ["found", 50, 100],
      ["refused", 100, 10],
    ]);
    expect(records[0]?.reason).toMatch(/^the ledger begins here/);
  });

  it("keeps no record from being written, though somebody broke one", async () => {
    await write(api, [step("up", 0, 10)]);
    api.data()["000001"] = "?";
    await recordRun(api, place, recorded(at(10), { candidateTraffic: 50 }));
    expect(Object.keys(api.data())).toEqual(["000001", "000002", "000003"]);
  });
});
