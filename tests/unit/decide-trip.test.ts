import { describe, expect, it } from "vitest";
import { at, blue, green, refused, run } from "../support/decision.ts";
import { evenRules, told } from "../support/live.ts";

describe("a trip (rule 7)", () => {
  const trip = "green: error ratio 12 %";
  const tripped = { ...at(50), trip, rules: evenRules({ blue: 100, green: 0 }) };

  it.each([10, 50])("lets no run give the colour %i %", (candidateTraffic) => {
    expect(run(tripped, { candidateTraffic })).toEqual(
      refused(
        `green was tripped (error ratio 12 %) and would get ${candidateTraffic} %`,
        "acknowledge it first: candidate green, candidateTraffic 0",
      ),
    );
  });

  it("is acknowledged by a run at 0", () => {
    const edits =
      "rule /api has blue 100, green 0 (told: blue 50, green 50); rule / has blue 100, green 0 (told: blue 50, green 50)";
    expect(run(tripped, { candidateTraffic: 0 })).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 100, green: 0 },
      told: told({ acknowledged: trip, corrected: `generation 1: ${edits}` }),
      mustBeReady: undefined,
      notes: ["acknowledges the trip of green: error ratio 12 %"],
    });
  });

  it("hides no hand edit that came after it", () => {
    const edited = { ...tripped, rules: evenRules({ blue: 70, green: 30 }) };
    expect(run(edited, { candidateTraffic: 0 })).toMatchObject({
      notes: [expect.stringContaining("overwrites a hand edit: rule /api has blue 70, green 30"), expect.anything()],
    });
  });

  it("that was acknowledged lets the colour climb again; another one does not", () => {
    const acknowledged = at(0, { acknowledged: trip });
    expect(run({ ...acknowledged, trip }, { candidateTraffic: 10 })).toMatchObject({ allowed: true, move: "up" });
    expect(run({ ...acknowledged, trip: `${trip} again` }, { candidateTraffic: 10 })).toMatchObject({ allowed: false });
  });

  it("of the colour with all traffic after the switch says how it is acknowledged", () => {
    const live = { ...at(0, { candidate: "blue", proven: { blue, green } }), trip };
    expect(run(live, { candidate: "blue", candidateTraffic: 0 })).toEqual(
      refused(
        "green was tripped (error ratio 12 %) and would get 100 %",
        "acknowledge it first: candidate blue, candidateTraffic 100",
      ),
    );
    expect(run(live, { candidate: "blue", candidateTraffic: 100 })).toMatchObject({
      allowed: true,
      move: "return",
      notes: ["acknowledges the trip of green: error ratio 12 %"],
    });
  });

  it("of stable is acknowledged, too, where the candidate has everything already", () => {
    const live = {
      ...at(10),
      rules: evenRules({ blue: 0, green: 100 }),
      trip: "blue: slow (Ada, 2026-11-21T11:00:00Z)",
    };
    expect(run(live, { candidateTraffic: 10 })).toEqual(
      refused(
        "blue was tripped by Ada at 2026-11-21T11:00:00Z (slow) and would get 90 %",
        "acknowledge it first: candidate green, candidateTraffic 100",
      ),
    );
    expect(run(live, { candidateTraffic: 100 })).toMatchObject({ allowed: true, move: "stay" });
  });

  it("of stable says what is left when the candidate was never proven", () => {
    expect(run({ ...at(10), trip: "blue: error ratio 12 %" }, { candidateTraffic: 10 })).toEqual(
      refused(
        "blue was tripped (error ratio 12 %) and would get 90 %",
        "green was never proven at 100, so no run sends it everything: set the weights by hand, or remove the annotation golive/trip",
      ),
    );
  });
});
