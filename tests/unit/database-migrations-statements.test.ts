import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitStatements } from "../../programs/database/migrations/statements.ts";

/** What stands in a file, and the tokens that it is read as. */
const pieces: readonly (readonly [sql: string, tokens: readonly string[]])[] = [
  ["select 1", ["select", "1"]],
  ["SELECT ';' -- ; '\n", ["select", "''"]],
  ["select 'it''s; fine'", ["select", "''"]],
  ["select E'a\\'; b'", ["select", "''"]],
  ["select 'back\\'", ["select", "''"]],
  ['select "a;""b"', ["select", '"a;""b"']],
  ["/* ; /* ; */ ' */ select a$b$c", ["select", "a$b$c"]],
  ["do $$ begin; commit; end $$", ["do", "''"]],
  ["do $body$ $$ ; $$ $body$", ["do", "''"]],
  ["select $1", ["select", "$1"]],
  [
    "create rule r as on insert to a do (select 1; select 2)",
    "create rule r as on insert to a do ( select 1 ; select 2 )".split(" "),
  ],
  [
    "create function f() returns int begin atomic select case when true then 1 end; select 2; end",
    "create function f ( ) returns int begin atomic select case when true then 1 end ; select 2 ; end".split(" "),
  ],
];

const separators = fc.constantFrom(";", "; ", ";\n", " ;\n-- ;\n", "; /* ; */ ", ";;\n");

describe("a file of SQL", () => {
  it("is split at the semicolons that end a statement, whatever stands in front of it and behind it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...pieces), separators)), (parts) => {
        const sql = parts.map(([[text], separator]) => text + separator).join("");
        const split = splitStatements(sql);
        const tokens = "statements" in split ? split.statements.map((statement) => statement.tokens) : split;
        expect(tokens).toEqual(parts.map(([[, expected]]) => expected));
      }),
    );
  });

  it("tells each statement's text and the line on which it begins", () => {
    expect(splitStatements("-- top\nselect 1;\n\n/* a\n b */ select\n 2;\nselect 3")).toEqual({
      statements: [
        { line: 2, tokens: ["select", "1"], sql: "select 1" },
        { line: 5, tokens: ["select", "2"], sql: "select\n 2" },
        { line: 7, tokens: ["select", "3"], sql: "select 3" },
      ],
    });
  });

  it.each([
    ["select 1;\nselect 'a", { unfinished: "a string", line: 2 }],
    ["select E'a\\'", { unfinished: "a string", line: 1 }],
    ['select "a', { unfinished: "a quoted name", line: 1 }],
    ["\n\ndo $x$ begin end $y$", { unfinished: "a dollar-quoted string", line: 3 }],
    ["select 1 /* a /* b */", { unfinished: "a comment", line: 1 }],
  ])("tells what has no end, and where it began: %j", (sql, expected) => {
    expect(splitStatements(sql)).toEqual(expected);
  });
});
