import type pg from "pg";
import { seededTables } from "../../programs/database/seed/rules.ts";

/** The rows of a query, each a list of its values. */
export async function rowsOf(client: pg.ClientBase, sql: string): Promise<readonly unknown[][]> {
  return (await client.query({ text: sql, rowMode: "array" })).rows;
}

/** Number and hash of all rows of each table of the application. */
export async function hashesOf(client: pg.ClientBase): Promise<readonly unknown[][]> {
  const tables = [...seededTables, "user_credentials", "refresh_tokens", "audit_log"];
  const each = tables.map(
    (table) => `select '${table}', count(*), md5(string_agg(t::text, '|' order by t::text)) from ${table} t`,
  );
  return await rowsOf(client, each.join(" union all "));
}
