import type { Rows } from "./rows.ts";

/** One moment for all rows of the plan, so that every run makes the same rows. */
export const since = "timestamptz '2026-01-05 09:00+00'";

const users = [
  ["user1", "user1@test.com", "Test User 1", "user"],
  ["user2", "user2@test.com", "Test User 2", "user"],
  ["admin", "admin@test.com", "Admin User", "admin"],
];
const teams = [
  ["Engineering", "user1"],
  ["Product", "user2"],
];
const projects = [
  ["TaskFlow Core", "Engineering"],
  ["TaskFlow AI", "Engineering"],
];
const tasks = [
  ["Setup Database", "TaskFlow Core", "user1"],
  ["Implement RLS", "TaskFlow Core", "user2"],
  ["Train AI Model", "TaskFlow AI", "admin"],
];

/**
 * Whom the plan's own checks ask for by name, and whom it does not seed: a member of team 1 and somebody who is not (S0-49), and
 * two users without a task in common (S0-48). The first is in Engineering; the last two join generated teams.
 */
const asked = [
  ["member", "member@test.com", "Team Member", "user"],
  ["non-member", "non-member@test.com", "Not A Member", "user"],
  ["user-a", "user-a@test.com", "User A", "user"],
  ["user-b", "user-b@test.com", "User B", "user"],
];

const columns = (lists: readonly (readonly string[])[]) =>
  (lists[0] ?? []).map((_, column) => lists.map((row) => row[column] ?? ""));

const usersSql = `
  insert into users (open_id, email, name, role, created_at)
  select given.open_id, given.email, given.name, given.role, ${since}
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as given (open_id, email, name, role, n)
  where not exists (select from users u where u.open_id = given.open_id)
  order by n`;

/**
 * The rows of the plan, in its order (S0-09..12). Nobody has a password: a seeded account is for claims, and nobody logs in as
 * one. Tasks have no creator and an owner is no member, so user1 sees one task, as S0-21 has it.
 */
export const planRows: readonly Rows[] = [
  { table: "users", sql: usersSql, parameters: columns(users) },
  { table: "users", sql: usersSql, parameters: columns(asked) },
  {
    table: "teams",
    sql: `
      insert into teams (name, owner_id, created_at)
      select given.name, u.id, ${since}
      from unnest($1::text[], $2::text[]) with ordinality as given (name, owner, n) join users u on u.open_id = given.owner
      where not exists (select from teams t where t.name = given.name and t.owner_id = u.id)
      order by n`,
    parameters: columns(teams),
  },
  {
    table: "projects",
    sql: `
      insert into projects (name, team_id, created_at)
      select given.name, t.id, ${since}
      from unnest($1::text[], $2::text[]) with ordinality as given (name, team, n)
        join teams t on t.name = given.team join users u on u.id = t.owner_id and u.open_id = 'user1'
      where not exists (select from projects p where p.name = given.name and p.team_id = t.id)
      order by n`,
    parameters: columns(projects),
  },
  {
    table: "tasks",
    sql: `
      insert into tasks (project_id, team_id, title, assignee_id, created_at, updated_at)
      select p.id, p.team_id, given.title, a.id, ${since}, ${since}
      from unnest($1::text[], $2::text[], $3::text[]) with ordinality as given (title, project, assignee, n)
        join projects p on p.name = given.project join teams t on t.id = p.team_id and t.name = 'Engineering'
        join users o on o.id = t.owner_id and o.open_id = 'user1' join users a on a.open_id = given.assignee
      where not exists (select from tasks x where x.project_id = p.id and x.title = given.title)
      order by n`,
    parameters: columns(tasks),
  },
  {
    table: "team_members",
    sql: `
      insert into team_members (team_id, user_id, joined_at)
      select t.id, m.id, ${since}
      from teams t join users o on o.id = t.owner_id and o.open_id = 'user1' join users m on m.open_id = 'member'
      where t.name = 'Engineering'
        and not exists (select from team_members x where x.team_id = t.id and x.user_id = m.id)`,
  },
];
