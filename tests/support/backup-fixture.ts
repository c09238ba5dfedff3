import type pg from "pg";
import { makeBookkeeping } from "../../programs/database/migrations/bookkeeping.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { names } from "./postgres.ts";

const app = names.application;

/**
 * A small schema with what can go wrong in a copy: row level security that binds its owner, too, a partitioned table, a
 * schema of its own, generated columns, a view, a trigger, and rights that a migration took away.
 */
const schema = `
insert into schema_migrations (version, name, phase, checksum, applied_at, duration_ms) values
  ('000', '000_base.sql', 'expand', repeat('a', 64), '2026-01-01', 1),
  ('001', '001_more.sql', 'contract', repeat('b', 64), '2026-01-02', 2);

create schema private;
grant usage on schema private to ${app}, ${names.backup};
create function private.subject() returns text language sql stable set search_path = ''
  as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub' $$;
create table private.notes (id integer primary key, note text);
grant select on private.notes to ${names.backup};
insert into private.notes values (1, 'kept'), (2, null);

create table users (id bigint generated always as identity primary key, open_id text not null unique,
  email text not null, lowered text generated always as (lower(email)) stored, settings jsonb, score double precision,
  seen interval, created_at timestamptz not null default '2026-01-02 03:04:05.678+09');
create table tasks (id bigint generated always as identity primary key, owner_id bigint not null references users,
  title text not null, due date, done boolean not null default false);
create index tasks_owner on tasks (owner_id);
create table events (id bigint generated always as identity, at date not null, what text) partition by range (at);
create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
create table attachments (id bigint generated always as identity primary key, content bytea not null);
create table audit_log (id bigint generated always as identity primary key, what text not null);
revoke update, delete on audit_log from ${app};
create view my_tasks with (security_invoker = true) as select * from tasks;

create function private.audit() returns trigger language plpgsql security definer set search_path = ''
  as $$ begin insert into public.audit_log (what) values (new.title); return new; end $$;
create trigger audit after insert on tasks for each row execute function private.audit();

insert into users (open_id, email, settings, score, seen)
  select 'user-' || n, 'Üser' || n || '@Example.org', jsonb_build_object('n', n), n / 7.0, n * interval '1 minute'
  from generate_series(1, 50) n;
insert into tasks (owner_id, title, due)
  select 1 + n % 50, 'task ' || n || E'\\n\\\\ "quoted"', '2026-01-01'::date + n % 300 from generate_series(1, 2000) n;
insert into events (at, what) select '2025-06-01'::date + n % 500, 'event ' || n from generate_series(1, 1000) n;

do $$ declare t text; begin
  foreach t in array array['users', 'tasks', 'events', 'events_2025', 'events_2026', 'attachments', 'audit_log'] loop
    execute format('alter table %I enable row level security; alter table %I force row level security', t, t);
  end loop;
end $$;
create policy own on users to ${app} using (open_id = (select private.subject()));
create policy own on tasks to ${app}
  using (owner_id in (select id from users where open_id = (select private.subject())));
`;

/** Makes the tables and their rows, the bookkeeping of the migrations among them; as the owner. */
export async function fillDatabase(owner: pg.Client, settings: ProgramSettings): Promise<void> {
  await makeBookkeeping(owner, settings);
  await owner.query(schema);
}

/** Rows of random bytes, which no compression makes smaller. */
export async function addAttachments(owner: pg.Client, rows: number, kibibytes: number): Promise<void> {
  await owner.query(
    `insert into attachments (content)
      select (select string_agg(sha256(random()::text::bytea || n::text::bytea || m::text::bytea), ''::bytea)
        from generate_series(1, $2::int) m)
      from generate_series(1, $1::int) n`,
    [rows, kibibytes * 32],
  );
}

/** MD5 over every row of every table in order, but for the record of operations, which goes on. To be asked as the superuser. */
export async function rowHashes(superuser: pg.Client): Promise<Readonly<Record<string, string>>> {
  const { rows: tables } = await superuser.query<{ name: string }>(`
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname in ('public', 'private') and c.relname <> 'database_operations' order by 1`);
  const hashes: [string, string][] = [];
  for (const { name } of tables) {
    const { rows } = await superuser.query<{ hash: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as hash from ${name} t`,
    );
    hashes.push([name, rows[0]?.hash ?? ""]);
  }
  return Object.fromEntries(hashes);
}
