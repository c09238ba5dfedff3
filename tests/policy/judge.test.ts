import { describe, expect, it } from "vitest";
import { judgeAll } from "../../policies/judge.ts";
import type { Finding, ResourceRule, RuleText, StackRule, Subject } from "../../policies/rule.ts";
import { subjectOf, subjectOfManifest } from "../../policies/subject.ts";
import { inTurn } from "../../policies/unknown.ts";
import { messageOf } from "../../policies/verdict.ts";

/** As the engine writes a text that it does not know yet. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const production = { environment: "production" } as const;

const text: RuleText = {
  id: "no-red",
  summary: "Nothing is red.",
  why: "Red hurts.",
  severity: "low",
  sources: [],
  levels: { local: "mandatory", staging: "mandatory", production: "mandatory" },
  example: { bad: "", good: "" },
};

const finding = (path: string): Finding => ({ path, found: "red", wanted: "green", fix: "paint it" });

/** Objects to every red field, in order. */
const noRed: ResourceRule = {
  ...text,
  *judge({ object }) {
    for (const key of Object.keys(object)) if (object[key] === "red") yield finding(key);
  },
};

const paint = (name: string, colours: Readonly<Record<string, unknown>>): Subject =>
  subjectOf({ urn: `urn:${name}`, type: "test:paint:Pot", name, props: colours, opts: { protect: false } });

const told = (subjects: readonly Subject[], rule: ResourceRule | StackRule) =>
  judgeAll(subjects, [rule], production).map((judgement) => [
    judgement.subject.name,
    judgement.verdict,
    messageOf(judgement),
  ]);

describe("a verdict", () => {
  it("is silent on what passes", () => {
    expect(told([paint("a", { lid: "green" })], noRed)).toEqual([]);
  });

  it("names what it found, where, what it wants and what to do", () => {
    expect(told([paint("a", { lid: "red" })], noRed)).toEqual([
      ["a", "violation", "lid: found red; wanted green. Fix: paint it"],
    ]);
  });

  it("is undecidable on an unknown value, never a pass", () => {
    expect(told([paint("a", { lid: unknown })], noRed)).toEqual([
      ["a", "undecidable", "undecidable: lid is not known before the update"],
    ]);
  });

  it("keeps a violation that was found before an unknown value", () => {
    expect(told([paint("a", { lid: "red", rim: unknown })], noRed).map(([, verdict]) => verdict)).toEqual([
      "violation",
      "undecidable",
    ]);
  });

  it("leaves other resources decidable", () => {
    const verdicts = told([paint("a", { lid: unknown }), paint("b", { lid: "red" })], noRed);
    expect(verdicts.map(([name, verdict]) => [name, verdict])).toEqual([
      ["a", "undecidable"],
      ["b", "violation"],
    ]);
  });

  it("does not hide an error of the rule itself", () => {
    const broken: ResourceRule = {
      ...text,
      judge() {
        throw new TypeError("a fault of ours");
      },
    };
    expect(() => judgeAll([paint("a", {})], [broken], production)).toThrow("a fault of ours");
  });

  it("of a whole stack belongs to the resource that was not known, and keeps what was found before", () => {
    const stackRule: StackRule = {
      ...text,
      *judgeStack(subjects) {
        for (const subject of subjects) if (subject.object.lid === "red") yield { subject, finding: finding("lid") };
      },
    };
    const verdicts = told([paint("a", { lid: "red" }), paint("b", { lid: unknown })], stackRule);
    expect(verdicts.map(([name, verdict]) => [name, verdict])).toEqual([
      ["a", "violation"],
      ["b", "undecidable"],
    ]);
  });
});

describe("what is wrong with the second of two containers", () => {
  it("is found although the first is not known yet", () => {
    const lids: ResourceRule = {
      ...text,
      *judge({ object }) {
        yield* inTurn(Object.keys(object), function* (key) {
          if (object[key] === "red") yield finding(key);
        });
      },
    };
    expect(told([paint("a", { first: unknown, second: "red" })], lids).map(([, verdict]) => verdict)).toEqual([
      "violation",
      "undecidable",
    ]);
  });

  it("does not swallow a fault of the rule", () => {
    const walk = () => [
      ...inTurn(["a"], () => {
        throw new TypeError("a fault of ours");
      }),
    ];
    expect(walk).toThrow("a fault of ours");
  });
});

describe("reading what a program declares", () => {
  it("tells that an unknown field is there, and its path when it is read, in lists too", () => {
    const { object } = paint("a", { spec: { lids: [{ colour: "green" }, { colour: unknown }] } });
    const lids = (object.spec as { lids: { colour: string }[] }).lids;
    expect(Object.keys(lids[1] ?? {})).toEqual(["colour"]);
    expect(lids[0]?.colour).toBe("green");
    expect(() => lids[1]?.colour).toThrow("spec.lids[1].colour is not known before the update");
  });

  it("gives a manifest the type and the name that the program would give it", () => {
    const { type, name } = subjectOfManifest({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "keys", namespace: "production" },
    });
    expect([type, name]).toEqual(["kubernetes:core/v1:Secret", "production/keys"]);
  });
});
