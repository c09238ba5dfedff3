import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MigrationFile, Phase } from "../../programs/database/migrations/file.ts";
import { type AppliedMigration, planMigrations } from "../../programs/database/migrations/plan.ts";
import { migration } from "../support/migration-files.ts";

const base = migration("000_base.sql");
const add = migration("001_add_due_at.sql");
const drop = migration("002_drop_due.sql", "contract");
const index = migration("003_index.sql");
const purge = migration("004_purge.sql", "contract");
const all = [base, add, drop, index, purge];

const names = (files: readonly MigrationFile[]) => files.map(({ name }) => name);
const applied = (files: readonly MigrationFile[]): readonly AppliedMigration[] =>
  files.map(({ name, phase, checksum }) => ({ name, phase, checksum }));

describe("what a database still needs", () => {
  it("is every file in order when it is empty, contract files among them", () => {
    expect(planMigrations(all, [], undefined)).toEqual({ pending: all, held: [], problems: [] });
  });

  it("is nothing when it has every file", () => {
    expect(planMigrations(all, applied(all), undefined)).toEqual({ pending: [], held: [], problems: [] });
  });

  it("leaves contract files held, and lets the expand files behind them run", () => {
    expect(planMigrations(all, applied([base, add]), undefined)).toEqual({
      pending: [index],
      held: [drop, purge],
      problems: [],
    });
  });

  it("has the contract files up to the one that config names", () => {
    const has = applied([base, add, index]);
    expect(planMigrations(all, has, drop.name)).toEqual({ pending: [drop], held: [purge], problems: [] });
    expect(planMigrations(all, has, purge.name)).toEqual({ pending: [drop, purge], held: [], problems: [] });
    expect(planMigrations(all, applied([base, add, drop, index]), drop.name)).toEqual({
      pending: [],
      held: [purge],
      problems: [],
    });
  });
});

describe("a plan is refused", () => {
  const refusals: readonly (readonly [
    string,
    readonly MigrationFile[],
    readonly MigrationFile[],
    string | undefined,
    readonly string[],
  ])[] = [
    [
      "when an applied file was edited",
      [base, migration(add.name, "expand", "edited")],
      [base, add],
      undefined,
      ["001_add_due_at.sql: edited after it was applied; restore its old text and put the change into a new file"],
    ],
    [
      "when an applied file is missing",
      [base, index],
      [base, add, index],
      undefined,
      ["001_add_due_at.sql: applied, but not in the directory; restore the file as it was"],
    ],
    [
      "when an applied file got another name",
      [base, migration("001_due_at.sql", "expand", "001_add_due_at.sql"), index],
      [base, add, index],
      undefined,
      ["001_add_due_at.sql: applied, and called 001_due_at.sql now; give it its old name back"],
    ],
    [
      "when an expand file comes late, and says which one was before it",
      all,
      [base, index],
      undefined,
      ["001_add_due_at.sql: new, but 003_index.sql was applied already; give it a number above 003"],
    ],
    [
      "when an expand file comes after a contract file with a higher number",
      all,
      [base, drop, index],
      undefined,
      ["001_add_due_at.sql: new, but 002_drop_due.sql was applied already; give it a number above 003"],
    ],
    [
      "when a contract file comes after a later contract file",
      all,
      [base, add, index, purge],
      undefined,
      ["002_drop_due.sql: new, but 004_purge.sql was applied already; give it a number above 004"],
    ],
    [
      "when config asks for a contract file that is none",
      all,
      [base, add],
      index.name,
      [
        "003_index.sql: asked for as the last contract file to run, but it is an expand file; allowed: 002_drop_due.sql, 004_purge.sql",
      ],
    ],
    [
      "when config asks for a contract file that is not there",
      [base],
      [base],
      "009_drop.sql",
      [
        "009_drop.sql: asked for as the last contract file to run, but there is no such file; allowed: nothing, as there is no contract file",
      ],
    ],
  ];
  it.each(refusals)("%s", (_, files, has, contract, problems) => {
    expect(planMigrations(files, applied(has), contract).problems).toEqual(problems);
  });
});

/** A history of an application: releases, each with some new files, and now and then a contract file that config asks for. */
interface Release {
  readonly phases: readonly Phase[];
  readonly asks: boolean;
}

const releases: fc.Arbitrary<readonly Release[]> = fc.array(
  fc.record({
    phases: fc.array(fc.constantFrom<Phase>("expand", "expand", "contract"), { maxLength: 3 }),
    asks: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

interface History {
  readonly files: readonly MigrationFile[];
  /** In the order in which they ran. */
  readonly ran: readonly MigrationFile[];
  readonly contract: string | undefined;
}

/** Runs every release's plan to its end, or to a file that fails and is tried again with the next one. */
function play(steps: readonly Release[]): History {
  return steps.reduce<History>(
    ({ files, ran, contract }, { phases, asks }) => {
      const first = files.length;
      const added = phases.map((phase, at) => migration(`${String(first + at).padStart(3, "0")}_file.sql`, phase));
      const now = [...files, ...added];
      const last = now.findLast(({ phase }) => phase === "contract")?.name;
      const asked = asks && last !== undefined ? last : contract;
      const { pending, problems } = planMigrations(now, applied(ran), asked);
      expect(problems).toEqual([]);
      return { files: now, ran: [...ran, ...pending], contract: asked };
    },
    { files: [], ran: [], contract: undefined },
  );
}

describe("over any history of releases", () => {
  it("every expand file runs at once, and every file at last, each once and each phase in its order", () => {
    fc.assert(
      fc.property(releases, (steps) => {
        const { files, ran, contract } = play(steps);
        const { pending, held, problems } = planMigrations(files, applied(ran), contract);
        expect({ pending, problems }).toEqual({ pending: [], problems: [] });
        expect(held.every(({ phase }) => phase === "contract")).toBe(true);
        const last = files.findLast(({ phase }) => phase === "contract")?.name;
        const end = [...ran, ...planMigrations(files, applied(ran), last).pending];
        expect(names(end).toSorted()).toEqual(names(files));
        for (const phase of ["expand", "contract"]) {
          const of = (list: readonly MigrationFile[]) => names(list.filter((file) => file.phase === phase));
          expect(of(end)).toEqual(of(files));
        }
      }),
    );
  });

  it("no plan depends on the order in which the ledger is read", () => {
    fc.assert(
      fc.property(releases, fc.infiniteStream(fc.nat()), (steps, numbers) => {
        const { files, ran, contract } = play(steps);
        const shuffled = applied(ran).map((each) => ({ each, at: numbers.next().value as number }));
        const other = shuffled.toSorted((a, b) => a.at - b.at).map(({ each }) => each);
        expect(planMigrations(files, other, contract)).toEqual(planMigrations(files, applied(ran), contract));
      }),
    );
  });

  it("an applied file that is edited, renamed or deleted is named, and so is a file that comes late", () => {
    const harm = fc.constantFrom("edit", "rename", "delete", "late");
    fc.assert(
      fc.property(releases, fc.nat(), harm, (steps, pick, kind) => {
        const { files, ran, contract } = play(steps);
        fc.pre(ran.length > 1 || (ran.length > 0 && kind !== "late"));
        const victim = ran[pick % ran.length] as MigrationFile;
        const rest = files.filter((file) => file !== victim);
        const isLater = ran.some(({ name }) => name > victim.name);
        const broken: Record<string, readonly [readonly MigrationFile[], readonly MigrationFile[]]> = {
          edit: [[...rest, migration(victim.name, victim.phase, "edited")], ran],
          rename: [[...rest, { ...victim, name: `${victim.version}_other.sql` }], ran],
          delete: [rest, ran],
          late: [[...rest, migration(victim.name, "expand")], ran.filter((file) => file !== victim)],
        };
        const [now, has] = broken[kind] ?? [files, ran];
        fc.pre(kind !== "late" || isLater);
        const asked = contract === victim.name ? undefined : contract;
        const { problems } = planMigrations(now, applied(has), asked);
        expect(problems.map((problem) => problem.split(":")[0])).toEqual([victim.name]);
      }),
    );
  });
});
