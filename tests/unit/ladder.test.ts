import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import { Ladder, type Rung } from "../../rollout/ladder.ts";
import { rag } from "../support/rag.ts";

const made = (rungs: readonly Rung[]): Ladder => {
  const ladder = Ladder.of(rungs);
  if (!(ladder instanceof Ladder)) throw new Error(ladder.join("; "));
  return ladder;
};

/** Any ladder that is allowed: rising integers that end at 100. */
const ladders = fc
  .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 8 }), fc.nat({ max: 600 }))
  .map(([percents, soakMinutes]) =>
    made([...percents.sort((a, b) => a - b), 100].map((percent) => ({ percent, soakMinutes }))),
  );

describe("the ladders of the source documents", () => {
  it.each([
    ["final", taskflow.ladders.final, "10/15,50/15,100/30", [0, 10, 50, 100]],
    ["sprint", taskflow.ladders.sprint, "10/60,25/120,100/240", [0, 10, 25, 100]],
    ["rag", rag.ladders.rag, "10/30,25/30,50/30,75/30,100/30", [0, 10, 25, 50, 75, 100]],
  ])("%s can be climbed as written", (_, rungs = [], text, percents) => {
    const ladder = made(rungs);
    expect({ text: ladder.toString(), percents: ladder.percents }).toEqual({ text, percents });
  });
});

describe("a ladder", () => {
  it("names the next rung from anywhere, also from a percentage that is none", () => {
    const ladder = made(taskflow.ladders.final ?? []);
    expect([0, 5, 10, 33.3, 50, 99, 100].map((percent) => ladder.after(percent))).toEqual([
      10,
      10,
      50,
      50,
      100,
      100,
      undefined,
    ]);
  });

  it("allows 0 and its rungs, nothing else", () => {
    fc.assert(
      fc.property(ladders, fc.integer({ min: -5, max: 105 }), (ladder, percent) => {
        expect(ladder.allows(percent)).toBe(percent === 0 || ladder.rungs.some((rung) => rung.percent === percent));
      }),
    );
  });

  it("is read again from the text that it stands in on a route, and from no other", () => {
    fc.assert(
      fc.property(ladders, (ladder) => {
        expect(Ladder.parse(ladder.toString())).toEqual(ladder);
      }),
    );
    expect(Ladder.parse("10/0.5,100/30")).toEqual(
      made([
        { percent: 10, soakMinutes: 0.5 },
        { percent: 100, soakMinutes: 30 },
      ]),
    );
    expect(Ladder.parse("10/15;100/30")).toEqual([
      'got "10/15;100/30"; a ladder is percents and minutes, such as 10/15,100/30',
    ]);
    expect(Ladder.parse("")).toEqual(['got ""; a ladder is percents and minutes, such as 10/15,100/30']);
    expect(Ladder.parse("50/15,10/15")).toEqual([
      "rung 10 after 50; rungs rise strictly",
      "last rung 10; a ladder ends at 100",
    ]);
  });

  it("is climbed from 0 to 100 by its next rungs, each once", () => {
    fc.assert(
      fc.property(ladders, (ladder) => {
        const seen = [0];
        for (let next = ladder.after(0); next !== undefined; next = ladder.after(next)) seen.push(next);
        expect(seen).toEqual(ladder.percents);
      }),
    );
  });

  it("has the same text only when it is the same ladder", () => {
    fc.assert(
      fc.property(ladders, ladders, (a, b) => {
        expect(a.toString() === b.toString()).toBe(JSON.stringify(a.rungs) === JSON.stringify(b.rungs));
      }),
    );
  });

  it("cannot be changed by whoever made it", () => {
    const rungs = [{ percent: 100, soakMinutes: 0 }];
    const ladder = made(rungs);
    rungs.unshift({ percent: 50, soakMinutes: 0 });
    expect(ladder.percents).toEqual([0, 100]);
    expect(Object.isFrozen(ladder.rungs)).toBe(true);
  });
});

describe("a list of rungs that is no ladder is refused, and says why:", () => {
  const soakMinutes = 15;
  it.each([
    ["it is empty", [], ["no rungs; a ladder needs at least one, the last at 100"]],
    ["it does not end at 100", [{ percent: 50, soakMinutes }], ["last rung 50; a ladder ends at 100"]],
    [
      "it does not rise",
      [
        { percent: 50, soakMinutes },
        { percent: 50, soakMinutes },
        { percent: 10, soakMinutes },
        { percent: 100, soakMinutes },
      ],
      ["rung 50 after 50; rungs rise strictly", "rung 10 after 50; rungs rise strictly"],
    ],
    [
      "a rung is no integer from 1 to 100",
      [
        { percent: 0, soakMinutes },
        { percent: 0.5, soakMinutes },
        { percent: 100, soakMinutes },
        { percent: 101, soakMinutes },
      ],
      [
        "rung 0; a rung is an integer from 1 to 100",
        "rung 0.5; a rung is an integer from 1 to 100",
        "rung 101; a rung is an integer from 1 to 100",
        "last rung 101; a ladder ends at 100",
      ],
    ],
    [
      "a soak is no time",
      [
        { percent: 10, soakMinutes: -1 },
        { percent: 100, soakMinutes: Number.POSITIVE_INFINITY },
      ],
      ["soakMinutes -1 on rung 10; minutes are 0 or more", "soakMinutes Infinity on rung 100; minutes are 0 or more"],
    ],
  ])("%s", (_, rungs, problems) => {
    expect(Ladder.of(rungs)).toEqual(problems);
  });
});
