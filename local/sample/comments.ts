import { type Database, notAllowed, sqlState } from "./database.ts";
import { json, Refusal, type Route, readJson } from "./http.ts";
import { Fields, pathId, requireClaims } from "./requests.ts";

export interface Comment {
  readonly id: number;
  readonly body: string;
  readonly authorId: number | null;
  readonly createdAt: string;
}

const columns = `id, body, author_id as "authorId", created_at as "createdAt"`;
const listLength = 100;

/** A new comment from a request's body; 400 with all that is wrong. */
export function parseComment(value: unknown): string {
  const fields = new Fields(value, ["body"]);
  const body = fields.text("body", 1, 10_000);
  fields.done();
  return body;
}

/** What is said about a task (S0-38). Whoever does not see the task is told that there is none. */
export function commentRoutes(database: Database, secret: string): readonly Route[] {
  const path = "/api/comments/:taskId";
  return [
    {
      method: "GET",
      path,
      async handle(request, { named }) {
        const { sub, role } = requireClaims(request, secret);
        const task = pathId(named.taskId, "task");
        const comments = await database.transaction("list comments", { sub, role }, async (client) => {
          const { rows: found } = await client.query("select from tasks where id = $1", [task]);
          if (found.length === 0) throw new Refusal(404, "no such task");
          const { rows } = await client.query<Comment>(
            `select ${columns} from comments where task_id = $1 order by created_at, id limit ${listLength}`,
            [task],
          );
          return rows;
        });
        return json(200, { comments });
      },
    },
    {
      method: "POST",
      path,
      async handle(request, { named }) {
        const { sub, role } = requireClaims(request, secret);
        const task = pathId(named.taskId, "task");
        const body = parseComment(await readJson(request));
        const comment = await database
          .transaction("create comment", { sub, role }, async (client) => {
            const { rows } = await client.query<Comment>(
              `insert into comments (task_id, body) values ($1, $2) returning ${columns}`,
              [task, body],
            );
            return rows[0];
          })
          .catch((error: unknown) => {
            throw sqlState(error) === notAllowed ? new Refusal(404, "no such task") : error;
          });
        return json(201, comment);
      },
    },
  ];
}
