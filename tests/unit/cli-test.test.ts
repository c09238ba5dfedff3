import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lanesOf } from "../../cli/live-lanes.ts";
import { lackingIn, planOf } from "../../cli/test.ts";
import { add, noTests, summary, tallyOf } from "../../cli/test-tally.ts";
import { places } from "../../local/places.ts";

describe("golive test", () => {
  it("checks and runs everything with coverage when nothing is named", () => {
    expect(planOf([], [])).toEqual({
      check: true,
      quick: ["unit", "component", "policy"],
      live: true,
      coverage: true,
      vitestArgs: [],
    });
  });

  it("runs one level alone, and judges coverage of whole levels only", () => {
    expect(planOf(["unit"], [])).toMatchObject({ check: false, quick: ["unit"], live: false, coverage: false });
    expect(planOf(["unit", "component", "policy"], [])).toMatchObject({ check: false, coverage: true });
    expect(planOf(["unit", "component", "policy"], ["-t", "rung"]).coverage).toBe(false);
  });
});

describe("the lanes of the live tests", () => {
  it("hold every file once: stories of the stack in one, their own servers beside it, what disturbs both at the end", async () => {
    const files = (await readdir(join(places.root, "tests", "live"))).filter((name) => name.endsWith(".test.ts"));
    const { together, last } = lanesOf(files);
    const lanes = [...together, last];
    expect(lanes.flatMap((lane) => lane.files).sort()).toEqual([...files].sort());
    for (const { name, files: own } of lanes) expect(own, name).not.toEqual([]);
  });

  it("keep every file that makes or previews a stack out of the lane beside: a cluster has one stack local", async () => {
    const beside = lanesOf(await readdir(join(places.root, "tests", "live"))).together.find(
      ({ name }) => name === "beside",
    );
    const texts = await Promise.all(
      (beside?.files ?? [])
        .filter((file) => file.endsWith(".test.ts"))
        .map(async (file) => [file, await readFile(join(places.root, "tests", "live", file), "utf8")] as const),
    );
    expect(texts.filter(([, text]) => /\bLiveStack\b/.test(text)).map(([file]) => file)).toEqual([]);
  });
});

describe("a run without a failure", () => {
  it("fails when no test ran, as a misspelt name chooses none", () => {
    expect(lackingIn({ ...noTests, skipped: 9, skippedNames: ["a"] }, ["-t", "typo"])).toEqual([
      "no test ran, which fails the run; nothing is chosen by: -t typo",
    ]);
    expect(lackingIn(noTests, [])).toEqual(["no test ran, which fails the run"]);
  });

  it("fails when a test was skipped, unless the arguments left it out", () => {
    const tally = { ...noTests, passed: 1, skipped: 1, skippedNames: ["needs nftables"] };
    expect(lackingIn(tally, [])).toEqual(["skipped, which fails the run:", "  needs nftables"]);
    expect(lackingIn(tally, ["-t", "rung"])).toEqual([]);
  });
});

describe("the tally of a run", () => {
  const test = (status: string, fullName = status) => ({ status, fullName });

  it("counts what passed, failed and did not run, and names the last", () => {
    const testResults = [
      {
        name: "a",
        status: "passed",
        assertionResults: [test("passed"), test("skipped", "needs nftables"), test("todo")],
      },
      { name: "b", status: "failed", assertionResults: [test("passed"), test("failed")] },
    ];
    expect(tallyOf({ testResults })).toEqual({
      passed: 2,
      failed: 1,
      skipped: 2,
      skippedNames: ["needs nftables", "todo"],
    });
  });

  it("counts a file that could not be loaded as a failure", () => {
    expect(tallyOf({ testResults: [{ name: "a", status: "failed", assertionResults: [] }] }).failed).toBe(1);
  });

  it("is one line", () => {
    const tally = add({ ...noTests, passed: 3 }, { ...noTests, passed: 1, failed: 2 });
    expect(summary(tally)).toBe("4 passed, 2 failed");
    expect(summary({ ...tally, skipped: 1 })).toBe("4 passed, 2 failed, 1 skipped");
  });
});
