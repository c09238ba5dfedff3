import type { Break } from "./break.ts";

const live = "tests/live/database-commands.test.ts";
const run = "tests/unit/cli-database-run.test.ts";
const line = "tests/unit/cli-database.test.ts";
const bench = "tests/unit/cli-bench.test.ts";

/** What `golive database` and `golive bench database` promise to whoever runs them. */
export const breaks: readonly Break[] = [
  {
    promise: "A check that does not hold gives an exit code other than 0.",
    file: "cli/database.ts",
    find: "return done && finished.result?.ok !== false ? 0 : 1;",
    replace: "return 0;",
    test: live,
    name: "ends with 1 when a check does not hold",
  },
  {
    promise: "After a restore the next pulumi up meets no conflict over the record of the schema.",
    file: "cli/database/record.ts",
    find: "const owner = ownerOf(live);",
    replace: "const owner = ownerOf({});",
    test: live,
    name: "takes a backup, restores it over what came later",
  },
  {
    promise: "After a restore the record tells what the restored database has, not what was there before.",
    file: "cli/database/record.ts",
    find: 'readRecord(ledger, "the ledger of the restored database").applied',
    replace: "readRecord(data).applied",
    test: line,
    name: "is recorded: the restored ledger in place of the old one",
  },
  {
    promise: "A command leaves no Job behind.",
    file: "cli/database/run.ts",
    find: "  await cluster.remove(name);\n  forget();",
    replace: "  forget();",
    test: run,
    name: "tells each line once",
  },
  {
    promise: "A command that is stopped on the way leaves no Job behind.",
    file: "cli/database/run.ts",
    find: "() => cluster.remove(name));\n  const job",
    replace: "async () => {});\n  const job",
    test: run,
    name: "that is stopped on the way leaves no Job",
  },
  {
    promise: "A moment without the cluster does not end a restore half way.",
    file: "cli/database/run.ts",
    find: "if (!(error instanceof Unreachable)) throw error;",
    replace: "if (error instanceof Error) throw error;",
    test: run,
    name: "goes on when the cluster is out of sight for a moment",
  },
  {
    promise: "Nobody's rows are replaced without a yes.",
    file: "cli/database/confirm.ts",
    find: "if (answer.trim() !== stack) {",
    replace: 'if (answer.trim() === "no") {',
    test: line,
    name: "is refused on another answer",
  },
  {
    promise: "Seeding production is refused before the cluster is asked.",
    file: "cli/database.ts",
    find: 'if (word !== "seed" || environment !== "production") return;',
    replace: 'if (word !== "seed" || environment !== "staging") return;',
    test: line,
    name: "is refused in production before the cluster is asked",
  },
  {
    promise: "A query that is too slow fails the bench.",
    file: "cli/bench/figures.ts",
    find: "figures.p95 < limit;",
    replace: "figures.median < limit;",
    test: bench,
    name: "says what fails, each with its figure",
  },
  {
    promise: "A plan that reads a big table from end to end fails the bench.",
    file: "cli/bench/explain.ts",
    find: "if (whole.length > 0) return",
    replace: "if (whole.length > 1) return",
    test: bench,
    name: "that reads a big table whole",
  },
];
