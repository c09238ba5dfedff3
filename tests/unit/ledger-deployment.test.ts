import { beforeEach, describe, expect, it } from "vitest";
import { durationText } from "../../rollout/duration.ts";
import { deploymentsOf } from "../../rollout/ledger/deployment.ts";
import { deploymentFields, markdownOf, weightsText } from "../../rollout/ledger/markdown.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import type { RecordDraft } from "../../rollout/ledger/record.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { releases, step, write } from "../support/ledger-records.ts";

let api: LedgerApi;
beforeEach(() => {
  api = new LedgerApi();
});

/** What a ledger with these records, a minute after each other from 12:00, tells. */
async function told(drafts: readonly RecordDraft[]) {
  await write(api, drafts);
  return deploymentsOf(await readLedger(api, place));
}

const upTo100 = [step("up", 0, 10), step("up", 10, 50), step("up", 50, 100)];
const rolledBack = [step("up", 0, 10), step("trip", 10, 0, { who: "guard", reason: "12 % errors" })];
const time = (minute: number) => `2026-11-21T12:${String(minute).padStart(2, "0")}:00.000Z`;

/** The same step of blue, after the roles switched. */
const ofBlue = (draft: RecordDraft): RecordDraft => ({
  ...draft,
  candidate: "blue",
  from: draft.from && { blue: draft.from.green, green: draft.from.blue },
  to: { blue: draft.to.green, green: draft.to.blue },
  releases: { blue: "3.0.0-dddd", green: releases.green },
});

describe("a deployment", () => {
  it("that reached 100 is a success, from its first step to its last", async () => {
    expect(await told(upTo100)).toMatchObject([
      {
        colour: "green",
        release: releases.green,
        by: ["Ada <ada@example.com>"],
        start: time(0),
        end: time(2),
        seconds: 120,
        issues: [],
        rollback: false,
        status: "Success",
      },
    ]);
  });

  it("that was tripped failed, was rolled back, and says by whom and why", async () => {
    expect(await told([...rolledBack, step("stay", 0, 0)])).toMatchObject([
      { status: "Failed", rollback: true, end: time(1), issues: [`${time(1)} trip: 12 % errors`], percent: 0 },
    ]);
  });

  it("that stands on a rung is partial and has not ended", async () => {
    const [deployment] = await told([...upTo100.slice(0, 2), step("pause", 50, 50, { reason: "night" })]);
    expect(deployment).toMatchObject({ status: "Partial", end: undefined, seconds: undefined, percent: 50 });
    expect(deployment?.issues).toEqual([`${time(2)} pause: night`]);
  });

  it("by the driver begins with its start and ends with its finish", async () => {
    const drafts = [step("preflight", 0, 0), step("start", 0, 0), ...upTo100, step("finish", 100, 100)];
    const [deployment, ...others] = await told(drafts);
    expect(others).toEqual([]);
    expect(deployment).toMatchObject({ start: time(1), end: time(5), status: "Success" });
    expect(deployment?.records.map(({ kind }) => kind)).toEqual(drafts.map(({ kind }) => kind));
  });

  it("that a driver was started for again goes on", async () => {
    const drafts = [step("start", 0, 0), step("up", 0, 10), step("start", 10, 10, { who: "Bob" }), step("up", 10, 50)];
    expect(await told(drafts)).toMatchObject([{ by: ["Ada <ada@example.com>", "Bob"], percent: 50 }]);
  });

  it("whose driver ended before the first user failed without a rollback", async () => {
    const [deployment] = await told([step("start", 0, 0), step("finish", 0, 0)]);
    expect(deployment).toMatchObject({ status: "Failed", rollback: false, end: time(1) });
  });

  it("was rolled back also when the release before it gets everything again in one step", async () => {
    const back = { candidate: "blue", from: { blue: 0, green: 100 }, to: { blue: 100, green: 0 } } as const;
    const roles = { candidate: "blue", from: back.from, to: back.from } as const;
    const drafts = [...upTo100, step("roles", 0, 0, roles), step("return", 0, 0, { ...back, reason: "returned" })];
    expect(await told(drafts)).toMatchObject([
      { colour: "green", status: "Failed", rollback: true, end: time(4), issues: [`${time(4)} return: returned`] },
    ]);
  });

  it("of the other colour is another one, and takes nothing of the success before it", async () => {
    const roles = ofBlue(step("roles", 0, 0));
    const refused = ofBlue(step("refused", 0, 10, { reason: "no pod" }));
    const [first, second, ...others] = await told([...upTo100, roles, refused, ...rolledBack.map(ofBlue)]);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ colour: "green", status: "Success", issues: [] });
    expect(second).toMatchObject({
      colour: "blue",
      release: "3.0.0-dddd",
      status: "Failed",
      start: time(5),
      issues: [`${time(4)} refused: no pod`, `${time(6)} trip: 12 % errors`],
    });
  });

  it("of another release on the same colour is another one", async () => {
    const fixed = { releases: { ...releases, green: "2.0.1-cccc" } };
    const deployments = await told([...rolledBack, ...upTo100.map((draft) => ({ ...draft, ...fixed }))]);
    expect(deployments.map(({ release, status }) => [release, status])).toEqual([
      [releases.green, "Failed"],
      ["2.0.1-cccc", "Success"],
    ]);
  });

  it("is also the first one of a stack, which gets all traffic at once", async () => {
    const created = step("create", 0, 0, { from: undefined, releases: { blue: releases.blue } });
    expect(await told([created])).toMatchObject([
      { colour: "blue", release: releases.blue, status: "Success", start: time(0), seconds: 0, issues: [] },
    ]);
  });

  it("counts a way down, an override, a refusal and a hand edit as issues", async () => {
    const kinds = ["override", "refused", "down", "found"] as const;
    const drafts = [step("up", 0, 10), ...kinds.map((kind) => step(kind, 10, 10, { reason: "why" }))];
    const [deployment] = await told(drafts);
    expect(deployment?.issues).toEqual(kinds.map((kind, index) => `${time(index + 1)} ${kind}: why`));
  });
});

describe("the deployment record", () => {
  it("has the fields of S4-89, in its words and its order", async () => {
    const [deployment] = await told(rolledBack);
    expect(deployment && deploymentFields(deployment)).toEqual([
      ["Application", "taskflow (stack production)"],
      ["Deployment Date", "2026-11-21"],
      ["Version Deployed", "2.0.0-bbbb (green)"],
      ["Deployed By", "Ada <ada@example.com>"],
      ["Start Time", time(0)],
      ["End Time", time(1)],
      ["Duration", "1 min 0 s"],
      ["Issues Encountered", `${time(1)} trip: 12 % errors`],
      ["Rollback Required", "Yes"],
      ["Status", "Failed"],
    ]);
  });

  it("says so where it has not ended", async () => {
    const [deployment] = await told(upTo100.slice(0, 1));
    expect(deployment && Object.fromEntries(deploymentFields(deployment))).toMatchObject({
      "End Time": "not ended",
      Duration: "not ended",
      "Issues Encountered": "none",
      "Rollback Required": "No",
      Status: "Partial (at 10 %)",
    });
  });

  it("is Markdown with its steps and what was measured; nobody's text becomes a part of the page", async () => {
    const verdict = {
      outcome: "pass",
      reason: "fine",
      numbers: { "backend errors": Number.NaN },
      waitSeconds: undefined,
    } as const;
    const queries = [{ promql: 'sum(rate(x{a="b|c"}[1m]))', value: 0.5 }];
    const evil = { who: "<b>Eve</b> | [x](y)", reason: "a\nb", commit: "abc" };
    const deployments = await told([step("up", 0, 10, { verdict, queries, ...evil })]);
    const text = markdownOf(deployments, []);
    expect(text.split("\n").filter((line) => !line.startsWith("| ---"))).toEqual([
      "# Deployment record: taskflow 2.0.0-bbbb",
      "",
      "| Field | Value |",
      "| Application | taskflow (stack production) |",
      "| Deployment Date | 2026-11-21 |",
      "| Version Deployed | 2.0.0-bbbb (green) |",
      "| Deployed By | &lt;b&gt;Eve&lt;/b&gt; \\| \\[x\\](y) |",
      `| Start Time | ${time(0)} |`,
      "| End Time | not ended |",
      "| Duration | not ended |",
      "| Issues Encountered | none |",
      "| Rollback Required | No |",
      "| Status | Partial (at 10 %) |",
      "",
      "## Steps",
      "",
      "| Record | Time | Kind | From | To | Who | Commit | Reason |",
      `| 1 | ${time(0)} | up | blue 100, green 0 | blue 90, green 10 | &lt;b&gt;Eve&lt;/b&gt; \\| \\[x\\](y) | abc | a<br>b |`,
      "",
      "## What was measured",
      "",
      "Record 1: pass, fine",
      "",
      "| Number | Value |",
      "| backend errors | NaN |",
      "",
      "| Query | Answer |",
      '| `sum(rate(x{a="b\\|c"}[1m]))` | 0.5 |',
      "",
      "The ledger was verified: every record is as it was written.",
    ]);
    expect(markdownOf([], ["record 1: changed"])).toBe("**The ledger is broken:**\n\n- record 1: changed");
  });

  it.each([
    [0.4, "0 s"],
    [59.6, "1 min 0 s"],
    [3605, "1 h 0 min 5 s"],
  ])("tells %d seconds as %s", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it("tells weights that a hand edit left broken", () => {
    expect([weightsText({ blue: 66.666, green: 33.334 }), weightsText(undefined)]).toEqual([
      "blue 66.7, green 33.3",
      "-",
    ]);
  });
});
