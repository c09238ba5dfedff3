import type pg from "pg";

/** Somebody who asks: a user of a large team, that team, and a task of it that has comments. */
export interface Person {
  readonly id: number;
  readonly sub: string;
  readonly team: number;
  readonly task: number;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** One of the queries that the plan names (S0-35, S0-37), as the application asks it, and without row level security. */
export interface BenchQuery {
  readonly name: string;
  /** What the application sends. The policies apply to it. */
  readonly guarded: (person: Person) => Statement;
  /** The same rows for a role that no policy binds: what the policies ask stands in the query. */
  readonly plain: (person: Person) => Statement;
}

const columns =
  'id, title, status, project_id as "projectId", team_id as "teamId", assignee_id as "assigneeId", created_at';
/** A page of the application's lists (local/sample/tasks.ts). */
const newest = "order by id desc limit 100";
/** What the policy of tasks asks, for user $1. */
const mine = (task: string) =>
  `(${task}.team_id in (select m.team_id from team_members m where m.user_id = $1) or ${task}.assignee_id = $1 or ${task}.creator_id = $1)`;
const myTeam = "exists (select from team_members me where me.team_id = $2 and me.user_id = $1)";

/** The tasks in a state of the user with claim $1: the newest of each of their teams, and of their own. */
const inProgress = `
  with me as materialized (select id from users where open_id = $1)
  select * from (
    select own.* from team_members m
      cross join lateral (select ${columns} from tasks where team_id = m.team_id and status = 'in_progress' ${newest}) own
    where m.user_id = (select id from me)
    union (select ${columns} from tasks where assignee_id = (select id from me) and status = 'in_progress' ${newest})
    union (select ${columns} from tasks where creator_id = (select id from me) and status = 'in_progress' ${newest})
  ) own ${newest}`;

const withComments = (condition: string) => `
  select t.id, t.title, t.status, c.id as comment, c.body, c.created_at, u.name
  from tasks t left join comments c on c.task_id = t.id left join users u on u.id = c.author_id
  where ${condition} order by c.created_at, c.id`;

const members = (condition: string) => `
  select u.id, u.name, m.role from team_members m join users u on u.id = m.user_id where ${condition} order by u.id`;

const notifications = `
  select id, kind, task_id, read_at, created_at from notifications where user_id = $1 order by created_at desc, id desc limit 50`;

export const benchQueries: readonly BenchQuery[] = [
  {
    name: "tasks by team",
    guarded: ({ team }) => ({ text: `select ${columns} from tasks where team_id = $1 ${newest}`, values: [team] }),
    plain: ({ id, team }) => ({
      text: `select ${columns} from tasks where team_id = $2 and ${myTeam} ${newest}`,
      values: [id, team],
    }),
  },
  {
    name: "tasks by status",
    guarded: ({ sub }) => ({ text: inProgress, values: [sub] }),
    plain: ({ sub }) => ({ text: inProgress, values: [sub] }),
  },
  {
    name: "task with comments",
    guarded: ({ task }) => ({ text: withComments("t.id = $1"), values: [task] }),
    plain: ({ id, task }) => ({ text: withComments(`t.id = $2 and ${mine("t")}`), values: [id, task] }),
  },
  {
    name: "team members",
    guarded: ({ team }) => ({ text: members("m.team_id = $1"), values: [team] }),
    plain: ({ id, team }) => ({ text: members(`m.team_id = $2 and ${myTeam}`), values: [id, team] }),
  },
  {
    name: "user notifications",
    guarded: ({ id }) => ({ text: notifications, values: [id] }),
    plain: ({ id }) => ({ text: notifications, values: [id] }),
  },
];

/** Members of large teams, the same on every run. @throws Error when the database was not seeded with as many. */
export async function findPersons(owner: pg.ClientBase, count: number): Promise<readonly Person[]> {
  const { rows } = await owner.query<Person>(
    `select u.id, u.open_id as sub, m.team_id as team,
       (select t.id from tasks t where t.team_id = m.team_id and exists (select from comments c where c.task_id = t.id)
        order by t.id limit 1) as task
     from generate_series(1, $1::integer) n
       join users u on u.open_id = 'seeded-' || (50 + n * 97)
       join lateral (select team_id from team_members x where x.user_id = u.id order by team_id limit 1) m on true
     order by n`,
    [count],
  );
  if (rows.length < count) throw new Error(`found ${rows.length} seeded members of large teams, not ${count}`);
  return rows;
}
