import { describe, expect, it } from "vitest";
import { type Status, span, statusFrom, statusJson, statusText } from "../../cli/rollout/status.ts";
import { watchStep } from "../../cli/rollout/watch.ts";
import type { Assessment } from "../../rollout/gate/assess.ts";
import type { Counts, Measured } from "../../rollout/gate/measured.ts";
import type { LedgerRecord } from "../../rollout/ledger/record.ts";
import { type LiveOptions, told } from "../support/live.ts";
import { lookOf } from "../support/rollout-look.ts";
import { fails, holds, passes } from "../support/walk.ts";

const counts = (requests: number, errors: number, p95Seconds: number): Counts => ({ requests, errors, p95Seconds });
const pair = { candidate: counts(120, 3, 0.045), stable: counts(1080, 0, 0.0441) };
const measured: Measured = {
  at: 0,
  since: 0,
  newest: 0,
  services: {
    backend: { window: pair, immediate: pair, planned: pair, baselineP95Seconds: Number.NaN },
    frontend: {
      window: { candidate: counts(Number.NaN, Number.NaN, Number.NaN), stable: counts(0, 0, Number.NaN) },
      immediate: pair,
      planned: pair,
      baselineP95Seconds: Number.NaN,
    },
  },
  queries: [],
};
const record: LedgerRecord = {
  number: 4,
  at: "2026-11-21T11:58:00.000Z",
  kind: "up",
  application: "taskflow",
  candidate: "green",
  from: { blue: 100, green: 0 },
  to: { blue: 90, green: 10 },
  releases: { blue: "1.0.0-aaaa", green: "2.0.0-bbbb" },
  who: "ada",
  reason: "up: candidate green 0 -> 10 %",
  before: "",
  hash: "f".repeat(64),
};
const atTen: LiveOptions = { told: told({ candidateTraffic: 10 }) };
const stack = { name: "local", place: { namespace: "local", application: "taskflow" } };
const status = (
  live: LiveOptions = atTen,
  assessed: Partial<Assessment> = {},
  seen: Partial<{ records: readonly LedgerRecord[]; driver: Status["driver"] }> = {},
) => statusFrom(stack, lookOf(live, {}, assessed), { records: [], unreadable: undefined, driver: undefined, ...seen });

describe("the status of a rollout", () => {
  it("shows rung, soak, shares, both colours' numbers, the verdict, the ledger and what would be next", () => {
    const found = status(
      atTen,
      {
        measured,
        unmeasured: undefined,
        verdict: holds,
        soakSeconds: 900,
        soakLeftSeconds: 200,
        share: { asked: 10, measured: 9.84 },
      },
      { records: [record], driver: { who: "ada on laptop", heardSecondsAgo: 3, deadInSeconds: 27 } },
    );
    expect(statusText(found)).toBe(
      [
        "taskflow on stack local, 2026-11-21T12:00:00.000Z",
        "",
        "candidate  green 2.0.0-bbbb; stable: blue 1.0.0-aaaa",
        "ladder     0 > [10] > 50 > 100",
        "share      asked 10 %, live 10 %, measured 9.8 %",
        "soak       3 min 20 s left of 15 min",
        "gate       hold: 3 requests of 500 (ask again in 40 s)",
        "driver     ada on laptop drives this stack (heard of 3 s ago; if it is dead, it counts as such in 27 s)",
        "next       wait for the soak",
        "",
        "since step  colour  requests  errors    p95",
        "backend     green        120  2.50 %  45 ms",
        "            blue        1080  0.00 %  44 ms",
        "frontend    green          -       -      -",
        "            blue           0       -      -",
        "",
        "ledger  time                  kind  live  who  reason",
        "4       2026-11-21T11:58:00Z  up    10 %  ada  up: candidate green 0 -> 10 %",
      ].join("\n"),
    );
  });

  it("names what nobody measured, as a text and in JSON, and never as a good number", () => {
    const found = status();
    expect(statusText(found)).toContain("measured   nothing: no Prometheus is known (golive:gate.prometheus)");
    expect(statusText(found)).toContain("measured unknown");
    expect(JSON.parse(statusJson(found)).share).toEqual({ asked: 10, measured: "NaN" });
  });

  it.each<[string, LiveOptions, RegExp]>([
    [
      "a hand edit",
      { ...atTen, rules: [{ path: "/api", backends: [{ name: "x-blue", weight: 1 }] }] },
      /^edited\s+by hand: rule \/api/m,
    ],
    [
      "a trip",
      { ...atTen, trip: "green: 30 % failed (guard, 2026-11-21T11:00:00Z)" },
      /^trip\s+green was tripped by guard/m,
    ],
    [
      "a live weight that is no rung",
      {
        ...atTen,
        rules: [
          {
            path: "/",
            backends: [
              { name: "x-blue", weight: 3 },
              { name: "x-green", weight: 1 },
            ],
          },
        ],
      },
      /live: 25, which is no rung/,
    ],
    ["that there is no route yet", { noRoute: true }, /there is no route yet/],
  ])("tells of %s", (_, live, text) => {
    expect(statusText(status(live))).toMatch(text);
  });

  it("tells what the ledger misses: an up that was killed between the route and the ledger", () => {
    const atFifty: LiveOptions = { told: told({ candidateTraffic: 50 }) };
    expect(statusText(status(atFifty, {}, { records: [record] }))).toMatch(
      /^unrecorded the route was written after record 4, and whoever did could not write it down .*: the next pulumi up writes it down$/m,
    );
    expect(status(atTen, {}, { records: [record] }).unrecorded).toBeUndefined();
  });

  it("is told without a ledger, too: it says that it cannot be read, and blames nobody for a missing record", () => {
    const unreadable = "a ledger that cannot be read: 403 configmaps is forbidden";
    const found = statusFrom(stack, lookOf(atTen, {}), { records: [], unreadable, driver: undefined });
    expect(statusText(found)).toContain(`paused     by ${unreadable}`);
    expect(found.unrecorded).toBeUndefined();
    expect(found.next).toMatchObject({ kind: "wait", for: "resume" });
  });

  it("tells who paused, and a file that asks for what is not live", () => {
    const paused: LedgerRecord = { ...record, kind: "pause", reason: "lunch" };
    const found = statusFrom(stack, lookOf(atTen, { candidateTraffic: 50 }), {
      ...{ records: [paused], unreadable: undefined, driver: undefined },
    });
    expect(statusText(found)).toContain("paused     by ada (lunch)");
    expect(statusText(found)).toContain("file       asks for 50 %, which is not live");
    expect(found.next).toMatchObject({ kind: "wait", for: "resume" });
  });

  it.each([
    [42, "42 s"],
    [60, "1 min"],
    [200, "3 min 20 s"],
    [3600, "1 h"],
    [7500, "2 h 5 min"],
    [-3, "0 s"],
  ])("says %i seconds as %s", (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });
});

describe("a watch", () => {
  const full: LiveOptions = { told: told({ candidateTraffic: 100 }) };

  it("draws often on the way up, and by its cadence after 100 %", () => {
    expect(watchStep({ status: status(), sinceFullSeconds: undefined }, 1)).toMatchObject({
      kind: "look",
      check: false,
    });
    expect(watchStep({ status: status(full), sinceFullSeconds: 2 * 3600 }, 1)).toEqual({
      kind: "look",
      inSeconds: 1800,
      check: true,
    });
  });

  it("lives as fast as its stack", () => {
    expect(watchStep({ status: status(full), sinceFullSeconds: 480 }, 15)).toMatchObject({ inSeconds: 120 });
  });

  it("ends well after a day, and at once when the release fails or was tripped", () => {
    expect(watchStep({ status: status(full), sinceFullSeconds: 24 * 3600 }, 1)).toEqual({
      kind: "over",
      reason: "24 h at 100 % without a rollback",
    });
    expect(watchStep({ status: status(full, { verdict: fails }), sinceFullSeconds: 60 }, 1)).toEqual({
      kind: "failing",
      reason: "30 % of 900 failed",
    });
    const tripped = status({ ...full, trip: "green: x" }, { verdict: passes });
    expect(watchStep({ status: tripped, sinceFullSeconds: 60 }, 1)).toMatchObject({ kind: "failing" });
  });
});
