import type pg from "pg";
import type { Cache } from "./cache.ts";
import { type Database, foreignKeyViolation, notAllowed, sqlState } from "./database.ts";
import { json, Refusal, type Route, readJson } from "./http.ts";
import type { BackendMetrics } from "./metrics.ts";
import { Fields, pathId, requireClaims } from "./requests.ts";
import type { Claims } from "./token.ts";

export interface Task {
  readonly id: number;
  readonly title: string;
  readonly status: string;
  readonly projectId: number;
  readonly teamId: number;
  readonly assigneeId: number | null;
  readonly dueAt: string | null;
  readonly createdAt: string;
}

export interface NewTask {
  readonly title: string;
  readonly status: string;
  /** Default: the first project of a team that the user owns; every account has one. */
  readonly projectId: number | undefined;
  readonly assigneeId: number | undefined;
  readonly dueAt: string | undefined;
}

export interface TaskFilter {
  readonly teamId: number | undefined;
  readonly status: string | undefined;
  /** Only older tasks than this one: the way to the next page. */
  readonly before: number | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** Who asks. */
type Person = Omit<Claims, "teams">;

const statuses = ["todo", "in_progress", "done"];
const usualLimit = 50;
const largestLimit = 100;

/** A new task from a request's body; 400 with all that is wrong. */
export function parseTask(body: unknown): NewTask {
  const fields = new Fields(body, ["title", "status", "projectId", "assigneeId", "dueAt"]);
  const task = {
    title: fields.text("title", 1, 200),
    status: fields.optionalOneOf("status", statuses) ?? "todo",
    projectId: fields.optionalId("projectId"),
    assigneeId: fields.optionalId("assigneeId"),
    dueAt: fields.optionalMoment("dueAt"),
  };
  fields.done();
  return task;
}

/** Which tasks a list is of, from a request's query; 400 with all that is wrong. */
export function parseFilter(query: URLSearchParams): TaskFilter {
  const fields = new Fields(Object.fromEntries(query), ["teamId", "status", "before", "limit"]);
  const filter = {
    teamId: fields.optionalId("teamId"),
    status: fields.optionalOneOf("status", statuses),
    before: fields.optionalId("before"),
    limit: fields.optionalId("limit") ?? usualLimit,
  };
  fields.require(filter.limit <= largestLimit, `limit: at most ${largestLimit} is allowed`);
  fields.done();
  return filter;
}

/** The table of tasks as a release knows it: release 1 writes `due` for as long as it is there, release 2 only `due_at`. */
export class TaskTable {
  readonly #release: string;
  #due: "due" | "due_at" = "due_at";

  constructor(release: string) {
    this.#release = release;
  }

  /** Looks for the table and the columns of this release. Throws what is missing. */
  async find(client: pg.ClientBase): Promise<void> {
    const { rows } = await client.query<{ name: "due" | "due_at" }>(
      `select attname as name from pg_attribute
       where attrelid = to_regclass('public.tasks') and attname in ('due', 'due_at') and not attisdropped`,
    );
    const known = rows.map(({ name }) => name);
    const wanted = this.#release.startsWith("1.") && known.includes("due") ? "due" : "due_at";
    if (!known.includes(wanted)) {
      throw new Error(`public.tasks has no ${wanted}: the migrations that release ${this.#release} needs have not run`);
    }
    this.#due = wanted;
    await client.query(`select ${this.#columns()} from tasks limit 0`);
  }

  /** Makes a task, and says whose lists it is in: its team's members and its assignee. */
  async insert(client: pg.ClientBase, task: NewTask, sub: string): Promise<{ task: Task; seenBy: readonly string[] }> {
    const { title, status, projectId, assigneeId, dueAt } = task;
    const { rows } = await client.query<Task & { seenBy: readonly string[] }>(
      `with created as (
        insert into tasks (title, status, project_id, assignee_id, ${this.#due})
        values ($1, $2, coalesce($3::integer, (${ownProject("$6")})), $4, $5) returning ${this.#columns()}
      )
      select created.*, array(
        select u.open_id from users u
        where u.id = created."assigneeId" or u.id in (select m.user_id from team_members m where m.team_id = created."teamId")
      ) as "seenBy" from created`,
      [title, status, projectId, assigneeId, dueAt, sub],
    );
    const [row] = rows;
    if (!row) throw new Error("PostgreSQL made no row of a new task");
    const { seenBy, ...created } = row;
    return { task: created, seenBy };
  }

  /** The newest tasks of a filter. */
  async list(
    client: pg.ClientBase,
    { teamId, status, before, limit }: TaskFilter,
    actor: Person,
  ): Promise<readonly Task[]> {
    const values: unknown[] = [];
    const conditions = Object.entries({ "team_id =": teamId, "status =": status, "id <": before })
      .filter(([, value]) => value !== undefined)
      .map(([test, value]) => `${test} $${values.push(value)}`);
    const newest = (what: string, where: readonly string[]) =>
      `select ${what} from tasks ${where.length > 0 ? `where ${where.join(" and ")}` : ""} order by id desc limit ${limit}`;
    const columns = this.#columns();
    if (actor.role === "admin" || teamId !== undefined) {
      return (await client.query<Task>(newest(columns, conditions), values)).rows;
    }
    // Row level security would give the same from `select … from tasks`, but PostgreSQL would go through everybody's
    // newest tasks until it had a page of ours: 0.2 s of 200,000 for somebody who has one.
    const me = "(select id from me)";
    const part = (column: string, value: string) => `(${newest(columns, [`${column} = ${value}`, ...conditions])})`;
    // Asked once: each look at users asks its policy, too.
    const text = `with me as materialized (select id from users where open_id = $${values.push(actor.sub)})
      select * from (
        select own.* from team_members m cross join lateral ${part("team_id", "m.team_id")} own where m.user_id = ${me}
        union ${part("assignee_id", me)} union ${part("creator_id", me)}
      ) own order by id desc limit ${limit}`;
    return (await client.query<Task>(text, values)).rows;
  }

  async get(client: pg.ClientBase, id: number): Promise<Task | undefined> {
    const { rows } = await client.query<Task>(`select ${this.#columns()} from tasks where id = $1`, [id]);
    return rows[0];
  }

  #columns(): string {
    return `id, title, status, project_id as "projectId", team_id as "teamId", assignee_id as "assigneeId",
      ${this.#due} as "dueAt", created_at as "createdAt"`;
  }
}

const ownProject = (sub: string) =>
  `select p.id from projects p join teams t on t.id = p.team_id join users u on u.id = t.owner_id
   where u.open_id = ${sub} order by p.id limit 1`;

/** What PostgreSQL refuses of a new task is what its user may not know about, or that there is none. */
function explain(error: unknown, { projectId }: NewTask): unknown {
  const state = sqlState(error);
  if (state === notAllowed && projectId === undefined)
    return new Refusal(400, "projectId: you have no project of your own");
  if (state === notAllowed) return new Refusal(404, "projectId: no such project among yours");
  if (state === foreignKeyViolation) return new Refusal(404, "assigneeId: nobody you work with");
  return error;
}

/** The tasks of whoever asks, and of their teams. No query asks whether one may see a row: row level security decides. */
export function taskRoutes(
  database: Database,
  table: TaskTable,
  cache: Cache,
  metrics: BackendMetrics,
  secret: string,
): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/tasks",
      async handle(request, { query }) {
        const { sub, role } = requireClaims(request, secret);
        const filter = parseFilter(query);
        const load = () =>
          database.transaction("list tasks", { sub, role }, (client) => table.list(client, filter, { sub, role }));
        // A write tells members and assignee, but an admin sees everyone's tasks; and old pages are read once.
        if (role === "admin" || filter.before !== undefined) return json(200, { tasks: await load(), cached: false });
        const which = `${filter.teamId ?? ""}:${filter.status ?? ""}:${filter.limit}`;
        const { value, cached } = await cache.list(sub, which, load);
        return json(200, { tasks: value, cached });
      },
    },
    {
      method: "GET",
      path: "/api/tasks/:id",
      async handle(request, { named }) {
        const { sub, role } = requireClaims(request, secret);
        const id = pathId(named.id, "task");
        const task = await database.transaction("get task", { sub, role }, (client) => table.get(client, id));
        if (!task) throw new Refusal(404, "no such task");
        return json(200, task);
      },
    },
    {
      method: "POST",
      path: "/api/tasks",
      async handle(request) {
        const { sub, role } = requireClaims(request, secret);
        const wanted = parseTask(await readJson(request));
        const { task, seenBy } = await database
          .transaction("create task", { sub, role }, (client) => table.insert(client, wanted, sub))
          .catch((error: unknown) => {
            throw explain(error, wanted);
          });
        metrics.tasksCreated.inc();
        // One who becomes a member in this very moment may miss it for as long as a list is kept: half a minute.
        const createdInAll = await cache.taskCreated(seenBy);
        return json(201, { ...task, createdInAll: createdInAll ?? null });
      },
    },
  ];
}
