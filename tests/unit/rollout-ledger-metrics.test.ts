import { beforeEach, describe, expect, it } from "vitest";
import { jsonLog } from "../../programs/log.ts";
import { LedgerWatch } from "../../programs/rollout/ledger-watch.ts";
import { metricsText } from "../../programs/rollout/metrics.ts";
import { type Recorded, recordedOf } from "../../programs/rollout/recorded.ts";
import { pageBytes } from "../../rollout/ledger/pages.ts";
import { canonicalJson, type RecordDraft, recordAfter } from "../../rollout/ledger/record.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { step, write } from "../support/ledger-records.ts";

const at = new Date("2026-11-21T12:00:00.500Z");
const textOf = (draft: RecordDraft) => canonicalJson(recordAfter({ number: 6, hash: "" }, draft, at));
const read = (draft: RecordDraft) => recordedOf({ key: "000007", text: textOf(draft) });

describe("what a dashboard marks of a record", () => {
  it("is its number, its time, what it was, and the candidate's percent after it", () => {
    expect(read(step("up", 10, 50))).toEqual({
      number: 7,
      at: at.getTime() / 1000,
      kind: "up",
      candidate: "green",
      percent: 50,
    } satisfies Recorded);
  });

  it("is, of a step that was refused, the percent that stayed", () => {
    expect(read(step("refused", 10, 50))).toMatchObject({ kind: "refused", percent: 10 });
  });

  it.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["of a kind that there is not", textOf(step("up", 0, 10)).replace('"up"', '"u\\"p"')],
    ["of another colour", textOf(step("up", 0, 10)).replace('"candidate":"green"', '"candidate":"red"')],
    ["without a time", textOf(step("up", 0, 10)).replace('"at":', '"was":')],
    ["without a weight", textOf(step("up", 0, 10)).replace('"to":{"blue":90,', '"to":{')],
    ["of words for weights", textOf(step("refused", 0, 10)).replace('"blue":100', '"blue":"all"')],
  ])("is nothing of a text that is %s", (_, text) => {
    expect(recordedOf({ key: "000007", text })).toBeUndefined();
  });
});

describe("the exporter's look at the ledger", () => {
  let api: LedgerApi;
  let lines: Record<string, unknown>[];
  let watch: LedgerWatch;
  beforeEach(() => {
    api = new LedgerApi();
    lines = [];
    const log = jsonLog("rollout-metrics", (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
    watch = new LedgerWatch(api, place, log);
  });
  const numbers = () => watch.tail?.records.map(({ number }) => number);
  const steps = (count: number, rest: Partial<RecordDraft> = {}) =>
    write(
      api,
      Array.from({ length: count }, () => step("up", 0, 10, rest)),
    );

  it("finds nothing, and nothing wrong, before the first record", async () => {
    await watch.read();
    expect(watch.tail).toEqual({ isRead: true, records: [] });
    expect(lines).toEqual([]);
  });

  it("has the newest twenty, oldest first, and each later one at the next look", async () => {
    await steps(23);
    await watch.read();
    expect(numbers()).toEqual(Array.from({ length: 20 }, (_, index) => index + 4));
    await steps(1);
    await watch.read();
    expect(numbers()?.at(0)).toBe(5);
    expect(numbers()?.at(-1)).toBe(24);
  });

  it("asks no more for pages that only have older records", async () => {
    const large = { reason: "x".repeat(pageBytes / 12) };
    await steps(30, large);
    expect([...api.maps.keys()]).toEqual(["taskflow-ledger", "taskflow-ledger-2", "taskflow-ledger-3"]);
    const asks = async () => {
      api.asked.length = 0;
      await watch.read();
      return api.asked.map(({ path }) => path.split("/").at(-1));
    };
    expect(await asks()).toEqual(["taskflow-ledger", "taskflow-ledger-2", "taskflow-ledger-3", "taskflow-ledger-4"]);
    await steps(12, large);
    await watch.read();
    expect(await asks()).toEqual(["taskflow-ledger-2", "taskflow-ledger-3", "taskflow-ledger-4", "taskflow-ledger-5"]);
    expect(numbers()?.at(-1)).toBe(42);
    // Somebody kept it elsewhere and deleted it, as a full ledger asks for.
    api.maps.clear();
    await steps(2);
    await watch.read();
    expect(numbers()).toEqual([1, 2]);
  });

  it("names a record that somebody broke, once, and tells of all others", async () => {
    await steps(3);
    const data = api.data();
    const good = data["000002"] ?? "";
    data["000002"] = "nothing";
    data.note = "nobody reads this";
    await watch.read();
    await watch.read();
    expect(watch.tail?.isRead).toBe(false);
    expect(numbers()).toEqual([1, 3]);
    const what = "the ledger of taskflow in namespace production";
    const reason = "no record: 000002. Somebody changed it: `./golive rollout record --verify` says what else";
    expect(lines).toEqual([expect.objectContaining({ level: "error", message: "cannot be read", what, reason })]);
    data["000002"] = good;
    await watch.read();
    expect(watch.tail?.isRead).toBe(true);
    expect(lines.at(-1)).toMatchObject({ level: "info", message: "can be read again", what });
  });

  it("tells of none while the API server does not answer, and of all again after that", async () => {
    await steps(2);
    await watch.read();
    api.before = () => Promise.reject(new Error("no answer within 5 s"));
    await watch.read();
    expect(watch.tail).toEqual({ isRead: false, records: [] });
    expect(lines).toEqual([expect.objectContaining({ message: "cannot be read", reason: "no answer within 5 s" })]);
    api.before = async () => undefined;
    await watch.read();
    expect(numbers()).toEqual([1, 2]);
  });
});

describe("the metrics of a ledger", () => {
  const record: Recorded = { number: 7, at: 1795262400.5, kind: "up", candidate: "green", percent: 100 / 3 };
  const text = (...tail: readonly [Parameters<typeof metricsText>[2]] | readonly []) =>
    metricsText("taskflow", undefined, ...tail)
      .split("\n")
      .slice(3)
      .join("\n");

  it("are Prometheus' text: the time of each record, told apart by its number", () => {
    expect(
      text({ isRead: true, records: [record, { ...record, number: 8, kind: "trip", percent: 0 }] }),
    ).toBe(`# HELP golive_ledger_up 1 when the newest records of the ledger could all be read, else 0.
# TYPE golive_ledger_up gauge
golive_ledger_up{application="taskflow"} 1
# HELP golive_recorded_timestamp_seconds When each of the newest records of the ledger was written.
# TYPE golive_recorded_timestamp_seconds gauge
golive_recorded_timestamp_seconds{application="taskflow",number="7",kind="up",candidate="green",percent="33.3"} 1795262400.5
golive_recorded_timestamp_seconds{application="taskflow",number="8",kind="trip",candidate="green",percent="0"} 1795262400.5
`);
  });

  it("say that it could not be read, and nothing before anybody looked", () => {
    expect(text({ isRead: false, records: [] })).toContain('golive_ledger_up{application="taskflow"} 0\n');
    expect(text()).toBe("");
  });
});
