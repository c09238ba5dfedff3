import { describe, expect, it } from "vitest";
import { differences, type Fingerprints, totalRows } from "../../programs/database/backup/fingerprint.ts";

const backup: Fingerprints = {
  "public.tasks": { rows: 12, hash: "34" },
  "public.users": { rows: 3, hash: "-5" },
};

describe("the comparison of a copy with its backup", () => {
  it("finds nothing where all is the same, in whatever order", () => {
    expect(differences(backup, Object.fromEntries(Object.entries(backup).reverse()))).toEqual([]);
  });

  it.each<[string, Fingerprints, readonly string[]]>([
    ["a missing table", { "public.tasks": { rows: 12, hash: "34" } }, ["public.users is missing"]],
    ["a table too many", { ...backup, "public.new": { rows: 0, hash: "0" } }, ["public.new is not in the backup"]],
    [
      "a missing row",
      { ...backup, "public.tasks": { rows: 11, hash: "30" } },
      ["public.tasks has 11 rows, the backup has 12"],
    ],
    [
      "another value",
      { ...backup, "public.users": { rows: 3, hash: "5" } },
      ["public.users has other values in its 3 rows"],
    ],
    ["an empty copy", {}, ["public.tasks is missing", "public.users is missing"]],
  ])("names %s", (_, found, expected) => {
    expect(differences(backup, found)).toEqual(expected);
  });

  it("adds up the rows", () => {
    expect([totalRows(backup), totalRows({})]).toEqual([15, 0]);
  });
});
