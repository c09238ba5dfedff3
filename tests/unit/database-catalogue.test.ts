import { describe, expect, it } from "vitest";
import { callsForEachRow, withoutSelects } from "../../programs/database/catalogue/expression.ts";
import { checks } from "../../programs/database/catalogue/findings.ts";
import { judge, type VerifyFacts } from "../../programs/database/verify.ts";

describe("a policy's expression, as PostgreSQL writes it", () => {
  const calls = (expression: string) =>
    callsForEachRow(expression, ["private.claim", "private.current_user_id", "private.is_member"], ["id", "team_id"]);

  it.each([
    ["(team_id = ( SELECT private.current_user_id() AS current_user_id))", []],
    ["(team_id = private.current_user_id())", ["private.current_user_id()"]],
    [
      "((team_id = ( SELECT private.current_user_id() AS current_user_id)) OR (id = private.current_user_id()))",
      ["private.current_user_id()"],
    ],
    // A helper that is told the row cannot be called once.
    ["private.is_member(team_id)", []],
    ["private.is_member(private.current_user_id(), team_id)", ["private.current_user_id()"]],
    ["(private.claim('id'::text) = 'x'::text)", ["private.claim('id'::text)"]],
    [
      "((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text) = 'a'",
      ["current_setting('request.jwt.claims'::text, true)"],
    ],
    [
      "(id = ( SELECT ((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text)))",
      [],
    ],
    ["(( SELECT ')' AS text) = private.claim('('::text))", ["private.claim('('::text)"]],
    ["other_private.claim('x'::text) AND not_current_setting('x'::text)", []],
  ])("%s calls for each row: %j", (expression, expected) => {
    expect(calls(expression)).toEqual(expected);
  });

  it("is read without its sub-selects, however deep and however many", () => {
    expect(withoutSelects("(a = ( SELECT f((1 + (2))) AS f)) OR (b = ANY (( SELECT g() AS g)::integer[]))")).toBe(
      "(a = (…)) OR (b = ANY ((…)::integer[]))",
    );
  });
});

describe("verification", () => {
  const facts: VerifyFacts = {
    counts: { tables: 2, unprotected: [], indexes: 40, policies: 2, invalidIndexes: [] },
    ledger: [{ name: "000_base_schema.sql" }],
    sights: [{ who: "tasks as an admin", found: "4", wanted: "4" }],
    findings: [],
  };
  const gaps = (changed: Partial<VerifyFacts>) => {
    const { ok, rows } = judge({ ...facts, ...changed });
    return { ok, rows: rows.filter((row) => !row.ok) };
  };

  it("holds when all that was looked up is as it should be, with a row for each check", () => {
    const { ok, rows } = judge(facts);
    expect(ok).toBe(true);
    expect(rows.map(({ check }) => check)).toEqual([
      "ledger",
      "indexes",
      "tables with row level security",
      "policies",
      "tasks as an admin",
      ...checks.map(({ name }) => name),
    ]);
  });

  it.each<[string, Partial<VerifyFacts>, object]>([
    [
      "no ledger",
      { ledger: undefined },
      { check: "ledger", found: "no table schema_migrations", wanted: "schema_migrations with the applied files" },
    ],
    [
      "an empty ledger",
      { ledger: [] },
      { check: "ledger", found: "0 files, last none", wanted: "schema_migrations with the applied files" },
    ],
    [
      "one index too few",
      { counts: { ...facts.counts, indexes: 39 } },
      { check: "indexes", found: "39", wanted: "40 or more" },
    ],
    [
      "a table without row level security",
      { counts: { ...facts.counts, unprotected: ["notes"] } },
      { check: "tables with row level security", found: "1 of 2; not: notes", wanted: "all, and one or more" },
    ],
    [
      "fewer policies than tables",
      { counts: { ...facts.counts, policies: 1 } },
      { check: "policies", found: "1", wanted: "2 or more, one for each table" },
    ],
    [
      "a reader who is shown too much",
      { sights: [{ who: "any row without claims", found: "rows of public.tasks", wanted: "none in 9 tables" }] },
      { check: "any row without claims", found: "rows of public.tasks", wanted: "none in 9 tables" },
    ],
    [
      "nobody to look through",
      { sights: undefined },
      {
        check: "what readers are shown",
        found: "no password of a login that row level security binds",
        wanted: "a file with one in the directory of passwords, as of the read-only login",
      },
    ],
    [
      "a finding of the catalogue",
      { findings: [{ check: "index-invalid", object: "index idx_x", text: "invalid" }] },
      { check: "index-invalid", found: "index idx_x: invalid", wanted: "indexes that PostgreSQL uses" },
    ],
  ])("fails on %s", (_, changed, row) => {
    expect(gaps(changed)).toEqual({ ok: false, rows: [{ ...row, ok: false }] });
  });
});
