import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { type Load, type LoadOptions, startLoad, type WholeSample } from "../../local/load/load.ts";

const hostname = "taskflow.localhost";
/** Patience of a request and of a test: on a busy machine everything takes longer, and nothing here may depend on it. */
const slowMs = 10_000;
const patience = 60_000;
/** A load that ends only when it is stopped. */
const unbroken = { hostname, requestsPerSecond: 300, seconds: 60, slowMs, accounts: 0 } as const;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function origin(handler: Handler): Promise<{ host: "127.0.0.1"; port: number }> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** A healthy service: every tenth page and call comes from green, and assets from the colour in their path. */
function healthy(api: (request: IncomingMessage) => string | Promise<string> = () => "{}"): Handler {
  const turns = { page: 0, api: 0 };
  return async (request, response) => {
    const { url = "/" } = request;
    const asset = /^\/assets\/(blue|green)\//.exec(url)?.[1];
    const kind = url === "/" ? "page" : "api";
    if (!asset && !url.startsWith("/api/auth/")) turns[kind] += 1;
    const colour = asset ?? (turns[kind] % 10 === 0 ? "green" : "blue");
    const body = url === "/" ? `<script src="/assets/${colour}/app.js"></script>` : await api(request);
    response.writeHead(200, { "x-taskflow-colour": colour, "x-taskflow-version": colour }).end(body);
  };
}

interface StoredTask {
  readonly id: number;
  readonly title: string;
}

/** Accounts and their tasks, in memory; `stored` says what becomes of a task, `seconds` how long a token is good. */
class TaskService {
  readonly asked: string[] = [];
  readonly #tasks = new Map<string, StoredTask[]>();
  readonly #refreshTokens = new Set<string>();
  readonly #stored: (task: StoredTask) => StoredTask;
  readonly #seconds: number;
  #given = 0;

  constructor(stored: (task: StoredTask) => StoredTask = (task) => task, seconds = 900) {
    this.#stored = stored;
    this.#seconds = seconds;
  }

  /** What happens to all tasks at once; undefined: it is gone. */
  change(become: (task: StoredTask) => StoredTask | undefined): void {
    for (const [user, tasks] of this.#tasks)
      this.#tasks.set(
        user,
        tasks.flatMap((task) => become(task) ?? []),
      );
  }

  async answer(request: IncomingMessage): Promise<string> {
    const url = new URL(request.url ?? "/", "http://taskflow.localhost");
    const body = request.method === "POST" ? ((await json(request)) as Record<string, string>) : {};
    const [user = ""] = (request.headers.authorization ?? "").replace("Bearer ", "").split(" ");
    this.asked.push(`${request.method} ${url.pathname}`);
    switch (`${request.method} ${url.pathname}`) {
      case "POST /api/auth/register":
        this.#tasks.set(body.email ?? "", []);
        return "{}";
      case "POST /api/auth/login":
        return this.#session(body.email ?? "");
      case "POST /api/auth/refresh": {
        // Good for one use, as the real ones are.
        if (!this.#refreshTokens.delete(body.refreshToken ?? "")) return "{}";
        return this.#session(body.refreshToken?.split(" ")[0] ?? "");
      }
      case "POST /api/tasks": {
        const task = { id: ++this.#given, title: body.title ?? "" };
        this.#tasks.get(user)?.unshift(this.#stored(task));
        return JSON.stringify(task);
      }
      case "GET /api/tasks": {
        const before = Number(url.searchParams.get("before") ?? Number.POSITIVE_INFINITY);
        const all = this.#tasks.get(user) ?? [];
        return JSON.stringify({ tasks: all.filter(({ id }) => id < before).slice(0, 10) });
      }
      default: {
        const id = Number(/^\/api\/tasks\/(\d+)$/.exec(url.pathname)?.[1]);
        return JSON.stringify(this.#tasks.get(user)?.find((task) => task.id === id) ?? {});
      }
    }
  }

  #session(email: string): string {
    const refreshToken = `${email} ${++this.#given}`;
    this.#refreshTokens.add(refreshToken);
    return JSON.stringify({ token: email, refreshToken, expiresIn: this.#seconds });
  }
}

/** The load up to its own end: a span beyond it is refused once all that was due has been sent and answered. */
async function whole(load: Load): Promise<WholeSample> {
  await expect(load.sample(0, 600_000)).rejects.toThrow("start it with more seconds");
  return await load.stop();
}

describe("the load generator", () => {
  it.each<[string, Partial<Record<keyof LoadOptions, unknown>>]>([
    ["origin.host", { origin: { host: "10.0.0.1", port: 80 } }],
    ["origin.host", { origin: { host: "localhost", port: 80 } }],
    ["origin.port", { origin: { host: "127.0.0.1", port: 0 } }],
    ["requestsPerSecond", { requestsPerSecond: 2_001 }],
    ["requestsPerSecond", { requestsPerSecond: Number.NaN }],
    ["seconds", { seconds: 601 }],
    ["newConnectionShare", { newConnectionShare: 1.1 }],
    ["slowMs", { slowMs: 0 }],
    ["accounts", { accounts: 17 }],
  ])("refuses what is not loopback or beyond its bounds: %s %j", async (name, change) => {
    const options = { origin: { host: "127.0.0.1", port: 80 }, hostname, requestsPerSecond: 10, seconds: 1, ...change };
    await expect(startLoad(options as LoadOptions)).rejects.toThrow(name);
  });

  it(
    "sends all that its rate and seconds make due, a fifth of the visits on new connections",
    async () => {
      const connections = new Set<unknown>();
      const hosts = new Set<unknown>();
      let ownConnection = 0;
      const handler = healthy();
      const address = await origin((request, response) => {
        connections.add(request.socket);
        hosts.add(request.headers.host);
        if (request.headers.connection === "close") ownConnection += 1;
        handler(request, response);
      });
      const options = { hostname, requestsPerSecond: 300, seconds: 2, slowMs, accounts: 0 };
      const load = await startLoad({ origin: address, ...options });
      const all = await whole(load);
      expect(all.failures).toEqual([]);
      expect([all.requests, all.failed, all.counted]).toEqual([600, 0, { blue: 360, green: 40 }]);
      expect(all.share.green).toBe(10);
      expect([...hosts]).toEqual([`${hostname}:${address.port}`]);
      // Every fifth of the 200 visits; the connections that are kept are used again.
      expect(ownConnection).toBe(120);
      expect(connections.size).toBeGreaterThan(ownConnection);
      expect(connections.size).toBeLessThan(all.requests);
    },
    patience,
  );

  it(
    "gives each request to exactly one of two adjacent spans",
    async () => {
      const load = await startLoad({ origin: await origin(healthy()), ...unbroken });
      await load.sample(0, 600);
      const all = await load.stop();
      const cut = all.to / 2;
      const [one, other] = [await load.sample(0, cut), await load.sample(cut, all.to)];
      expect(one.requests + other.requests).toBe(all.requests);
    },
    patience,
  );

  it(
    "counts errors, resets, slow answers, broken bodies and strangers as failed, once each, and says why",
    async () => {
      const turn = { page: 0, api: 0 };
      const strangers = { hostname, requestsPerSecond: 90, seconds: 1, accounts: 0 };
      const ok = { "x-taskflow-colour": "blue", "x-taskflow-version": "1" };
      const address = await origin(({ url, socket }, response) => {
        if (url === "/") {
          turn.page += 1;
          if (turn.page % 4 === 0) response.writeHead(503, ok).end();
          else if (turn.page % 4 === 1) socket.destroy();
          else if (turn.page % 4 === 2) response.writeHead(200).end('<script src="/a.js">');
          else response.writeHead(200, ok).end('<script src="/a.js">');
        } else if (url === "/a.js") response.writeHead(200, { ...ok, "x-taskflow-version": "2" }).end();
        else {
          turn.api += 1;
          // Every third is never answered.
          if (turn.api % 3 === 1)
            response.writeHead(200, { ...ok, "content-length": 10 }).write("half", () => socket.destroy());
          else if (turn.api % 3 === 2) response.writeHead(200, ok).end();
        }
      });
      const load = await startLoad({ origin: address, ...strangers, slowMs: 2_000 });
      const sample = await whole(load);
      const counts = Object.fromEntries(sample.failures.map(({ reason, count }) => [reason, count]));
      // Thirty visits, of which seven get as far as the asset.
      expect(counts).toEqual({
        "api: closed before the end of the answer": 10,
        "api: slower than 2000 ms": 10,
        "asset: from blue 2, its page from blue 1": 7,
        "page: ECONNRESET socket hang up": 8,
        "page: no x-taskflow-colour": 8,
        "page: status 503": 7,
      });
      expect([sample.requests, sample.failed]).toEqual([67, 50]);
    },
    patience,
  );

  it(
    "reads and writes tasks in a fixed share, and finds every task again that was written",
    async () => {
      const service = new TaskService();
      const address = await origin(healthy((request) => service.answer(request)));
      const load = await startLoad({ origin: address, hostname, requestsPerSecond: 300, seconds: 2, slowMs });
      const opened = [...service.asked];
      const all = await whole(load);
      expect(opened.filter((each) => each.includes("/auth/"))).toEqual(
        Array.from({ length: 4 }, () => ["POST /api/auth/register", "POST /api/auth/login"]).flat(),
      );
      expect(all.failures).toEqual([]);
      const perKind = Object.groupBy(all.records, ({ kind }) => kind);
      const counts = Object.entries(perKind).map(([kind, records]) => [kind, records?.length]);
      expect(Object.fromEntries(counts)).toEqual({ page: 120, asset: 120, api: 120, read: 180, write: 60 });
      expect([all.requests, all.failed, all.written, all.lost]).toEqual([600, 0, 60, 0]);
      expect(all.share.green).toBe(10);
    },
    patience,
  );

  it(
    "says how many tasks were lost or changed after they were written",
    async () => {
      const service = new TaskService();
      const address = await origin(healthy((request) => service.answer(request)));
      const load = await startLoad({ origin: address, hostname, requestsPerSecond: 300, seconds: 2, slowMs });
      await expect(load.sample(0, 600_000)).rejects.toThrow("start it with more seconds");
      service.change((task) => {
        if (task.id % 10 === 0) return undefined;
        return task.id % 10 === 1 ? { ...task, title: "another" } : task;
      });
      const all = await load.stop();
      expect([all.failed, all.written, all.lost]).toEqual([0, 60, 12]);
    },
    patience,
  );

  it(
    "counts a task that is read as it was not written as failed",
    async () => {
      const service = new TaskService((task) => ({ ...task, title: "another" }));
      const address = await origin(healthy((request) => service.answer(request)));
      const load = await startLoad({ origin: address, hostname, requestsPerSecond: 100, seconds: 2, slowMs });
      const all = await whole(load);
      expect(all.failures.map(({ reason }) => reason)).toEqual(["read: another title than was written"]);
      expect([all.written, all.lost]).toEqual([20, 20]);
    },
    patience,
  );

  it(
    "gets new tokens before the old ones are over, each refresh token used once",
    async () => {
      // Shorter than the margin: each token is replaced before its first use.
      const service = new TaskService(undefined, 5);
      const address = await origin(healthy((request) => service.answer(request)));
      const load = await startLoad({ origin: address, hostname, requestsPerSecond: 100, seconds: 1, slowMs });
      const all = await whole(load);
      expect([all.failures, all.written, all.lost]).toEqual([[], 10, 0]);
      expect(service.asked).toContain("POST /api/auth/refresh");
    },
    patience,
  );

  it.each([
    ["refuses to register", 500, '{"error":"no room"}', "got status 500 from POST /api/auth/register: no room"],
    ["gives no token", 200, "{}", "logged in without token, refreshToken and expiresIn"],
  ])("does not begin on a service that %s", async (_, status, body, message) => {
    const address = await origin((_request, response) => void response.writeHead(status).end(body));
    const options = { hostname, requestsPerSecond: 10, seconds: 1 };
    await expect(startLoad({ origin: address, ...options })).rejects.toThrow(message);
  });

  it(
    "goes on sending while the service hangs, counts that as failed, and recovers",
    async () => {
      const handler = healthy();
      const hanging = new Set<ServerResponse>();
      let hangs = true;
      let answered = 0;
      const address = await origin((request, response) => {
        if (hangs) {
          hanging.add(response);
          return;
        }
        answered += 1;
        handler(request, response);
      });
      const load = await startLoad({ origin: address, ...unbroken });
      // Nothing was answered yet and nothing is too slow yet: each of these is a visit that waited for no other one.
      await expect.poll(() => hanging.size, { timeout: 9_000 }).toBeGreaterThanOrEqual(100);
      hangs = false;
      for (const response of hanging) response.destroy();
      const after = load.now();
      await expect.poll(() => answered, { timeout: 9_000 }).toBeGreaterThanOrEqual(100);
      const recovered = await load.sample(after, load.now());
      expect(recovered.failures).toEqual([]);
      expect(recovered.requests).toBeGreaterThan(0);
      const all = await load.stop();
      expect([all.failed, all.requests]).toEqual([hanging.size, hanging.size + answered]);
    },
    patience,
  );

  it(
    "says that it was started for too short a time instead of measuring nothing",
    async () => {
      const options = { hostname, requestsPerSecond: 30, seconds: 1, accounts: 0 };
      const load = await startLoad({ origin: await origin(healthy()), ...options });
      await whole(load);
      await expect(load.sample(load.now(), load.now())).rejects.toThrow("start it with more seconds");
      expect((await load.stop()).requests).toBe(30);
    },
    patience,
  );
});
