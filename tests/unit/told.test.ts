import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colours } from "../../applications/application.ts";
import { annotationsOf, type Told, toldOf, tripOf, weightsOf } from "../../rollout/told.ts";
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
  it.each([
    ["green: error ratio 12 %", { id: "green: error ratio 12 %", colour: "green", reason: "error ratio 12 %" }],
    ["blue:latency", { id: "blue:latency", colour: "blue", reason: "latency" }],
    ["by hand", { id: "by hand", colour: "green", reason: "by hand" }],
  ])("%j names a colour, or means the candidate", (annotation, trip) => {
    expect(tripOf({ "golive/trip": annotation }, "green")).toEqual(trip);
  });

  it("is not there without its annotation", () => {
    expect(tripOf({}, "green")).toBe(undefined);
  });
});
