import type { IncomingMessage } from "node:http";
import type { Cache } from "./cache.ts";
import type { Database } from "./database.ts";
import { json, Refusal, type Route, readJson } from "./http.ts";
import type { BackendMetrics } from "./metrics.ts";
import { type Claims, verifyToken } from "./token.ts";

export interface Task {
  readonly id: number;
  readonly title: string;
  readonly status: string;
  readonly createdAt: string;
}

const columns = `id, title, status, created_at as "createdAt"`;
const statuses = ["todo", "in_progress", "done"];
const listLength = 100;

/** Who a request is from, by its bearer token; 401 when it has none that is good. */
export function requireClaims(request: IncomingMessage, secret: string): Claims {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  const claims = scheme?.toLowerCase() === "bearer" && token ? verifyToken(token, secret) : undefined;
  if (!claims)
    throw new Refusal(401, "a valid token is needed: authorization: Bearer …", { "www-authenticate": "Bearer" });
  return claims;
}

/** A new task from a request's body; 400 with all that is wrong. */
export function parseTask(body: unknown): { title: string; status: string } {
  const { title, status = "todo", ...rest } = requireObject(body);
  const problems = Object.keys(rest).map((key) => `${key}: unknown; allowed: title, status`);
  const trimmed = typeof title === "string" ? title.trim() : "";
  if (trimmed.length < 1 || trimmed.length > 200 || trimmed.includes("\0"))
    problems.push("title: a text of 1 to 200 characters is needed");
  if (typeof status !== "string" || !statuses.includes(status))
    problems.push(`status: allowed: ${statuses.join(", ")}`);
  if (problems.length > 0) throw new Refusal(400, problems.join("; "));
  return { title: trimmed, status: status as string };
}

export function requireObject(body: unknown): Record<string, unknown> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Refusal(400, "the body: an object is needed");
}

/** The tasks of whoever asks. No query names an owner: row level security alone decides what is seen. */
export function taskRoutes(
  database: Database,
  cache: Cache,
  metrics: BackendMetrics,
  secret: string,
): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/tasks",
      async handle(request) {
        const claims = requireClaims(request, secret);
        // An admin sees everyone's tasks, so a list is kept for a user in a role.
        const { value, cached } = await cache.list(`${claims.role}:${claims.sub}`, () =>
          database.transaction("list tasks", claims, async (client) => {
            const { rows } = await client.query<Task>(
              `select ${columns} from tasks order by id desc limit ${listLength}`,
            );
            return rows;
          }),
        );
        return json(200, { tasks: value, cached });
      },
    },
    {
      method: "POST",
      path: "/api/tasks",
      async handle(request) {
        const claims = requireClaims(request, secret);
        const { title, status } = parseTask(await readJson(request));
        const task = await database.transaction("create task", claims, async (client) => {
          const { rows } = await client.query<Task>(
            `insert into tasks (owner_open_id, title, status) values ($1, $2, $3) returning ${columns}`,
            [claims.sub, title, status],
          );
          return rows[0];
        });
        metrics.tasksCreated.inc();
        const createdInAll = await cache.taskCreated(`${claims.role}:${claims.sub}`);
        return json(201, { ...task, createdInAll: createdInAll ?? null });
      },
    },
  ];
}
