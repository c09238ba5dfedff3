import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { headAnnotation, maxPages, pageBytes, pageNames, parseHead } from "../../rollout/ledger/pages.ts";
import { parseRecord } from "../../rollout/ledger/parse.ts";
import { readableRecords, readLedger } from "../../rollout/ledger/read.ts";
import { canonicalJson, hashOf, kinds, type RecordDraft, recordAfter, sha256 } from "../../rollout/ledger/record.ts";
import { appendRecord, readHead } from "../../rollout/ledger/store.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { step, write } from "../support/ledger-records.ts";

let api: LedgerApi;
beforeEach(() => {
  api = new LedgerApi();
});

const problems = async () => verifyChain(await api.pages());

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const anyNumber = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity));
const percents = fc.record({ blue: fc.nat(100), green: fc.nat(100) });
const anyDraft: fc.Arbitrary<RecordDraft> = fc.record({
  kind: fc.constantFrom(...kinds),
  application: fc.string(),
  stack: maybe(fc.string()),
  candidate: fc.constantFrom("blue" as const, "green" as const),
  from: maybe(percents),
  to: percents,
  releases: fc.record({ blue: maybe(fc.string()), green: maybe(fc.string()) }),
  who: fc.string({ unit: "grapheme" }),
  commit: maybe(fc.string()),
  plan: maybe(fc.string()),
  reason: fc.string({ unit: "grapheme" }),
  verdict: maybe(
    fc.record({
      outcome: fc.constantFrom("pass" as const, "hold" as const, "rollback" as const),
      reason: fc.string(),
      numbers: fc.dictionary(
        fc.string().filter((key) => key !== "__proto__"),
        anyNumber,
      ),
      waitSeconds: maybe(anyNumber),
    }),
  ),
  queries: maybe(fc.array(fc.record({ promql: fc.string(), value: anyNumber }))),
});

/** What JSON makes of a value: nothing undefined, and -0 is 0. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, plain(each)]]));
  return Object.fromEntries(pairs);
}

describe("a record", () => {
  it("is read back as it was written, whatever was measured, also where a server answered NaN or infinity", () => {
    fc.assert(
      fc.property(anyDraft, (draft) => {
        const record = recordAfter({ number: 4, hash: "h" }, draft, new Date("2026-11-21T12:00:00Z"));
        const read = parseRecord(canonicalJson(record));
        expect(plain(read)).toEqual(plain(record));
        expect(hashOf(JSON.parse(canonicalJson(record)))).toBe(record.hash);
        // As docs/operations/ledger.md does it with sed, on a machine without golive.
        expect(sha256(canonicalJson(record).replace(/"hash":"[0-9a-f]*",/, ""))).toBe(record.hash);
      }),
    );
  });

  it("has one text, that any other program can make and sum up", () => {
    const draft = step("up", 0, 10, {
      verdict: {
        outcome: "hold",
        reason: "no series",
        numbers: { b: Number.NaN, a: -Infinity },
        waitSeconds: undefined,
      },
      queries: [{ promql: 'rate(x{a="b"}[1m])', value: Infinity }],
    });
    const record = recordAfter({ number: 0, hash: "" }, draft, new Date("2026-11-21T12:00:00Z"));
    const unsigned =
      '{"application":"taskflow","at":"2026-11-21T12:00:00.000Z","before":"","candidate":"green","from":{"blue":100,"green":0},' +
      '"kind":"up","number":1,"queries":[{"promql":"rate(x{a=\\"b\\"}[1m])","value":"+Inf"}],"reason":"0 -> 10",' +
      '"releases":{"blue":"1.0.0-aaaa","green":"2.0.0-bbbb"},"stack":"production","to":{"blue":90,"green":10},' +
      '"verdict":{"numbers":{"a":"-Inf","b":"NaN"},"outcome":"hold","reason":"no series"},"who":"Ada <ada@example.com>"}';
    expect(record.hash).toBe(sha256(unsigned));
    expect(canonicalJson(record)).toBe(unsigned.replace('"kind"', `"hash":"${record.hash}","kind"`));
  });

  it("refuses what is no data, instead of leaving it out of the hash", () => {
    expect(() => canonicalJson([() => 1])).toThrow("a record holds data only, not a function");
  });

  it.each([
    ["", "it is no JSON"],
    ["[]", "it: Invalid input: expected object, received array"],
    ['{"number":1}', "at: Invalid input: expected string, received undefined"],
  ])("%j is none, and that is said", (text, problem) => {
    expect(parseRecord(text)).toBe(problem);
  });
});

describe("appending", () => {
  it("makes the ledger when there is none, and numbers and times by the cluster's clock", async () => {
    await write(api, [step("up", 0, 10), step("up", 10, 50)]);
    const records = await readLedger(api, place);
    expect(records.map(({ number, at, before }) => ({ number, at, before }))).toEqual([
      { number: 1, at: "2026-11-21T12:00:00.000Z", before: "" },
      { number: 2, at: "2026-11-21T12:01:00.000Z", before: records[0]?.hash },
    ]);
    expect([...api.maps.keys()]).toEqual(["taskflow-ledger"]);
    expect(await problems()).toEqual([]);
  });

  it("sends one record only, never the others, which a slow writer could put back to what they were", async () => {
    await write(api, [step("up", 0, 10), step("up", 10, 50)]);
    const [, second] = api.writes();
    expect(second).toMatchObject({ method: "PATCH", contentType: "application/merge-patch+json" });
    const { data = {} } = (second?.body ?? {}) as { readonly data?: object };
    expect(Object.keys(data)).toEqual(["000002"]);
  });

  it("loses nobody's record when many write at once", async () => {
    const writers = Array.from({ length: 12 }, (_, index) => index);
    await Promise.all(writers.map((index) => appendRecord(api, place, step("up", 0, index))));
    const records = await readLedger(api, place);
    expect(records.map(({ to }) => to.green).sort((a, b) => a - b)).toEqual(writers);
    expect(await problems()).toEqual([]);
  });

  it("does not write twice when the answer got lost", async () => {
    await write(api, [step("up", 0, 10)]);
    for (const [from, to] of [
      [10, 50],
      [50, 100],
    ] as const) {
      let lost = false;
      api.after = ({ method }) => {
        if (method === "GET" || lost) return;
        lost = true;
        throw new Error("socket hang up");
      };
      expect(await appendRecord(api, place, step("up", from, to))).toMatchObject({ to: { green: to } });
      expect(lost).toBe(true);
    }
    expect((await readLedger(api, place)).map(({ to }) => to.green)).toEqual([10, 50, 100]);
  });

  it("gives up when answers keep getting lost", async () => {
    api.before = async ({ method }) => {
      if (method !== "GET") throw new Error("socket hang up");
      return undefined;
    };
    await expect(appendRecord(api, place, step("up", 0, 10))).rejects.toThrow("socket hang up");
    expect(api.writes()).toHaveLength(3);
  });

  it("says what the API server refused", async () => {
    const body = JSON.stringify({ kind: "Status", message: 'configmaps "taskflow-ledger" is forbidden' });
    const forbid = (method: string) => {
      api.before = async (request) => (request.method === method ? { status: 403, body, at: api.now } : undefined);
    };
    const said =
      'ledger (ConfigMap taskflow-ledger in namespace production): the API server answered 403: configmaps "taskflow-ledger" is forbidden';
    forbid("POST");
    await expect(appendRecord(api, place, step("up", 0, 10))).rejects.toThrow(`cannot write the ${said}`);
    forbid("GET");
    await expect(readLedger(api, place)).rejects.toThrow(`cannot read the ${said}`);
  });

  it("begins a page before a ConfigMap is full, and goes on there", async () => {
    const reason = "x".repeat(200 * 1024);
    await write(
      api,
      Array.from({ length: 6 }, () => step("up", 0, 10, { reason })),
    );
    expect([...api.maps].map(([name, { data }]) => [name, Object.keys(data)])).toEqual([
      ["taskflow-ledger", ["000001", "000002", "000003", "000004"]],
      ["taskflow-ledger-2", ["000005", "000006"]],
    ]);
    expect((await readLedger(api, place)).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await problems()).toEqual([]);
  });

  it("says what to do when all pages are full", async () => {
    const filler = { text: "x".repeat(pageBytes + 1) };
    for (const name of pageNames("taskflow"))
      api.maps.set(name, { metadata: { name, annotations: {} }, data: filler, version: 1 });
    await expect(appendRecord(api, place, step("up", 0, 10))).rejects.toThrow(
      `the ledger of taskflow in namespace production is full (${maxPages} pages). Keep \`./golive rollout record --json\` in a safe place, then delete its ConfigMaps: it begins again at 1`,
    );
  });

  it("goes on after a record that somebody broke: what happens is written down all the same", async () => {
    await write(api, [step("up", 0, 10), step("up", 10, 50)]);
    api.data()["000002"] = "gone";
    await write(api, [step("trip", 50, 0)]);
    await expect(readLedger(api, place)).rejects.toThrow(
      "record 000002 in ConfigMap taskflow-ledger of namespace production cannot be read: it is no JSON. Somebody changed it: `./golive rollout record --verify` says what else",
    );
    expect((await readableRecords(api, place)).map(({ kind }) => kind)).toEqual(["up", "trip"]);
    expect(await problems()).toEqual(["record 000002 (ConfigMap taskflow-ledger): it cannot be read: it is no JSON"]);
  });
});

describe("the chain", () => {
  const three = [step("up", 0, 10), step("up", 10, 50), step("up", 50, 100)];
  const where = (number: number) => `record ${String(number).padStart(6, "0")} (ConfigMap taskflow-ledger)`;

  it("shows one changed byte of any record, whichever it is", async () => {
    await write(api, three);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("000001", "000002", "000003"), fc.nat(), fc.nat(), async (key, at, by) => {
        const data = api.data();
        const bytes = Buffer.from(data[key] ?? "");
        const index = at % bytes.length;
        bytes[index] = ((bytes[index] ?? 0) + 1 + (by % 126)) % 127;
        const whole = data[key] ?? "";
        data[key] = bytes.toString();
        expect((await problems()).length).toBeGreaterThan(0);
        data[key] = whole;
        expect(await problems()).toEqual([]);
      }),
    );
  });

  it("shows one byte more or less", async () => {
    await write(api, three);
    const data = api.data();
    const whole = data["000002"] ?? "";
    for (let index = 0; index <= whole.length; index++) {
      data["000002"] = `${whole.slice(0, index)} ${whole.slice(index)}`;
      expect(await problems()).not.toEqual([]);
      if (index === whole.length) break;
      data["000002"] = whole.slice(0, index) + whole.slice(index + 1);
      expect(await problems()).not.toEqual([]);
    }
  });

  it("says that a record was changed, and what its hash says and is", async () => {
    await write(api, three);
    const [, second] = await readLedger(api, place);
    const data = api.data();
    data["000002"] = (data["000002"] ?? "").replace("Ada", "Bob");
    const is = hashOf(JSON.parse(data["000002"]));
    expect(await problems()).toEqual([
      `${where(2)}: it was changed: it says that its hash is ${second?.hash}, but it is ${is}`,
      `${where(3)}: it was written after another record 2 than the one that stands there`,
    ]);
  });

  it("shows a record that was rewritten with a right hash", async () => {
    await write(api, three);
    const [first] = await readLedger(api, place);
    api.data()["000002"] = canonicalJson(recordAfter(first ?? { number: 0, hash: "" }, step("up", 10, 10), api.now));
    expect(await problems()).toEqual([
      `${where(3)}: it was written after another record 2 than the one that stands there`,
    ]);
  });

  it("shows that the newest was rewritten, and goes on showing it after the next record", async () => {
    await write(api, three);
    const [, second] = await readLedger(api, place);
    api.data()["000003"] = canonicalJson(recordAfter(second ?? { number: 0, hash: "" }, step("up", 50, 50), api.now));
    expect(await problems()).toEqual(["ConfigMap taskflow-ledger: record 3, the last that it got, was another one"]);
    await write(api, [step("trip", 100, 0)]);
    expect(await problems()).toEqual([
      `${where(4)}: it was written after another record 3 than the one that stands there`,
    ]);
  });

  it("shows that the newest was taken away, and goes on showing it after the next record", async () => {
    await write(api, three);
    delete api.data()["000003"];
    expect(await problems()).toEqual(["ConfigMap taskflow-ledger: record 3, the last that it got, is missing"]);
    await write(api, [step("trip", 100, 0)]);
    expect(await problems()).toEqual([`${where(4)}: record 3 is missing before it`]);
  });

  it.each<[string, (data: Record<string, string>) => Record<string, string>, readonly string[]]>([
    [
      "records that are missing",
      ({ "000003": last = "" }) => ({ "000003": last }),
      [`${where(3)}: records 1 to 2 are missing before it`],
    ],
    [
      "a copy under another number",
      (data) => ({ ...data, "000004": data["000003"] ?? "" }),
      [`${where(4)}: it says that it is number 3`, `${where(4)}: it comes after record 3`],
    ],
    [
      "a text that somebody put there",
      (data) => ({ ...data, note: "hello" }),
      ['record note (ConfigMap taskflow-ledger): "note" is no number of a record: somebody put it there'],
    ],
    [
      "another way to write the same",
      (data) => ({ ...data, "000001": (data["000001"] ?? "").replace('"up"', '"\\u0075p"') }),
      [`${where(1)}: it is written in another way than golive writes it: it was edited`],
    ],
  ])("shows %s", async (_, edit, said) => {
    await write(api, three);
    const map = api.maps.get("taskflow-ledger");
    if (map) map.data = edit(map.data);
    expect(await problems()).toEqual(said);
  });

  it("shows that the note of the newest record was taken away", async () => {
    await write(api, three);
    delete api.maps.get("taskflow-ledger")?.metadata.annotations[headAnnotation];
    expect(await problems()).toEqual([
      "ConfigMap taskflow-ledger: it does not tell which record it got last (annotation golive/head)",
    ]);
  });

  it("shows a ledger that was made anew, against a head that was noted elsewhere", async () => {
    await write(api, three);
    const [first, , third] = await readLedger(api, place);
    const heads = [first, third].flatMap((record) => (record ? [record] : []));
    expect(verifyChain(await api.pages(), heads)).toEqual([]);
    api.maps.clear();
    await write(api, [step("up", 0, 50)]);
    const [other] = await readLedger(api, place);
    expect(await problems()).toEqual([]);
    expect(verifyChain(await api.pages(), heads)).toEqual([
      `record 1: it is another one than was noted elsewhere: its hash is ${other?.hash}, not ${first?.hash}`,
      `record 3: it is missing, and its hash was noted elsewhere (${third?.hash})`,
    ]);
  });

  it("gives its head for a stack's output, also while there is none", async () => {
    expect(await readHead(api, place)).toBe("none");
    await write(api, three);
    const third = (await readLedger(api, place)).at(-1);
    expect(await readHead(api, place)).toBe(`3 ${third?.hash}`);
  });

  it("reads a head as it is written, and nothing else for one", () => {
    expect(parseHead(` 12 ${"a".repeat(64)}\n`)).toEqual({ number: 12, hash: "a".repeat(64) });
    expect(["", "12", `x ${"a".repeat(64)}`, undefined].map(parseHead)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
