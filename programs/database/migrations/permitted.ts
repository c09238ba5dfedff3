import { splitStatements } from "./statements.ts";

/** Statements that would end the transaction that a file runs in, and with it the promise that all of it happens or nothing. */
const transactionControl = new Set(["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"]);

const quotedOrNot = /(?:"(?:[^"]|"")*"|[^\s"]+)/.source;
const builds = new RegExp(`^create (?:unique )?index concurrently if not exists (${quotedOrNot}) on `);

/** What runs outside a transaction, in a form that may run again after it was killed half way. */
const outside: readonly { readonly pattern: RegExp; readonly form: string }[] = [
  {
    pattern: builds,
    form: "CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON …",
  },
  { pattern: /^drop index concurrently if exists /, form: "DROP INDEX CONCURRENTLY IF EXISTS name" },
  { pattern: /^reindex (?:index|table) concurrently /, form: "REINDEX INDEX CONCURRENTLY name" },
  {
    pattern: new RegExp(`^alter type ${quotedOrNot}(?: \\. ${quotedOrNot})? add value if not exists `),
    form: "ALTER TYPE name ADD VALUE IF NOT EXISTS …",
  },
  { pattern: /^vacuum\b/, form: "VACUUM …" },
];

/** Why a file's statements may not run as a migration; empty: they may. */
export function refusedStatements(sql: string, transaction: boolean): readonly string[] {
  const split = splitStatements(sql);
  if ("unfinished" in split) return [`line ${split.line}: ${split.unfinished} begins here and has no end`];
  const { statements } = split;
  if (statements.length === 0) return ["no statement"];
  if (transaction)
    return statements
      .filter(
        ({ tokens: [first = "", second] }) =>
          transactionControl.has(first) || `${first} ${second}` === "prepare transaction",
      )
      .map(
        ({ line, tokens: [first = ""] }) =>
          `line ${line}: ${first.toUpperCase()} would break the transaction that the whole file runs in; leave it out`,
      );
  if (statements.length > 1)
    return [
      `${statements.length} statements; allowed with no-transaction: exactly one, the rest in files of their own`,
    ];
  const said = statements[0]?.tokens.join(" ") ?? "";
  if (outside.some(({ pattern }) => pattern.test(said))) return [];
  return [
    `this statement may not run without a transaction; allowed, as they may run again after a kill: ${outside
      .map(({ form }) => form)
      .join(", ")}; for anything else remove the directive`,
  ];
}

/** The index that a file of one statement builds, as written after IF NOT EXISTS; undefined when it builds none. */
export function builtIndex(sql: string): string | undefined {
  const split = splitStatements(sql);
  const said = "statements" in split ? split.statements[0]?.tokens.join(" ") : undefined;
  return builds.exec(said ?? "")?.[1];
}
