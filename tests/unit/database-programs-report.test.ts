import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestReport, problemReport, resultReport, writeReport } from "../../programs/database/report.ts";

describe("the last words of a program", () => {
  it("are a problem as it is, or its beginning when it is too long for Kubernetes", () => {
    expect(problemReport("the server says no")).toBe("the server says no");
    const long = problemReport("ü".repeat(3_000));
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(longestReport);
    expect(long).toMatch(/^ü{2045,2046} …$/);
  });

  it("are never longer than 4,096 bytes, never cut within a character, and begin as the problem does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 6_000, size: "max" }), (message) => {
        const report = problemReport(message);
        expect(Buffer.byteLength(report)).toBeLessThanOrEqual(longestReport);
        expect(report).not.toContain("\u{fffd}".repeat(message.includes("\u{fffd}") ? 6_001 : 1));
        expect(message.startsWith(report.replace(/ …$/, ""))).toBe(true);
      }),
    );
  });

  it("are a result as JSON, without its largest values when it is too long, and they are named", () => {
    const small = { file: "a", bytes: 1, nothing: undefined };
    expect(resultReport(small)).toBe('{"file":"a","bytes":1}');
    const large = { file: "a", ledger: "l".repeat(3_000), rows: "r".repeat(5_000), bytes: 1 };
    expect(JSON.parse(resultReport(large))).toEqual({
      file: "a",
      ledger: "l".repeat(3_000),
      bytes: 1,
      omitted: ["rows"],
    });
  });

  it("can be parsed whatever the result", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 50 }), fc.string({ maxLength: 3_000, size: "max" })),
        (result) => {
          const report = resultReport(result);
          expect(Buffer.byteLength(report)).toBeLessThanOrEqual(longestReport);
          expect(JSON.parse(report)).toBeTypeOf("object");
        },
      ),
    );
  });

  it("go where they are wanted, or nowhere", async () => {
    const directory = await mkdtemp(join(tmpdir(), "golive-report-"));
    try {
      await writeReport(join(directory, "report"), "said");
      await writeReport(undefined, "unheard");
      expect(await readFile(join(directory, "report"), "utf8")).toBe("said");
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
