import { type SchemaCounts, schemaCounts } from "./catalogue/counts.ts";
import { catalogueOptions, checks, type Finding, findings } from "./catalogue/findings.ts";
import { type Sight, sights } from "./catalogue/isolation.ts";
import { connect } from "./connection.ts";
import { explaining } from "./database-error.ts";
import { readLedger } from "./migrations/bookkeeping.ts";
import type { ProgramSettings } from "./settings.ts";

/** The least number of indexes in schema public (S0-25). */
export const leastIndexes = 40;

/** One line of the table that `golive database verify` prints. */
export interface VerifyRow {
  readonly check: string;
  readonly found: string;
  readonly wanted: string;
  readonly ok: boolean;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly rows: readonly VerifyRow[];
}

/** What `verify` looked up. */
export interface VerifyFacts {
  readonly counts: SchemaCounts;
  /** The files of schema_migrations, oldest first; undefined: no such table. */
  readonly ledger: readonly { readonly name: string }[] | undefined;
  /** Undefined: no login to look through. */
  readonly sights: readonly Sight[] | undefined;
  readonly findings: readonly Finding[];
}

/**
 * The queries of S0-18..21, what different readers are shown, and every rule of the catalogue, on the live database (S0-63,
 * S1-04). Writes nothing.
 * @throws Problem when the server cannot be reached
 */
export async function verify(settings: ProgramSettings, log: (line: string) => void): Promise<VerifyResult> {
  const client = await connect(settings, { login: settings.logins.migrator, name: "golive verify" });
  try {
    return await explaining(`verifying ${settings.database}`, async () => {
      const result = judge({
        counts: await schemaCounts(client),
        ledger: await readLedger(client),
        sights: await sights(settings, client),
        findings: await findings(client, catalogueOptions(settings)),
      });
      const gaps = result.rows.filter(({ ok }) => !ok);
      log(
        gaps.length === 0 ? `${result.rows.length} checks hold` : `${gaps.length} of ${result.rows.length} checks fail`,
      );
      return result;
    });
  } finally {
    await client.end();
  }
}

/** What the facts come to, one row a check, in the order in which one reads them. */
export function judge({ counts, ledger, sights: seen, findings: found }: VerifyFacts): VerifyResult {
  const rows: readonly VerifyRow[] = [
    {
      check: "ledger",
      found:
        ledger === undefined
          ? "no table schema_migrations"
          : `${ledger.length} files, last ${ledger.at(-1)?.name ?? "none"}`,
      wanted: "schema_migrations with the applied files",
      ok: ledger !== undefined && ledger.length > 0,
    },
    {
      check: "indexes",
      found: String(counts.indexes),
      wanted: `${leastIndexes} or more`,
      ok: counts.indexes >= leastIndexes,
    },
    {
      check: "tables with row level security",
      found: `${counts.tables - counts.unprotected.length} of ${counts.tables}${counts.unprotected.length > 0 ? `; not: ${counts.unprotected.join(", ")}` : ""}`,
      wanted: "all, and one or more",
      ok: counts.tables > 0 && counts.unprotected.length === 0,
    },
    {
      check: "policies",
      found: String(counts.policies),
      wanted: `${counts.tables} or more, one for each table`,
      ok: counts.policies >= counts.tables,
    },
    ...isolationRows(seen),
    ...checks.map(({ name, wanted }) => {
      const broken = found.filter(({ check }) => check === name);
      return {
        check: name,
        found: broken.length === 0 ? "nothing" : broken.map(({ object, text }) => `${object}: ${text}`).join("\n"),
        wanted,
        ok: broken.length === 0,
      };
    }),
  ];
  return { ok: rows.every(({ ok }) => ok), rows };
}

function isolationRows(seen: readonly Sight[] | undefined): readonly VerifyRow[] {
  if (seen !== undefined) {
    return seen.map(({ who, found, wanted }) => ({ check: who, found, wanted, ok: found === wanted }));
  }
  return [
    {
      check: "what readers are shown",
      found: "no password of a login that row level security binds",
      wanted: "a file with one in the directory of passwords, as of the read-only login",
      ok: false,
    },
  ];
}
