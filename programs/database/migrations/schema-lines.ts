import type { ClientBase } from "pg";

/** What is ours: neither PostgreSQL's own nor temporary. */
const ours = "nspname !~ '^pg_' and nspname <> 'information_schema'";

/** Rights as text, in an order of their own; those that PostgreSQL gives by itself are written out. */
const rights = (kind: string, acl: string, owner: string) => granted(`coalesce(${acl}, acldefault(${kind}, ${owner}))`);
const granted = (acl: string) =>
  `(select string_agg(grantee::regrole || '=' || privilege_type, ' ' order by grantee::regrole::text, privilege_type)
    from aclexplode(${acl}))`;

const queries: readonly string[] = [
  `select format('extension %s %s', extname, extversion) from pg_extension`,
  `select format('schema %I owner %s rights %s', nspname, nspowner::regrole, ${rights("'n'", "nspacl", "nspowner")})
   from pg_namespace where ${ours}`,
  `select format('relation %s kind %s owner %s row security %s/%s options %s rights %s', c.oid::regclass, relkind, relowner::regrole,
     relrowsecurity, relforcerowsecurity, reloptions, ${rights(`case relkind when 'S' then 's' else 'r' end::"char"`, "relacl", "relowner")})
   from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and ${ours}`,
  `select format('column %s.%I %s%s default %s identity %s generated %s collation %s rights %s', attrelid::regclass, attname,
     format_type(atttypid, atttypmod), case when attnotnull then ' not null' else '' end, pg_get_expr(adbin, adrelid),
     attidentity, attgenerated, attcollation::regcollation, ${granted("attacl")})
   from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
   left join pg_attrdef on adrelid = attrelid and adnum = attnum
   where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm', 'f') and ${ours}`,
  `select format('constraint %I on %s%s %s', conname, conrelid::regclass, contypid::regtype, pg_get_constraintdef(c.oid))
   from pg_constraint c join pg_namespace n on n.oid = connamespace where ${ours}`,
  `select format('index %s valid %s', pg_get_indexdef(indexrelid), indisvalid)
   from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = relnamespace where ${ours}`,
  `select format('view %s %s', c.oid::regclass, pg_get_viewdef(c.oid))
   from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in ('v', 'm') and ${ours}`,
  `select format('rule %s', pg_get_ruledef(r.oid))
   from pg_rewrite r join pg_class c on c.oid = ev_class join pg_namespace n on n.oid = relnamespace
   where rulename <> '_RETURN' and ${ours}`,
  `select format('trigger %s enabled %s', pg_get_triggerdef(t.oid), tgenabled)
   from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = relnamespace
   where not tgisinternal and ${ours}`,
  `select format('policy %I on %s %s permissive %s to %s using %s check %s', polname, polrelid::regclass, polcmd, polpermissive,
     (select string_agg(case role when 0 then 'public' else role::regrole::text end, ', ' order by role::regrole::text)
       from unnest(polroles) role), pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
   from pg_policy join pg_class c on c.oid = polrelid join pg_namespace n on n.oid = relnamespace where ${ours}`,
  `select format('function %s owner %s rights %s %s', p.oid::regprocedure, proowner::regrole, ${rights("'f'", "proacl", "proowner")},
     case when prokind in ('f', 'p') then pg_get_functiondef(p.oid) end)
   from pg_proc p join pg_namespace n on n.oid = pronamespace where ${ours}`,
  `select format('type %s kind %s base %s labels %s', t.oid::regtype, typtype, nullif(typbasetype, 0)::regtype,
     (select string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid))
   from pg_type t join pg_namespace n on n.oid = typnamespace where typtype in ('e', 'd', 'r') and ${ours}`,
  `select format('sequence %s as %s start %s by %s from %s to %s cycle %s', seqrelid::regclass, seqtypid::regtype, seqstart,
     seqincrement, seqmin, seqmax, seqcycle)
   from pg_sequence join pg_class c on c.oid = seqrelid join pg_namespace n on n.oid = relnamespace where ${ours}`,
  `select format('default rights of %s in %s on %s: %s', defaclrole::regrole, nullif(defaclnamespace, 0)::regnamespace, defaclobjtype,
     ${granted("defaclacl")}) from pg_default_acl`,
];

/**
 * A schema in lines of text, sorted: two databases with the same lines have the same tables, rights, policies, functions and
 * whatever else a migration makes. Not in them: rows, and the order of columns. What `pg_dump -s` would tell, without pg_dump.
 */
export async function schemaLines(client: ClientBase): Promise<readonly string[]> {
  const lines: string[] = [];
  await client.query("begin transaction read only");
  try {
    // Names come out with their schema then, whoever asks.
    await client.query("set local search_path = pg_catalog");
    for (const query of queries) {
      const { rows } = await client.query<{ line: string }>(`select line from (${query}) each (line)`);
      lines.push(...rows.map(({ line }) => line));
    }
  } finally {
    await client.query("rollback");
  }
  return lines.sort();
}

/** What one schema has and the other has not: its lines with a sign, as a diff writes them. Empty: they are the same. */
export function schemaDifferences(before: readonly string[], after: readonly string[]): readonly string[] {
  const [had, has] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
}
