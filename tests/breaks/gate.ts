import type { Break } from "./break.ts";

const gate = "tests/unit/gate.test.ts";
const properties = "tests/unit/gate-properties.test.ts";
const sequential = "tests/unit/sequential.test.ts";
const simulation = "tests/unit/gate-simulation.test.ts";
const thresholds = "tests/unit/thresholds.test.ts";

/** The gate: no bad release goes on, no good one is blamed, and what nobody knows holds. */
export const breaks: readonly Break[] = [
  {
    promise: "Only finite numbers pass: NaN is neither above a limit nor below it.",
    file: "rollout/gate/service.ts",
    find: "Number.isFinite(value) && value >= 0",
    replace: "!(value < 0)",
    test: gate,
    name: "NaN errors",
  },
  {
    promise: "A counter that went back is no measurement.",
    file: "rollout/gate/service.ts",
    find: "Number.isFinite(value) && value >= 0",
    replace: "Number.isFinite(value)",
    test: gate,
    name: "a counter reset",
  },
  {
    promise: "What Prometheus measured two minutes ago lets nobody step up now.",
    file: "rollout/gate/gate.ts",
    find: "if (age > lateSeconds)",
    replace: "if (age > 10 * lateSeconds)",
    test: gate,
    name: "late",
  },
  {
    promise: "Too few requests hold, and never pass.",
    file: "rollout/gate/look.ts",
    find: "requests >= sample;",
    replace: "requests >= sample / 10;",
    test: properties,
    name: "never passes below the sample",
  },
  {
    promise: "A candidate without a pod goes back although nothing can be measured.",
    file: "rollout/gate/gate.ts",
    find: "if (pods) return",
    replace: "if (pods && measured) return",
    test: gate,
    name: "goes back although nothing can be measured",
  },
  {
    promise: "A shared database that is down blames no release.",
    file: "rollout/gate/errors.ts",
    find: 'if (ratioOf(candidate) < timesStable * usual) return "both";',
    replace: "",
    test: gate,
    name: "holds at somewhat fewer failures of stable",
  },
  {
    promise: "One burst of failures takes no release back.",
    file: "rollout/gate/errors.ts",
    find: "doubt.burst.inWindow",
    replace: "1",
    test: gate,
    name: "holds at one burst of failures",
  },
  {
    promise: "Nothing is taken from the candidate that stable cannot serve.",
    file: "rollout/gate/gate.ts",
    find: 'finding.outcome === "rollback" && !stable',
    replace: 'finding.outcome === "hold" && !stable',
    test: properties,
    name: "takes nothing from the candidate that stable cannot serve",
  },
  {
    promise: "A trigger of ten minutes is not pulled after nine (S3-70).",
    file: "rollout/gate/look.ts",
    find: "isWhole: seconds >= longest,",
    replace: "isWhole: true,",
    test: gate,
    name: "of more than 5 % for less than that holds",
  },
  {
    promise: "One bad service outranks the good ones.",
    file: "rollout/gate/gate.ts",
    find: "rank[b.outcome] - rank[a.outcome]",
    replace: "rank[a.outcome] - rank[b.outcome]",
    test: gate,
    name: "judges every service",
  },
  {
    promise: "What failed lately counts, in however long a window.",
    file: "rollout/gate/service.ts",
    find: "const recent = [window, immediate];",
    replace: "const recent = [window];",
    test: properties,
    name: "never passes beyond a limit of the canary",
  },
  {
    promise: "The fast test ends no release for one incident of a second.",
    file: "rollout/gate/sequential.ts",
    find: "aSecond: 0.4, aTick: 0.8",
    replace: "aSecond: 1, aTick: 1",
    test: sequential,
    name: "for a second in which all of it fails",
  },
  {
    promise: "The fast test ends no release for what stable suffers as well.",
    file: "rollout/gate/sequential.ts",
    find: "this.#absolute >= limit && this.#relative >= limit",
    replace: "this.#absolute >= limit",
    test: sequential,
    name: "for what stable suffers as well",
  },
  {
    promise: "A release of which 30 % fails is found in less than 5 seconds.",
    file: "rollout/gate/thresholds.ts",
    find: "bySecond: 8",
    replace: "bySecond: 40",
    test: simulation,
    name: "of which 30 % fails is found by the fast test",
  },
  {
    promise: "On a clock that hurries, every wait of the gate is as much shorter.",
    file: "rollout/gate/thresholds.ts",
    find: "seconds: clock.seconds(minutes(immediate.minutes))",
    replace: "seconds: minutes(immediate.minutes)",
    test: thresholds,
    name: "hurries with the stack's clock",
  },
  {
    promise: "golive bench gate fails when an aim is missed.",
    file: "cli/bench/gate-report.ts",
    find: "in100Days(each) >= each.aim",
    replace: "in100Days(each) > each.aim",
    test: simulation,
    name: "says which aims are missed",
  },
];
