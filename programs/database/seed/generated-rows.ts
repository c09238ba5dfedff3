import { since } from "./plan-rows.ts";
import type { Rows } from "./rows.ts";

/** How many tasks are generated, at least and at most; 20 teams and 50 users at least (S1-03). */
export const leastTasks = 200;
export const mostTasks = 2_000_000;

const leastTeams = 20;
const leastUsers = 50;
/** The first 20 teams have ten tasks each; each further one has 500, and brings five users along. */
const tasksOfTeam = 500;
const usersOfTeam = 5;
/** From here on the triggers that write a row for each row are off. */
const bulkFrom = 5_000;

/**
 * Generated rows around `tasks` tasks. Which rows these are depends on their numbers only, so that a larger number adds to a
 * smaller one: task n is always of the same team, and that team always has the same members.
 */
export function generatedRows(tasks: number): readonly Rows[] {
  const teams = leastTeams + Math.ceil((tasks - leastTasks) / tasksOfTeam);
  const users = leastUsers + (teams - leastTeams) * usersOfTeam;
  const bulk = tasks > bulkFrom;
  return [
    { table: "users", sql: usersSql, parameters: [users], bulk },
    { table: "teams", sql: teamsSql, parameters: [teams], bulk },
    { table: "team_members", sql: membersSql, parameters: [teams], bulk },
    { table: "projects", sql: projectsSql, parameters: [teams], bulk },
    { table: "tasks", sql: tasksSql, parameters: [tasks], bulk },
    { table: "comments", sql: commentsSql, parameters: [tasks], bulk },
    { table: "notifications", sql: notificationsSql, parameters: [tasks], bulk },
    { table: "time_entries", sql: timeSql, parameters: [tasks], bulk },
  ];
}

const usersSql = `
  insert into users (open_id, email, name, last_active_at, created_at)
  select 'seeded-' || n, 'seeded-' || n || '@test.com', 'Seeded User ' || n, ${since} + n * interval '1 hour', ${since}
  from generate_series(1, $1::integer) n
  where not exists (select from users u where u.open_id = 'seeded-' || n)
  order by n`;

/**
 * Who is in a team: of the first twenty five of the first fifty users each, so that everyone is in two; of a further one
 * its own five and those of the team before it. The first of a team leads and owns it.
 */
const member = (team: string, position: string) => `
  case when ${team} <= ${leastTeams} then ((${team} - 1) * ${usersOfTeam} + ${position} % ${usersOfTeam}) % ${leastUsers} + 1
  else ${leastUsers} + (${team} - ${leastTeams} - 1) * ${usersOfTeam} + 1 + case when ${position} % 10 < ${usersOfTeam} then ${position} % 10
    else ${position} % 10 - 2 * ${usersOfTeam} end end`;

const teamsSql = `
  insert into teams (name, owner_id, created_at)
  select 'Seeded Team ' || k, u.id, ${since}
  from generate_series(1, $1::integer) k join users u on u.open_id = 'seeded-' || (${member("k", "0")})
  where not exists (select from teams t where t.name = 'Seeded Team ' || k)
  order by k`;

// user-a and user-b are in teams without a member in common (S0-48).
const membersSql = `
  insert into team_members (team_id, user_id, role, joined_at)
  select t.id, u.id, case when given.position = 0 then 'lead' else 'member' end, ${since}
  from (
      select k, position, 'seeded-' || (${member("k", "position")}) as open_id
      from generate_series(1, $1::integer) k
        cross join generate_series(0, 9) position
      where position < case when k <= ${leastTeams} then ${usersOfTeam} else 10 end
      union all
      values (1, 10, 'user-a'), (3, 10, 'user-b')
    ) given
    join teams t on t.name = 'Seeded Team ' || given.k
    join users u on u.open_id = given.open_id
  where not exists (select from team_members m where m.team_id = t.id and m.user_id = u.id)
  order by given.k, given.position`;

const projectsSql = `
  insert into projects (team_id, name, created_at)
  select t.id, 'Seeded Project ' || p, ${since}
  from generate_series(1, $1::integer) k cross join generate_series(1, 2) p join teams t on t.name = 'Seeded Team ' || k
  where not exists (select from projects x where x.team_id = t.id and x.name = 'Seeded Project ' || p)
  order by k, p`;

/** Every generated task with its number, its team, its turn (0 to 9: what state it is in), and the numbers of its assignee and creator. */
const numbered = `
  with numbered as materialized (
    select n, k, (n + n / ${leastTeams}) % 10 as turn, ${member("k", "position")} as assignee, ${member("k", "(position + 1)")} as creator
    from (
      select n,
        case when n <= ${leastTasks} then (n - 1) % ${leastTeams} + 1
          else ${leastTeams} + 1 + (n - ${leastTasks} - 1) / ${tasksOfTeam} end as k,
        case when n <= ${leastTasks} then (n - 1) / ${leastTeams} else n end as position
      from generate_series(1, $1::integer) n
    ) task
  )`;

const tasksSql = `${numbered}
  insert into tasks (project_id, team_id, title, status, assignee_id, creator_id, due_at, created_at, updated_at)
  select p.id, t.id, 'Seeded task ' || n,
    case when turn < 4 then 'todo' when turn < 7 then 'in_progress' else 'done' end,
    a.id, c.id, ${since} + n * interval '1 minute' + interval '30 days',
    ${since} + n * interval '1 minute', ${since} + n * interval '1 minute'
  from numbered
    join teams t on t.name = 'Seeded Team ' || k
    join projects p on p.team_id = t.id and p.name = 'Seeded Project ' || (n / ${leastTeams} % 2 + 1)
    join users a on a.open_id = 'seeded-' || assignee
    join users c on c.open_id = 'seeded-' || creator
  where not exists (select from tasks x where x.team_id = t.id and x.title = 'Seeded task ' || n)
  order by n`;

/** The generated tasks as they are in the database, with their numbers. */
const stored = `
  stored as materialized (
    select numbered.n, turn, x.id, x.team_id, x.assignee_id, x.creator_id, x.created_at
    from numbered join teams t on t.name = 'Seeded Team ' || k
      join tasks x on x.team_id = t.id and x.title = 'Seeded task ' || n
  )`;

const commentsSql = `${numbered}, ${stored}
  insert into comments (task_id, team_id, author_id, body, created_at)
  select id, team_id, case when c = 1 then assignee_id else creator_id end, 'Seeded comment ' || c, created_at + c * interval '1 hour'
  from stored cross join generate_series(1, 2) c
  where c <= n % 3 and not exists (select from comments x where x.task_id = stored.id and x.body = 'Seeded comment ' || c)
  order by n, c`;

const notificationsSql = `${numbered}, ${stored}
  insert into notifications (user_id, task_id, team_id, kind, read_at, created_at)
  select assignee_id, id, team_id, 'assigned', case when n % 2 = 0 then created_at + interval '1 day' end, created_at
  from stored
  where not exists (
    select from notifications x where x.task_id = stored.id and x.user_id = stored.assignee_id and x.kind = 'assigned')
  order by n`;

const timeSql = `${numbered}, ${stored}
  insert into time_entries (task_id, team_id, user_id, started_at, ended_at)
  select id, team_id, assignee_id, created_at + interval '2 days', created_at + interval '2 days 45 minutes'
  from stored
  where turn >= 7 and not exists (
    select from time_entries x where x.task_id = stored.id and x.user_id = stored.assignee_id)
  order by n`;
