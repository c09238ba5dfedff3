import { type MigrationFile, type Phase, versionOf } from "./file.ts";

/** A file that the database has, as its ledger (or the record of the stack) says. */
export interface AppliedMigration {
  readonly name: string;
  readonly phase: Phase;
  readonly checksum: string;
}

export interface MigrationPlan {
  /** What runs next, in this order. */
  readonly pending: readonly MigrationFile[];
  /** Contract files that wait until config names them, or a later one. */
  readonly held: readonly MigrationFile[];
  /** Each names its file and says what to do. With any of them nothing may run. */
  readonly problems: readonly string[];
}

/**
 * What a database still needs, from the files and from what it has. An empty database gets every file in order; any other
 * the expand files, and of the contract files those up to and including `contract`.
 * Pure: the preview asks it with the stack's record, the runner with the ledger.
 */
export function planMigrations(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
  contract: string | undefined,
): MigrationPlan {
  const has = new Set(applied.map(({ name }) => name));
  const open = files.filter(({ name }) => !has.has(name)).toSorted(byName);
  const asked = files.find(({ name, phase }) => name === contract && phase === "contract");
  const isHeld = (file: MigrationFile) =>
    applied.length > 0 && file.phase === "contract" && (asked === undefined || file.version > asked.version);
  const renamed = renames(open, files, applied);
  return {
    pending: open.filter((file) => !isHeld(file)),
    held: open.filter(isHeld),
    problems: [
      ...unknownContract(files, contract),
      ...changes(files, applied, renamed),
      ...open.filter(({ name }) => !renamed.has(name)).flatMap((file) => late(file, applied)),
    ],
  };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);

function unknownContract(files: readonly MigrationFile[], contract: string | undefined): readonly string[] {
  if (contract === undefined) return [];
  const found = files.find(({ name }) => name === contract);
  if (found?.phase === "contract") return [];
  const all = files.filter(({ phase }) => phase === "contract").map(({ name }) => name);
  return [
    `${contract}: asked for as the last contract file to run, but ${found ? "it is an expand file" : "there is no such file"}; ` +
      `allowed: ${all.length > 0 ? all.join(", ") : "nothing, as there is no contract file"}`,
  ];
}

/** New names of applied files that are otherwise unchanged, with their old ones. */
function renames(
  open: readonly MigrationFile[],
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): ReadonlyMap<string, string> {
  const there = new Set(files.map(({ name }) => name));
  const missing = applied.filter(({ name }) => !there.has(name));
  return new Map(
    open.flatMap(({ name, checksum }) => {
      const old = missing.find((each) => each.checksum === checksum);
      return old ? [[name, old.name] as const] : [];
    }),
  );
}

/** Applied files that are not there any more as they were. */
function changes(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
  renamed: ReadonlyMap<string, string>,
): readonly string[] {
  const now = new Map(files.map((file) => [file.name, file]));
  const called = new Map([...renamed].map(([name, old]) => [old, name]));
  return applied.toSorted(byName).flatMap(({ name, checksum }) => {
    const file = now.get(name);
    if (file?.checksum === checksum) return [];
    if (file) return [`${name}: edited after it was applied; restore its old text and put the change into a new file`];
    const other = called.get(name);
    if (other !== undefined) return [`${name}: applied, and called ${other} now; give it its old name back`];
    return [`${name}: applied, but not in the directory; restore the file as it was`];
  });
}

/**
 * A new file that comes before one that the database has: it would run in another order than on an empty database. A
 * contract file may have waited while expand files passed it by; an expand file never waits, so it is late after either.
 */
function late(file: MigrationFile, applied: readonly AppliedMigration[]): readonly string[] {
  const after = applied
    .toSorted(byName)
    .find(({ name, phase }) => name > file.name && (file.phase === "expand" || phase === "contract"));
  if (!after) return [];
  const last = applied.reduce((most, { name }) => Math.max(most, Number(versionOf(name) ?? 0)), 0);
  return [
    `${file.name}: new, but ${after.name} was applied already; give it a number above ${String(last).padStart(3, "0")}`,
  ];
}
