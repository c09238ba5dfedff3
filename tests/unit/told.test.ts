import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colours } from "../../applications/application.ts";
import {
  annotationsOf,
  type Told,
  toldOf,
  tombstonesOf,
  tripOf,
  tripSentence,
  tripText,
  weightsOf,
} from "../../rollout/told.ts";
import { told } from "../support/live.ts";

const text = fc.string({ minLength: 1 });
const optional = fc.option(text, { nil: undefined });
const both = fc.record({ blue: optional, green: optional });
const anyTold: fc.Arbitrary<Told> = fc.record({
  candidate: fc.constantFrom(...colours),
  candidateTraffic: fc.integer({ min: 0, max: 100 }),
  ladder: fc.string(),
  paths: fc.array(fc.webPath().map((path) => `/${path}`)),
  releases: both,
  proven: both,
  retired: fc.subarray([...colours]),
  inPlace: optional,
  override: optional,
  corrected: optional,
  acknowledged: optional,
  outdated: fc.array(fc.stringMatching(/^[-A-Za-z0-9_.]+$/)),
});

describe("what a route is told", () => {
  it("is read back from its annotations as it was written, whatever it was", () => {
    fc.assert(
      fc.property(anyTold, (said) => {
        expect(toldOf(annotationsOf(said))).toEqual(said);
      }),
    );
  });

  it("stands in annotations that a person can read", () => {
    expect(
      annotationsOf(
        told({
          candidateTraffic: 50,
          retired: ["blue"],
          inPlace: "blue 1 CVE",
          override: "50 nobody is awake",
          corrected: "generation 3: x",
          acknowledged: "green: y",
          outdated: ["0.9.0-zzzz", "1.0.0-aaaa"],
        }),
      ),
    ).toEqual({
      "golive/candidate": "green",
      "golive/candidate-traffic": "50",
      "golive/ladder": "10/15,50/15,100/30",
      "golive/paths": "/api /",
      "golive/release-blue": "1.0.0-aaaa",
      "golive/release-green": "2.0.0-bbbb",
      "golive/proven-blue": "1.0.0-aaaa",
      "golive/retired": "blue",
      "golive/in-place": "blue 1 CVE",
      "golive/override": "50 nobody is awake",
      "golive/corrected": "generation 3: x",
      "golive/acknowledged": "green: y",
      "golive/outdated": "0.9.0-zzzz 1.0.0-aaaa",
    });
  });

  it.each([
    ["has no candidate", { "golive/candidate": undefined }],
    ["has a candidate that is no colour", { "golive/candidate": "red" }],
    ["has no ladder", { "golive/ladder": undefined }],
    ["has no percentage", { "golive/candidate-traffic": undefined }],
    ["has a percentage over 100", { "golive/candidate-traffic": "101" }],
    ["has a percentage that is no integer", { "golive/candidate-traffic": "1e-1" }],
    ["has a negative percentage", { "golive/candidate-traffic": "-1" }],
  ])("is nothing when a route %s: such a route is not ours", (_, change) => {
    const annotations = Object.entries({ ...annotationsOf(told()), ...change }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    );
    expect(toldOf(Object.fromEntries(annotations))).toBe(undefined);
  });
});

describe("the weights of a candidate traffic", () => {
  it("are both given, and sum to 100", () => {
    fc.assert(
      fc.property(fc.constantFrom(...colours), fc.integer({ min: 0, max: 100 }), (candidate, percent) => {
        const weights = weightsOf(candidate, percent);
        expect(weights[candidate]).toBe(percent);
        expect(weights.blue + weights.green).toBe(100);
      }),
    );
  });
});

describe("a trip", () => {
  const nobody = { by: undefined, at: undefined };
  const at = new Date("2026-11-21T12:00:00Z");
  it.each([
    ["green: error ratio 12 %", { colour: "green", reason: "error ratio 12 %", ...nobody }],
    ["blue:latency", { colour: "blue", reason: "latency", ...nobody }],
    ["by hand", { colour: "green", reason: "by hand", ...nobody }],
    ["green: slow (12 s)", { colour: "green", reason: "slow (12 s)", ...nobody }],
    ["green: slow (12 s) (guard, 2026-11-21T12:00:00Z)", { colour: "green", reason: "slow (12 s)", by: "guard", at }],
    ["blue: x (Ada, on call, 2026-11-21T12:00:00.000Z)", { colour: "blue", reason: "x", by: "Ada, on call", at }],
  ])("%j names a colour, or means the candidate; who and when, where it says", (annotation, trip) => {
    expect(tripOf({ "golive/trip": annotation }, "green")).toEqual({ id: annotation, ...trip });
  });

  it("is not there without its annotation", () => {
    expect(tripOf({}, "green")).toBe(undefined);
  });

  it("is read back as it was written, whatever its reason is", () => {
    const line = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/).filter((each) => !/\s\s/.test(each));
    const second = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000));
    const name = line.map((each) => each.replace(/[()]/g, "x"));
    fc.assert(
      fc.property(fc.constantFrom(...colours), line, name, second, (colour, reason, by, time) => {
        const text = tripText({ colour, reason, by, at: time });
        expect(tripOf({ "golive/trip": text }, "green")).toEqual({ id: text, colour, reason, by, at: time });
      }),
    );
  });

  it("is told with who and when, where they are known", () => {
    const told = (text: string) => tripSentence(tripOf({ "golive/trip": text }, "green") ?? unread);
    const unread = { id: "", colour: "blue", reason: "", ...nobody } as const;
    expect(told("green: slow (guard, 2026-11-21T12:00:00Z)")).toBe(
      "green was tripped by guard at 2026-11-21T12:00:00Z (slow)",
    );
    expect(told("green: slow")).toBe("green was tripped (slow)");
  });
});

describe("tombstones", () => {
  it("are read from one annotation, each once", () => {
    expect(tombstonesOf({ "golive/tombstones": " 1.0.0-aaaa  2.0.0-bbbb 1.0.0-aaaa" })).toEqual([
      "1.0.0-aaaa",
      "2.0.0-bbbb",
    ]);
    expect(tombstonesOf({})).toEqual([]);
  });
});
