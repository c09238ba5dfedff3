import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import {
  call,
  databaseUrl,
  end,
  launchService,
  logIn,
  migrateTaskFlow,
  type Running,
  writeServices,
} from "../support/sample-service.ts";

const clients = 1_000;
interface User {
  readonly token: string;
  /** The id of a task of theirs. */
  readonly task: number;
}

/** PostgreSQL's own default is 100 connections, for everybody who needs one. */
const connectionsOfOnePod = 5;

describe("a thousand clients of one backend (S0-27)", () => {
  let directory: string;
  let server: TestServer;
  let database: TestDatabase;
  let backend: Running;
  const users: User[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-clients-"));
    await writeServices(directory);
    server = await startServer();
    database = await server.database();
    await migrateTaskFlow(database);
    backend = await launchService(directory, "backend", {
      DATABASE_URL: await databaseUrl(database, names.applicationLogins.a),
      // Nobody is there: each answer comes from PostgreSQL.
      REDIS_URL: "redis://taskflow@127.0.0.1:1",
      LOG_LEVEL: "info",
    });
    for (const title of ["one", "two", "three", "four"]) {
      const { token } = await logIn(backend.url, `${title}@example.test`);
      const { body } = await call(`${backend.url}/api/tasks`, { token, body: { title } });
      users.push({ token, task: Number(body.id) });
    }
  });

  afterAll(async () => {
    await end(backend?.process, "SIGTERM");
    await database?.drop();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("are connected at once and all served, each with what is theirs, over a handful of connections to PostgreSQL", async () => {
    const watcher = await database.connect("postgres");
    let most = 0;
    let watching = true;
    const watch = async () => {
      while (watching) {
        const { rows } = await watcher.query<{ open: number }>(
          `select count(*)::integer as open from pg_stat_activity
           where datname = current_database() and application_name = 'taskflow-blue'`,
        );
        most = Math.max(most, rows[0]?.open ?? 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const watched = watch();

    const sockets = await Promise.all(Array.from({ length: clients }, () => connected(backend.port)));
    const answers = await Promise.all(
      sockets.map((socket, index) => readTask(socket, users[index % users.length] as User)),
    );
    watching = false;
    await watched;
    for (const socket of sockets) socket.destroy();

    const counts = Object.groupBy(answers, (answer) => answer);
    expect(Object.fromEntries(Object.entries(counts).map(([answer, all]) => [answer, all?.length]))).toEqual({
      "200 one": 250,
      "200 two": 250,
      "200 three": 250,
      "200 four": 250,
    });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(connectionsOfOnePod);
  });
});

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** What a user gets who asks for their task: status and title. */
async function readTask(socket: Socket, { token, task }: User): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const asked = request({ path: `/api/tasks/${task}`, headers, createConnection: () => socket }).end();
  const [answer]: IncomingMessage[] = await once(asked, "response");
  if (!answer) throw new Error("no answer");
  const { title } = (await json(answer)) as { title?: string };
  return `${answer.statusCode} ${title}`;
}
