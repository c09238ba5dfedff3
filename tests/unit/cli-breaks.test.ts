import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { broken, choose, levelOf, problemOf } from "../../cli/breaks/break.ts";
import { type NamedReport, namePattern, outcomeOf, verdictOf } from "../../cli/breaks/verdict.ts";
import { breaksText, judgeBreaks, needsOf } from "../../cli/breaks.ts";
import type { Progress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { places } from "../../local/places.ts";
import type { Break } from "../breaks/break.ts";
import { allBreaks } from "../breaks/breaks.ts";

const committed = await allBreaks();
const one: Break = {
  promise: "numbers stand below each other",
  file: "cli/table.ts",
  find: "cell.padStart(",
  replace: "cell.padEnd(",
  test: "tests/unit/cli-demo-report.test.ts",
  name: "a demo's report",
};

describe("the committed breaks", () => {
  it("can all be applied: each text stands exactly once in its file, and each test is there", async () => {
    const problems = await Promise.all(committed.map((each) => problemOf(each, places.root)));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  it("guard a promise each, none of them twice", () => {
    const promises = committed.map(({ promise, file, find }) => `${promise} (${file}: ${find})`);
    expect(promises).toEqual([...new Set(promises)]);
  });
});

describe("a break", () => {
  it("changes one place, and takes its text as it is", () => {
    expect(broken("a (b) c", { ...one, find: "(b)", replace: "$&$1" })).toBe("a $&$1 c");
  });

  it.each([
    ["stands nowhere", "nothing of the kind", 0],
    ["stands twice", "b", 2],
  ])("is refused when its text %s", (_, find, times) => {
    const message = `${one.file}: ${JSON.stringify(find)} stands there ${times} times, not once`;
    expect(() => broken("a b c b", { ...one, find })).toThrow(new RangeError(message));
  });

  it("is chosen by a word of its promise, file or test, or by the number of its check", () => {
    const other = { ...one, promise: "a second run does nothing", file: "programs/x.ts", check: 1 };
    expect(choose([one, other], undefined)).toEqual([one, other]);
    expect(choose([one, other], "Below Each")).toEqual([one]);
    expect(choose([one, other], "programs/")).toEqual([other]);
    expect(choose([one, other], "1")).toEqual([other]);
    expect(choose([one, other], "kubernetes")).toEqual([]);
  });

  it("needs the cluster when a live test guards it, and the stack's namespace when that test makes a stack", async () => {
    expect(levelOf("tests/live/database-seed.test.ts")).toBe("live");
    expect(levelOf("tests/support/postgres.ts")).toBeUndefined();
    const needs = (test: string) => needsOf([one, { ...one, test }]);
    expect(await needs(one.test)).toEqual({ cluster: false, stack: false });
    expect(await needs("tests/live/database-seed.test.ts")).toEqual({ cluster: true, stack: false });
    expect(await needs("tests/live/steps.test.ts")).toEqual({ cluster: true, stack: true });
  });
});

describe("a break that cannot be applied", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "golive-break-"));
    for (const directory of ["cli", "tests/unit"]) await mkdir(join(root, directory), { recursive: true });
    await writeFile(join(root, one.file), "cell.padStart(");
    await writeFile(join(root, one.test), 'describe.each(["demo"])("a %s", () => it("reports \\"all\\" of it", …));');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each<[string, Partial<Break>, string | undefined]>([
    ["no file", { file: "cli/gone.ts" }, "cli/gone.ts: there is no such file"],
    ["no test file", { test: "tests/unit/gone.test.ts" }, "tests/unit/gone.test.ts: there is no such test file"],
    [
      "a file that is no test",
      { test: "cli/table.ts" },
      "cli/table.ts: not below tests/unit, tests/component, tests/policy or tests/live",
    ],
    ["no such test", { name: "a dream" }, 'tests/unit/cli-demo-report.test.ts: no test in it is named "a dream"'],
    ["no change", { replace: one.find }, 'cli/table.ts: the break of "numbers stand below each other" changes nothing'],
    ["an absent text", { find: "padUp(" }, 'cli/table.ts: "padUp(" stands there 0 times, not once'],
    ["nothing wrong, its test named alone", { name: 'reports "all" of' }, undefined],
    ["nothing wrong, its test named with its group", { name: 'a demo reports "all"' }, undefined],
  ])("says so: %s", async (_, change, problem) => {
    expect(await problemOf({ ...one, name: "a demo", ...change }, root)).toBe(problem);
  });
});

describe("the outcome of a named test", () => {
  const report = (statuses: Record<string, string>, message = ""): NamedReport => ({
    testResults: [
      {
        message,
        assertionResults: Object.entries(statuses).map(([title, status]) => ({
          title,
          fullName: `rows ${title}`,
          status,
        })),
      },
    ],
  });
  const named = { name: "are kept", test: "tests/live/x.test.ts" };

  it.each<[string, NamedReport, ReturnType<typeof outcomeOf>]>([
    ["red when it fails", report({ "are kept whole": "failed", "are few": "passed" }), { kind: "red" }],
    ["red when one of several fails", report({ "are kept": "passed", "are kept whole": "failed" }), { kind: "red" }],
    [
      "green when it passes, whatever others do",
      report({ "are kept": "passed", "are few": "failed" }),
      { kind: "green" },
    ],
    [
      "unclear when there is none of that name",
      report({ "are few": "failed" }),
      { kind: "unclear", reason: 'no test named "are kept" ran in tests/live/x.test.ts' },
    ],
    [
      "unclear when the file cannot be loaded",
      report({}, "SyntaxError: Unexpected token\n  at …"),
      {
        kind: "unclear",
        reason: 'no test named "are kept" ran in tests/live/x.test.ts: SyntaxError: Unexpected token',
      },
    ],
    [
      "unclear when the set-up failed",
      report({ "are kept": "skipped" }, "Error: no server"),
      { kind: "unclear", reason: '"are kept" did not run: Error: no server' },
    ],
  ])("is %s", (_, given, outcome) => {
    expect(outcomeOf(given, named)).toEqual(outcome);
  });

  it("may be named with its group", () => {
    expect(outcomeOf(report({ "are kept": "failed" }), { ...named, name: "rows are" })).toEqual({ kind: "red" });
  });

  it("is asked for by its name as it is written", () => {
    const pattern = new RegExp(namePattern(["is 1.5 (not $2) [a|b]", "other", "other"]));
    expect(
      ["a file is 1.5 (not $2) [a|b]", "is 1x5 (not $2) [a|b]", "other"].map((name) => pattern.test(name)),
    ).toEqual([true, false, true]);
  });
});

describe("the verdict on a break", () => {
  const green = { kind: "green" } as const;
  const red = { kind: "red" } as const;
  const unclear = { kind: "unclear", reason: "no server" } as const;

  it.each([
    ["noticed: green without, red with it", green, red, { kind: "noticed" }],
    ["survived: green all the same", green, green, { kind: "survived" }],
    ["unclear: red anyway", red, red, { kind: "unclear", reason: "the test is red without the break, too" }],
    ["unclear: no run without it", unclear, red, unclear],
    ["unclear: no run with it", green, unclear, unclear],
  ])("is %s", (_, without, within, verdict) => {
    expect(verdictOf(without, within)).toEqual(verdict);
  });

  it("is told in a table, with what to do about the ones that nobody noticed", () => {
    const judged = [
      { break: { ...one, check: 1 }, verdict: { kind: "noticed" } as const, seconds: 2.34 },
      { break: { ...one, promise: "ends" }, verdict: { kind: "survived" } as const, seconds: 12 },
      { break: { ...one, promise: "holds" }, verdict: unclear, seconds: 0 },
    ];
    expect(breaksText(judged, 1.25)).toBe(
      [
        "break     check  promise                         file            time",
        "red       1      numbers stand below each other  cli/table.ts   2.3 s",
        "SURVIVED         ends                            cli/table.ts  12.0 s",
        "UNCLEAR          holds                           cli/table.ts   0.0 s",
        "",
        'SURVIVED: ends: "a demo\'s report" in tests/unit/cli-demo-report.test.ts is green although cli/table.ts is broken',
        "UNCLEAR: holds: no server",
        "",
        "1 of 3 breaks noticed, in 1.3 min",
      ].join("\n"),
    );
  });
});

describe("a run of breaks", () => {
  const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };
  const guard: Break = {
    promise: "an even count has a middle",
    file: "cli/table.ts",
    find: "return (low + high) / 2;",
    replace: "return low;",
    test: "tests/unit/cli-table.test.ts",
    name: "the median is the middle",
  };

  it("tells a break that is noticed from one that survives, and leaves the checkout as it is", {
    timeout: 60_000,
  }, async () => {
    const before = readFileSync(join(places.root, guard.file), "utf8");
    const session = new Session(silent);
    const survives = { ...guard, find: "the median of no values", replace: "no median" };
    const judged = await judgeBreaks([guard, survives], session);
    expect(judged.map(({ verdict }) => verdict)).toEqual([{ kind: "noticed" }, { kind: "survived" }]);
    expect(session.pending).toEqual([]);
    expect(readFileSync(join(places.root, guard.file), "utf8")).toBe(before);
  });
});
