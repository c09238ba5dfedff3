/**
 * The sample's own tables, made at the first start. Whoever is asked for is set per transaction in
 * `request.jwt.claims`, as PostgREST does: `sub` and `role` of the token, or the role `login` with an email for the
 * two moments when there is no token yet. No signed token can carry that role.
 *
 * FORCE, because the role that creates the tables is the one that the service logs in with. `nullif`, because after a
 * transaction an unset parameter is '' and not null. `(select …)`, so that a claim is read once and not per row.
 */
export const schema: readonly string[] = [
  `create table if not exists users (
    id integer generated always as identity primary key,
    open_id text not null unique default gen_random_uuid()::text,
    email text not null unique,
    name text not null,
    role text not null default 'user' check (role in ('user', 'admin')),
    password_hash text not null,
    created_at timestamptz not null default now()
  )`,
  `create table if not exists tasks (
    id integer generated always as identity primary key,
    owner_open_id text not null references users (open_id) on delete cascade,
    title text not null check (char_length(title) between 1 and 200),
    status text not null default 'todo' check (status in ('todo', 'in_progress', 'done')),
    created_at timestamptz not null default now()
  )`,
  "create index if not exists idx_tasks_owner_open_id_id on tasks (owner_open_id, id desc)",
  "alter table users enable row level security",
  "alter table users force row level security",
  "alter table tasks enable row level security",
  "alter table tasks force row level security",
  `create policy users_read on users for select using (
    open_id = (select ${claim("sub")})
    or ((select ${claim("role")}) = 'login' and email = (select ${claim("email")}))
    or (select ${claim("role")}) = 'admin'
  )`,
  `create policy users_register on users for insert with check (
    (select ${claim("role")}) = 'login' and email = (select ${claim("email")}) and role = 'user'
  )`,
  `create policy tasks_read on tasks for select using (
    owner_open_id = (select ${claim("sub")}) or (select ${claim("role")}) = 'admin'
  )`,
  `create policy tasks_create on tasks for insert with check (owner_open_id = (select ${claim("sub")}))`,
];

function claim(name: "sub" | "role" | "email"): string {
  return `nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> '${name}'`;
}
