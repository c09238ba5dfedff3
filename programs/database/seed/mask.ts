import { createHmac, hkdfSync } from "node:crypto";
import type { BackupKey } from "../backup/key.ts";
import { Problem } from "../problem.ts";
import type { Rule, Rules } from "./rules.ts";

/** A row as JSON: numbers and times as PostgreSQL writes them. */
export type Row = Readonly<Record<string, unknown>>;

/** Masks the rows of one database, in the same way each time. */
export class Mask {
  readonly #key: Buffer;
  readonly #rules: Rules;

  /** @param key of the stack that the rows come into: without it nobody can try which name a hash was made of. */
  constructor(key: BackupKey, rules: Rules) {
    this.#key = Buffer.from(hkdfSync("sha256", key.text, "", "golive masking 1", 32));
    this.#rules = rules;
  }

  /** @throws Problem that names the columns of a table for which there is no rule. */
  requireRules(table: string, columns: readonly string[]): void {
    const known = this.#rules[table] ?? {};
    const unknown = columns.filter((column) => !Object.hasOwn(known, column));
    if (unknown.length === 0) return;
    const names = unknown.map((column) => `${table}.${column}`).join(", ");
    throw new Problem(
      `no rule says what becomes of ${names} when a dump is loaded elsewhere; nothing was loaded. Decide it in programs/database/seed/rules.ts`,
    );
  }

  /** A row with personal data masked. Null stays null: it says that there is nothing. */
  row(table: string, row: Row): Row {
    this.requireRules(table, Object.keys(row));
    const masked = Object.entries(this.#rules[table] ?? {}).filter(([column]) => Object.hasOwn(row, column));
    return Object.fromEntries(masked.map(([column, rule]) => [column, this.#value(rule, row[column])]));
  }

  #value(rule: Rule, value: unknown): unknown {
    if (value === null || rule === "keep") return value;
    if (rule === "open id") return `masked-${this.#hash(rule, value)}`;
    if (rule === "email") return `${this.#hash(rule, value)}@masked.test`;
    return "text" in rule ? rule.text : `${rule.name} ${this.#hash(rule.name, value)}`;
  }

  #hash(purpose: string, value: unknown): string {
    return createHmac("sha256", this.#key)
      .update(`${purpose}\0${String(value)}`)
      .digest("hex")
      .slice(0, 16);
  }
}
