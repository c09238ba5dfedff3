import type pg from "pg";
import type { Role } from "../../components/database/roles.ts";
import type { Check } from "../../programs/database/catalogue/check.ts";

/** The checks of the catalogue and what each wants, as a table of Markdown. */
export function checksTable(checks: readonly Pick<Check, "name" | "wanted">[]): string {
  return [
    "| check | wanted |",
    "| --- | --- |",
    ...checks.map(({ name, wanted }) => `| \`${name}\` | ${wanted} |`),
  ].join("\n");
}

/** The roles of an application and what each may do, as a table of Markdown. */
export function rolesTable(roles: readonly Role[]): string {
  const rows = roles.map(
    ({ name, purpose, login, memberOf, bypassRowSecurity, createDatabase, connectionLimit, rights }) => [
      `\`${name}\``,
      login ? "login" : "group",
      purpose,
      memberOf.map((group) => `\`${group}\``).join(", ") || "-",
      bypassRowSecurity ? "bypassed" : "binds",
      [...rights.database, ...rights.schema].join(", ") || "-",
      rights.tables.join(", ") || "-",
      rights.sequences.join(", ") || "-",
      [
        createDatabase ? "makes databases" : "",
        connectionLimit === undefined ? "" : `${connectionLimit} connections at most`,
      ]
        .filter((each) => each !== "")
        .join("; ") || "-",
    ],
  );
  const header = [
    "role",
    "kind",
    "what for",
    "member of",
    "row level security",
    "database, schema",
    "tables",
    "sequences",
    "more",
  ];
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly key: string;
}

interface Reference {
  readonly from: string;
  readonly to: string;
  readonly columns: string;
  readonly optional: boolean;
  readonly single: boolean;
}

/** The tables of schema public with their columns, keys and references, as a diagram of Mermaid (S2-31). */
export async function schemaDiagram(client: pg.ClientBase): Promise<string> {
  const { rows: columns } = await client.query<Column>(columnsSql);
  const { rows: references } = await client.query<Reference>(referencesSql);
  const tables = Map.groupBy(columns, ({ table }) => table);
  const boxes = [...tables].flatMap(([table, all]) => [
    `  ${table} {`,
    ...all.map(({ type, name, key }) => `    ${type} ${name}${key === "" ? "" : ` ${key}`}`),
    "  }",
  ]);
  // The side of the parent first: exactly one, or none; then how many rows may point at it.
  const lines = references.map(
    ({ from, to, columns: by, optional, single }) =>
      `  ${to} ${optional ? "|o" : "||"}--${single ? "o|" : "o{"} ${from} : "${by}"`,
  );
  return ["```mermaid", "erDiagram", ...boxes, ...lines, "```"].join("\n");
}

const columnsSql = `
  select c.relname as table, a.attname as name,
    case t.typname when 'int4' then 'integer' when 'int8' then 'bigint' when 'bool' then 'boolean' else t.typname end as type,
    concat_ws(', ',
      case when exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any (k.conkey)) then 'PK' end,
      case when exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey)) then 'FK' end,
      case when exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'u' and k.conkey = array[a.attnum]) then 'UK' end
    ) as key
  from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
  order by c.relname, a.attnum`;

const referencesSql = `
  select k.conrelid::regclass::text as from, k.confrelid::regclass::text as to,
    (select string_agg(a.attname, ', ' order by n)
     from unnest(k.conkey) with ordinality as part (attnum, n) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = part.attnum
    ) as columns,
    exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey) and not a.attnotnull) as optional,
    exists (select from pg_constraint u where u.conrelid = k.conrelid and u.contype in ('p', 'u') and u.conkey <@ k.conkey) as single
  from pg_constraint k
  where k.contype = 'f' and k.connamespace = 'public'::regnamespace
  order by 1, 2, 3`;
