import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { type MigrationDirectory, migrationDirectory } from "../support/migration-files.ts";

let directory: MigrationDirectory | undefined;
afterEach(() => directory?.remove());

async function read(files: Readonly<Record<string, string>>) {
  directory = await migrationDirectory(files);
  return readMigrations(directory.path);
}

/** The lines of the Problem, without the directory. */
async function problems(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const message = await read(files).then(
    () => "no problem",
    (error: Error) => error.message,
  );
  return message.replace(directory?.path ?? "", "DIRECTORY").split("\n");
}

const index = "create index concurrently if not exists idx_a on a (id);\n";

describe("the migrations of a directory", () => {
  it("are read in the order of their numbers, with what their directives say", async () => {
    const late =
      "-- Drops it.\n\n  -- golive: phase contract\n-- golive: no-transaction\ndrop index concurrently if exists idx_a;";
    const files = await read({
      "010_drop.sql": late,
      "002_add_index.sql": `-- golive: no-transaction\n${index}`,
      "000_base.sql": "create table a (id int);",
      "README.md": "not one of them",
      ".hidden": "neither",
    });
    const sum = (sql: string) => createHash("sha256").update(sql).digest("hex");
    const base = "create table a (id int);";
    const concurrent = `-- golive: no-transaction\n${index}`;
    expect(files).toEqual([
      { name: "000_base.sql", version: "000", phase: "expand", transaction: true, checksum: sum(base), sql: base },
      {
        name: "002_add_index.sql",
        version: "002",
        phase: "expand",
        transaction: false,
        checksum: sum(concurrent),
        sql: concurrent,
      },
      { name: "010_drop.sql", version: "010", phase: "contract", transaction: false, checksum: sum(late), sql: late },
    ]);
  });

  it("have the same checksum from a checkout with CRLF line ends", async () => {
    const [unix] = await read({ "000_base.sql": "-- golive: phase contract\nselect 1;\nselect 2;\n" });
    await directory?.remove();
    const [windows] = await read({ "000_base.sql": "-- golive: phase contract\r\nselect 1;\r\nselect 2;\r\n" });
    expect(windows).toEqual(unix);
  });

  it("of TaskFlow can be read", async () => {
    const files = await readMigrations(join(import.meta.dirname, "..", "..", "migrations", "taskflow"));
    expect(files.length).toBeGreaterThanOrEqual(10);
  });

  it("are all looked through before they are refused, and every problem names its file", async () => {
    expect(
      await problems({
        "1_short.sql": "select 1;",
        "003_Upper.sql": "select 1;",
        "notes.txt": "x",
        "004_one.sql": "select 1;",
        "004_two.sql": "select 1;",
        "005_empty.sql": "-- only a comment\n",
        "006_open.sql": "select 1;\nselect 'it;",
        "007_commit.sql": "create table b ();\ncommit;",
      }),
    ).toEqual([
      "7 problems in the migrations of DIRECTORY:",
      "  003_Upper.sql: not a migration's name; allowed: NNN_name.sql, of lower-case letters, digits and underscores, as 005_add_due_dates.sql",
      "  005_empty.sql: no statement",
      "  006_open.sql: line 2: a string begins here and has no end",
      "  007_commit.sql: line 2: COMMIT would break the transaction that the whole file runs in; leave it out",
      "  1_short.sql: not a migration's name; allowed: NNN_name.sql, of lower-case letters, digits and underscores, as 005_add_due_dates.sql",
      "  notes.txt: not a migration's name; allowed: NNN_name.sql, of lower-case letters, digits and underscores, as 005_add_due_dates.sql",
      "  004_one.sql and 004_two.sql: share the number 004; give each file one of its own",
    ]);
  });

  it("cannot be read from a directory that is not there, which is named", async () => {
    directory = await migrationDirectory();
    await rm(directory.path, { recursive: true });
    await expect(readMigrations(directory.path)).rejects.toThrow(
      `cannot read the directory of migrations ${directory.path}`,
    );
  });
});

describe("a directive", () => {
  const allowed = `allowed: "-- golive: phase expand", "-- golive: phase contract", "-- golive: no-transaction"`;

  it.each([
    ["-- golive: phase contrakt", `line 1: got "-- golive: phase contrakt"; ${allowed}`],
    ["--golive:phase contract", `line 1: got "--golive:phase contract"; ${allowed}`],
    ["-- golive phase contract", `line 1: got "-- golive phase contract"; ${allowed}`],
    ["-- Golive: no-transactions", `line 1: got "-- Golive: no-transactions"; ${allowed}`],
    ["-- golive: phase expand\n-- golive: phase contract", "both phases; allowed: one, expand when none is given"],
    [
      "select 1;\n-- golive: phase contract",
      "line 2: a directive below the first statement; move it to the top of the file",
    ],
    ["\uFEFF-- golive: phase contract", "not UTF-8 without a byte order mark; save it as that"],
  ])("that would be passed over is refused: %j", async (top, problem) => {
    expect(await problems({ "005_a.sql": `${top}\nselect 1;` })).toEqual([
      "1 problem in the migrations of DIRECTORY:",
      `  005_a.sql: ${problem}`,
    ]);
  });

  it("is no word in a comment that speaks of golive", async () => {
    const [file] = await read({ "005_a.sql": "-- golive runs this before a release\nselect 1;" });
    expect(file?.phase).toBe("expand");
  });
});

describe("a file without a transaction", () => {
  const forms =
    "allowed, as they may run again after a kill: CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON …, DROP INDEX CONCURRENTLY IF EXISTS name, REINDEX INDEX CONCURRENTLY name, ALTER TYPE name ADD VALUE IF NOT EXISTS …, VACUUM …; for anything else remove the directive";

  it.each([
    index,
    "create unique index concurrently if not exists \"Idx; A\" on a (lower(name)) where name <> ';';",
    "/* a ; b */ drop index concurrently if exists idx_a",
    "reindex index concurrently idx_a;;",
    "alter type mood add value if not exists 'calm' after 'happy';",
    "vacuum (analyze) a;",
  ])("may be %j", async (sql) => {
    expect(await problems({ "005_a.sql": `-- golive: no-transaction\n${sql}` })).toEqual(["no problem"]);
  });

  it.each([
    [`${index}${index}`, "2 statements; allowed with no-transaction: exactly one, the rest in files of their own"],
    ["create index concurrently idx_a on a (id);", `this statement may not run without a transaction; ${forms}`],
    ["drop index concurrently idx_a;", `this statement may not run without a transaction; ${forms}`],
    ["update a set id = id + 1;", `this statement may not run without a transaction; ${forms}`],
  ])("is refused as %j", async (sql, problem) => {
    expect(await problems({ "005_a.sql": `-- golive: no-transaction\n${sql}` })).toEqual([
      "1 problem in the migrations of DIRECTORY:",
      `  005_a.sql: ${problem}`,
    ]);
  });
});
