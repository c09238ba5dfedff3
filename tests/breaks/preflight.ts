import type { Break } from "./break.ts";

const preflight = "tests/unit/preflight.test.ts";
const smoke = "tests/unit/smoke.test.ts";

/** What stands between a bad release and its first user. */
export const breaks: readonly Break[] = [
  {
    promise: "A release that lacks something does not pass the preflight.",
    file: "rollout/preflight/preflight.ts",
    find: 'items.every(({ state }) => state !== "missing")',
    replace: "items.length > 0",
    test: preflight,
    name: "passes when all that can be measured is well",
  },
  {
    promise: "A signature counts for the releases that it names only.",
    file: "rollout/preflight/preflight.ts",
    find: "releases[colour] === subject.desired.releases[colour]",
    replace: "colour in subject.desired.releases || releases[colour] === undefined",
    test: preflight,
    name: "takes no signature that was given for",
  },
  {
    promise: "Nobody signs away what was measured.",
    file: "rollout/preflight/preflight.ts",
    find: 'if (found.state !== "unmeasured") {',
    replace: 'if (found.state !== "unmeasured" && !signatures.some((each) => each.item === id)) {',
    test: preflight,
    name: "does not let anybody sign away",
  },
  {
    promise: "What could not be measured is missing.",
    file: "rollout/preflight/checks.ts",
    find: "find(reading.value) : unmeasured(",
    replace: "find(reading.value) : notApplicable(",
    test: preflight,
    name: "says of each item that could not be measured why",
  },
  {
    promise: "An old backup is none.",
    file: "rollout/preflight/checks.ts",
    find: "age <= oldest ? ok(text)",
    replace: "age >= 0 ? ok(text)",
    test: preflight,
    name: "backup too old",
  },
  {
    promise: "Tests of another commit say nothing of this one.",
    file: "rollout/preflight/checks.ts",
    find: "run.commit !== now ||",
    replace: "",
    test: preflight,
    name: "tests of another commit",
  },
  {
    promise: "A tripped release does not start again before somebody cleared it.",
    file: "rollout/preflight/checks.ts",
    find: "route.tombstones.includes(release)",
    replace: "route.tombstones.length > 99",
    test: preflight,
    name: "no-trip with a tombstone",
  },
  {
    promise: "A smoke test fails by what it was answered, not only by the status.",
    file: "rollout/preflight/smoke.ts",
    find: "if (found !== wanted)",
    replace: "if (found === undefined)",
    test: smoke,
    name: "fails by its answer: another value",
  },
  {
    promise: "An application without smoke tests passes no release.",
    file: "rollout/preflight/smoke.ts",
    find: "tests.length > 0 && tests.every(",
    replace: "tests.every(",
    test: smoke,
    name: "passes no release of an application that has none",
  },
  {
    promise: "A candidate that hangs does not hold up whoever tests it.",
    file: "rollout/preflight/smoke.ts",
    find: "Math.min(eachMs, left)",
    replace: "allMs * 1000",
    test: smoke,
    name: "does not wait for a server that hangs",
  },
  {
    promise: "A report of smoke tests holds no token.",
    file: "rollout/preflight/smoke.ts",
    find: "got: masked(ended.got, values)",
    replace: "got: ended.got",
    test: smoke,
    name: "keeps passwords and tokens to itself",
  },
];
