import { randomBytes } from "node:crypto";
import type pg from "pg";
import { Failure } from "../failure.ts";
import type { Person } from "./queries.ts";

/** One of the API calls that the plan names (S0-38). */
export interface BenchCall {
  readonly name: string;
  /** Done once; the answer is read to its end. */
  readonly call: () => Promise<void>;
}

interface Answer {
  readonly token?: string;
  readonly id?: string;
}

/**
 * The calls, as somebody who is logged in and in the team of `person`: an account of its own, as seeded ones have no password.
 * @throws Failure with the status of a call that does not succeed.
 */
export async function benchCalls(
  url: string,
  owner: pg.ClientBase,
  { team, task }: Person,
): Promise<readonly BenchCall[]> {
  const account = {
    email: `bench-${randomBytes(4).toString("hex")}@test.com`,
    password: randomBytes(16).toString("hex"),
  };
  await ask(url, "POST", "/api/auth/register", account);
  const { token = "" } = await ask(url, "POST", "/api/auth/login", account);
  await owner.query("insert into team_members (team_id, user_id) select $1, id from users where email = $2", [
    team,
    account.email,
  ]);
  const call = (method: "GET" | "POST", path: string, body?: object) => async () => {
    await ask(url, method, path, body, token);
  };
  return [
    { name: "GET /api/tasks", call: call("GET", "/api/tasks") },
    { name: "POST /api/tasks", call: call("POST", "/api/tasks", { title: "A task of the bench" }) },
    { name: "GET /api/tasks/:id", call: call("GET", `/api/tasks/${task}`) },
    { name: "GET /api/comments/:taskId", call: call("GET", `/api/comments/${task}`) },
  ];
}

async function ask(url: string, method: string, path: string, body?: object, token?: string): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Failure(`${method} ${path} was answered ${response.status}: ${text.slice(0, 200)}`);
  return JSON.parse(text) as Answer;
}
