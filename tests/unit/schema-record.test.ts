import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MigrationResult } from "../../rollout/schema/migration-result.ts";
import { readRecord, recordData, type SchemaRecord } from "../../rollout/schema/schema-record.ts";

const sum = (digit: string) => digit.repeat(64);

const result: MigrationResult = {
  version: "013",
  applied: { "012_l.sql": 40, "013_m.sql": 12.5 },
  held: ["014_n.sql"],
  indexes: 44,
  policies: 30,
  tables: 12,
  backup: { file: "20261121T120000Z.dump", bytes: 4096 },
  durationMs: 1800,
};

const record: SchemaRecord = {
  applied: [
    { name: "012_l.sql", phase: "expand", checksum: sum("a") },
    { name: "013_m.sql", phase: "contract", checksum: sum("b") },
  ],
  job: "taskflow-migrate-0123456789",
  result,
  restored: "20261120T120000Z.dump at 2026-11-21T12:00:00Z",
  outdated: ["1.0.0-aaaa", "1.1.0-bbbb"],
};

const text = fc.string({ minLength: 1 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const anyRecord: fc.Arbitrary<SchemaRecord> = fc.record({
  applied: fc
    .uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[0-9]{3}_[a-z_]{1,20}\.sql$/),
        phase: fc.constantFrom("expand", "contract"),
        checksum: fc.stringMatching(/^[0-9a-f]{64}$/),
      }),
      { selector: ({ name }) => name },
    )
    .map((files) => files.toSorted((a, b) => (a.name < b.name ? -1 : 1))),
  job: optional(text),
  result: optional(fc.constant(result)),
  restored: optional(text),
  outdated: fc.array(fc.stringMatching(/^[-A-Za-z0-9_.]+$/)),
});

describe("the record of the schema", () => {
  it("stands in a ConfigMap that a person can read", () => {
    expect(recordData(record)).toEqual({
      "012_l.sql": `expand ${sum("a")}`,
      "013_m.sql": `contract ${sum("b")}`,
      job: "taskflow-migrate-0123456789",
      result: JSON.stringify(result),
      restored: "20261120T120000Z.dump at 2026-11-21T12:00:00Z",
      outdated: "1.0.0-aaaa 1.1.0-bbbb",
    });
  });

  it("is read back as it was written, whatever it was", () => {
    fc.assert(
      fc.property(anyRecord, (written) => {
        expect(readRecord(recordData(written))).toEqual(written);
      }),
    );
  });

  it("of a database without migrations is empty, and keys of others do not matter", () => {
    expect(readRecord({ note: "mine" })).toEqual({
      applied: [],
      job: undefined,
      result: undefined,
      restored: undefined,
      outdated: [],
    });
  });

  const repair =
    "Put it right by hand (`./golive database status` lists what is applied), or delete the ConfigMap and run `pulumi up --refresh`.";
  const where = "ConfigMap taskflow-schema in namespace local";

  it.each([
    [
      "a phase that there is not",
      { "012_l.sql": `shrink ${sum("a")}` },
      `${where}: 012_l.sql is "shrink ${sum("a")}"; it should be "expand" or "contract", and a SHA-256 sum\n${repair}`,
    ],
    [
      "a sum cut short",
      { "012_l.sql": "expand abc" },
      `${where}: 012_l.sql is "expand abc"; it should be "expand" or "contract", and a SHA-256 sum\n${repair}`,
    ],
    [
      "a result that is no JSON",
      { result: "{" },
      `${where}: result is not the result of a migration (no JSON object): {\n${repair}`,
    ],
    [
      "a result that lacks a figure",
      { result: JSON.stringify({ ...result, indexes: "many" }) },
      /^ConfigMap taskflow-schema in namespace local: result is not the result of a migration \(indexes: .*\): \{"version":"013"/,
    ],
  ])("that somebody edited is refused, and what to do is said: %s", (_, data, message) => {
    expect(() => readRecord(data, where)).toThrow(message);
  });
});
