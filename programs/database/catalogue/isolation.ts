import { access } from "node:fs/promises";
import { join } from "node:path";
import type { ClientBase } from "pg";
import { connect } from "../connection.ts";
import type { ProgramSettings } from "../settings.ts";

/** What one reader was shown, beside what the stored memberships say. */
export interface Sight {
  /** Who asked for what, as "tasks as a member". */
  readonly who: string;
  readonly found: string;
  readonly wanted: string;
}

/**
 * What a login that row level security binds is shown under different claims (S0-21, S0-27..30, S0-49), against what the
 * migrator counts from the stored rows; both look at the same moment. Changes nothing.
 * @returns undefined when there is no password of such a login
 */
export async function sights(settings: ProgramSettings, migrator: ClientBase): Promise<readonly Sight[] | undefined> {
  const login = await boundLogin(settings);
  if (login === undefined) return undefined;
  await migrator.query("begin isolation level repeatable read read only");
  const reader = await connect(settings, { login, name: "golive verify" });
  try {
    const { rows } = await migrator.query<{ snapshot: string }>("select pg_export_snapshot() as snapshot");
    await reader.query("begin isolation level repeatable read read only");
    await reader.query(`set transaction snapshot '${rows[0]?.snapshot}'`);
    return [await withoutClaims(reader), ...(await tasksOf(reader, migrator))];
  } finally {
    await reader.end();
    await migrator.query("rollback");
  }
}

/** A login that row level security binds, whose password is at hand: a reader before the application. */
export async function boundLogin({ roles, logins, passwords }: ProgramSettings): Promise<string | undefined> {
  const bound = roles.filter(
    ({ name, login, bypassRowSecurity }) => login && !bypassRowSecurity && name !== logins.exporter,
  );
  for (const { name } of bound.toReversed()) {
    const there = await access(join(passwords, name)).then(
      () => true,
      () => false,
    );
    if (there) return name;
  }
  return undefined;
}

async function withoutClaims(reader: ClientBase): Promise<Sight> {
  const { rows: tables } = await reader.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name
     from pg_class c join pg_namespace n on n.oid = relnamespace
     where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema'
       and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
     order by 1`,
  );
  const open: string[] = [];
  for (const { name } of tables) {
    const { rows } = await reader.query<{ some: boolean }>(`select exists (select from ${name}) as some`);
    if (rows[0]?.some !== false) open.push(name);
  }
  return {
    who: "any row without claims",
    found: open.length === 0 ? `none in ${tables.length} tables` : `rows of ${open.join(", ")}`,
    wanted: `none in ${tables.length} tables`,
  };
}

interface Person {
  readonly kind: string;
  readonly sub: string;
  /** The claim `role`. */
  readonly role: string;
  /** The claim `teams`. */
  readonly teams: readonly number[];
  /** How many tasks the stored rows give them. */
  readonly tasks: number;
}

/** One person of each kind that there is; none in a database without people, or without tasks. */
const people = `
  with someone as (
    (select 1 as place, 'as a member of a team' as kind, id, 'user' as role from users u
      where u.role = 'user' and exists (select from team_members m where m.user_id = u.id) order by id limit 1)
    union all
    (select 2, 'as someone without a team', id, 'user' from users u
      where u.role = 'user' and not exists (select from team_members m where m.user_id = u.id) order by id limit 1)
    union all
    (select 3, 'with a forged claim of all teams', id, 'forged' from users u
      where u.role = 'user' order by exists (select from team_members m where m.user_id = u.id), id limit 1)
    union all
    (select 4, 'with a forged claim to be an admin', id, 'admin' from users u where u.role = 'user' order by id limit 1)
    union all
    (select 5, 'as an admin', id, 'admin' from users u where u.role = 'admin' order by id limit 1)
  )
  select kind, open_id as sub, case someone.role when 'forged' then 'user' else someone.role end as role,
    case someone.role when 'forged' then array(select id from teams) else '{}' end as teams,
    (select count(*)::int from tasks t
      where u.role = 'admin' or t.assignee_id = u.id or t.creator_id = u.id
        or t.team_id in (select team_id from team_members m where m.user_id = u.id)) as tasks
  from someone join users u using (id) order by place`;

async function tasksOf(reader: ClientBase, migrator: ClientBase): Promise<readonly Sight[]> {
  const { rows: tables } = await migrator.query<{ there: boolean }>(
    "select to_regclass('tasks') is not null and to_regclass('team_members') is not null as there",
  );
  if (tables[0]?.there !== true) return [];
  const { rows } = await migrator.query<Person>(people);
  const seen: Sight[] = [];
  for (const { kind, tasks, ...claims } of rows) {
    await reader.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claims)]);
    const { rows: counted } = await reader.query<{ count: number }>("select count(*)::int from tasks");
    seen.push({ who: `tasks ${kind}`, found: String(counted[0]?.count), wanted: String(tasks) });
  }
  return seen;
}
