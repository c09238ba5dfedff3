import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, request, type Server } from "node:http";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startLoad } from "../../local/load/load.ts";
import { freePort, LocalStores, soon } from "../support/local-stores.ts";
import { names, type TestDatabase } from "../support/postgres.ts";
import {
  call,
  databaseUrl,
  hasEnded,
  jwtSecret,
  logIn,
  migrateTaskFlow,
  password,
  Services,
  writeServices,
} from "../support/sample-service.ts";

/** Patience of a request: on a busy machine everything takes longer, and nothing here may depend on it. */
const slowMs = 10_000;

let stores: LocalStores;
let services: Services;
let taskflow: TestDatabase;
/** The application's password. */
let hidden: string;

const tokenOf = async (url: string): Promise<string> => (await logIn(url, "someone@example.test")).token;

beforeAll(async () => {
  stores = await LocalStores.start();
  await writeServices(stores.directory);
  const [database] = await stores.databases(1);
  if (!database) throw new Error("a database was asked for");
  taskflow = database;
  await migrateTaskFlow(taskflow);
  const url = await databaseUrl(taskflow, names.applicationLogins.a);
  hidden = new URL(url).password;
  services = new Services(stores.directory, async () => ({ DATABASE_URL: url, REDIS_URL: stores.redisUrl }));
});

afterEach(async () => {
  for (const output of await services.end()) {
    for (const secret of [jwtSecret, hidden, stores.cachePassword, password]) expect(output).not.toContain(secret);
  }
});

afterAll(async () => {
  await stores?.stop();
});

describe("the sample backend", () => {
  it.each([
    ["broken JSON", { body: "{" }, 400, "the body is not JSON"],
    ["a wrong body", { body: { title: 7 } }, 400, "title: a text of 1 to 200 characters is needed"],
    ["a large body", { body: { title: "a".repeat(20_000) } }, 413, "the body is larger than 16384 bytes"],
    ["another type", { body: "title=a", headers: { "content-type": "text/plain" } }, 415, "application/json is needed"],
    ["another method", { method: "DELETE" }, 405, "method not allowed"],
  ])("answers %s with the reason", async (_name, request, status, reason) => {
    const { url } = await services.launch("backend");
    const answer = await call(`${url}/api/tasks`, { token: await tokenOf(url), ...request });
    expect([answer.status, answer.body.error]).toEqual([status, expect.stringContaining(reason)]);
  });

  it("says who it is in every answer, and counts what it did", async () => {
    const { url } = await services.launch("backend");
    const { headers, body } = await call(`${url}/api/version`);
    expect(body).toEqual({ service: "backend", colour: "blue", version: "1.0.0", pod: "pod-1" });
    const named = ["colour", "version", "pod"].map((name) => headers.get(`x-taskflow-${name}`));
    expect([...named, headers.get("cache-control")]).toEqual(["blue", "1.0.0", "pod-1", "no-store"]);
    expect((await call(`${url}/nowhere`)).status).toBe(404);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const labels = 'service="backend",colour="blue",version="1.0.0"';
    expect(metrics).toContain(`http_requests_total{method="GET",route="/api/version",status="200",${labels}} 1`);
    expect(metrics).toContain(`http_requests_total{method="GET",route="unmatched",status="404",${labels}} 1`);
    expect(metrics).toContain(`http_request_duration_seconds_bucket{le="0.1",${labels}`);
  });

  it("fails as ordered on its own port, and only there, with green probes", async () => {
    const { url, faultUrl } = await services.launch("backend");
    expect((await call(`${url}/faults`, { body: { errorShare: 1 } })).status).toBe(404);
    expect((await call(`${faultUrl}/faults`, { body: { errorShare: 2 } })).status).toBe(400);
    expect((await call(`${faultUrl}/faults`, { body: { errorShare: 0.5 } })).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 400 }, () => call(`${url}/api/version`)));
    const failed = answers.filter(({ status }) => status === 500).length;
    // 200 are expected; five standard deviations around.
    expect(failed).toBeGreaterThan(150);
    expect(failed).toBeLessThan(250);
    for (const path of ["/health", "/ready"]) expect((await call(`${url}${path}`)).status).toBe(200);
    // A delayed answer counts as slow in the metrics: the counter of quick ones stays, the one of all goes on.
    const answered = async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const labels = 'service="backend",colour="blue",version="1.0.0",method="GET",route="/api/version",status="200"';
      const value = (name: string) =>
        Number(
          text
            .split("\n")
            .find((line) => line.startsWith(name))
            ?.split(" ")
            .at(-1),
        );
      return {
        quick: value(`http_request_duration_seconds_bucket{le="0.2",${labels}}`),
        all: value(`http_request_duration_seconds_count{${labels}}`),
      };
    };
    await soon("all are counted", async () => (await answered()).all === 400 - failed);
    const before = await answered();
    expect(before.quick).not.toBeNaN();
    await call(`${faultUrl}/faults`, { body: { errorShare: 0, delayMs: 300 } });
    expect((await call(`${url}/api/version`)).status).toBe(200);
    await soon("the answer is counted", async () => (await answered()).all > before.all);
    expect(await answered()).toEqual({ quick: before.quick, all: before.all + 1 });
  });

  it("crashes when told to", async () => {
    const ordered = await services.launch("backend");
    await call(`${ordered.faultUrl}/faults`, { body: { crash: true } });
    const set = await services.launch("backend", { FAULT_CRASH_AFTER_MS: "100" }, async ({ process: child }) =>
      hasEnded(child),
    );
    await soon("both ended", async () => hasEnded(ordered.process));
    expect([ordered.process.exitCode, set.process.exitCode]).toEqual([1, 1]);
  });

  it("serves on through an outage of PostgreSQL and recovers by itself", async () => {
    const { url } = await services.launch("backend");
    const token = await tokenOf(url);
    await stores.stopDatabase();
    const create = () => call(`${url}/api/tasks`, { token, body: { title: "after" } });
    expect(await create()).toMatchObject({ status: 503, body: { error: "the database cannot be reached" } });
    for (const path of ["/health", "/ready", "/api/version"]) expect((await call(`${url}${path}`)).status).toBe(200);
    await stores.startDatabase();
    expect((await create()).status).toBe(201);
  });

  it("answers 503 in time when PostgreSQL accepts and says nothing", async () => {
    const { url, output } = await services.launch("backend");
    const token = await tokenOf(url);
    await stores.stopDatabase();
    const blackHole = createServer(() => {}).listen(stores.databasePort, "127.0.0.1");
    try {
      expect((await call(`${url}/api/tasks`, { token, body: { title: "a" } })).status).toBe(503);
      // Its own limit ended the attempt, not an answer.
      await soon("the limit is told", async () => /"status":503.*timeout expired/.test(output()));
      expect((await call(`${url}/health`)).status).toBe(200);
    } finally {
      blackHole.close();
      await stores.startDatabase();
    }
  });

  it("answers from PostgreSQL while Redis hangs or is gone", async () => {
    const { url, output } = await services.launch("backend");
    const token = await tokenOf(url);
    const read = async () => (await call(`${url}/api/tasks`, { token })).body;
    await soon("redis is used", async () => (await read()).cached === true);
    stores.freezeCache(true);
    expect((await read()).cached).toBe(false);
    await soon("its limit is told", async () => /"redis lost;.*no answer within 250 ms/.test(output()));
    stores.freezeCache(false);
    await soon("redis is used again", async () => (await read()).cached === true);
    await stores.stopCache();
    expect((await read()).cached).toBe(false);
    await stores.startCache();
    await soon("redis is used again", async () => (await read()).cached === true);
    expect(output().split('"message":"redis lost').length - 1).toBeLessThan(6);
  });

  it("finishes what is in flight when it is told to stop", async () => {
    const running = await services.launch("backend", { DRAIN_SECONDS: "1", FAULT_DELAY_MS: "1500" });
    const inFlight = call(`${running.url}/api/version`);
    await delay(200);
    running.process.kill("SIGTERM");
    await soon("not ready", async () => (await call(`${running.url}/ready`)).status === 503);
    const during = await call(`${running.url}/health`);
    expect([during.status, during.headers.get("connection")]).toEqual([200, "close"]);
    expect((await inFlight).status).toBe(200);
    await soon("ended", async () => hasEnded(running.process));
    expect(running.process.exitCode).toBe(0);
  });

  it("gives up at the start when the database is not there, alive but not ready until then", async () => {
    const nowhere = `postgres://taskflow_app_a:${hidden}@127.0.0.1:${await freePort()}/taskflow`;
    const running = await services.launch("backend", { DATABASE_URL: nowhere, START_SECONDS: "2" }, async ({ url }) => {
      return (await call(`${url}/health`)).status === 200 && (await call(`${url}/ready`)).status === 503;
    });
    await soon("ended", async () => hasEnded(running.process));
    expect(running.process.exitCode).toBe(1);
    expect(running.output()).toContain('"message":"start failed"');
  });

  it.each([
    ["a login that row level security does not bind", { DATABASE_URL: "superuser" }, "has BYPASSRLS"],
    ["an environment that is not right", { JWT_SECRET: "short", COLOUR: "red" }, "2 problems in the environment"],
  ])("refuses to start with %s", async (_name, change, message) => {
    const environment = "DATABASE_URL" in change ? { DATABASE_URL: stores.adminUrl(taskflow.name) } : change;
    const running = await services.launch("backend", environment, async ({ process: child }) => hasEnded(child));
    expect([running.process.exitCode, running.output()]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe("the sample frontend", () => {
  it("serves its own release's assets and no other's", async () => {
    const { url } = await services.launch("frontend");
    const page = await fetch(`${url}/`);
    expect([page.status, page.headers.get("cache-control")]).toEqual([200, "no-cache"]);
    const html = await page.text();
    for (const asset of ["js", "css"].map((type) => `/assets/blue/app.1.0.0.${type}`)) {
      expect(html).toContain(`"${asset}"`);
      const answer = await fetch(`${url}${asset}`);
      expect([answer.status, answer.headers.get("cache-control")]).toEqual([
        200,
        "public, max-age=31536000, immutable",
      ]);
      await answer.text();
    }
    for (const path of ["/assets/blue/app.2.0.0.js", "/assets/green/app.1.0.0.js", "/assets/blue/"]) {
      expect((await call(`${url}${path}`)).status).toBe(404);
    }
  });

  it("carries load without a failure, and every asset fits its page", async () => {
    // No gateway here: the frontend has no API, so that part of each visit fails, and nothing else may.
    const { port } = await services.launch("frontend", { LOG_LEVEL: "info" });
    const origin = { host: "127.0.0.1", port } as const;
    const options = { hostname: "taskflow.localhost", requestsPerSecond: 450, seconds: 2, slowMs, accounts: 0 };
    const load = await startLoad({ origin, ...options });
    // A span beyond its end is refused once all that was due has been sent and answered.
    await expect(load.sample(0, 600_000)).rejects.toThrow("the load ended after");
    const sample = await load.stop();
    expect(sample.requests).toBe(900);
    expect(sample.failures.map(({ reason }) => reason)).toEqual(["api: status 404"]);
    expect(sample.failed).toBe(sample.records.filter(({ kind }) => kind === "api").length);
  });
});

describe("both services together", () => {
  it("carry users who read and write tasks without a failure, and no task is lost", async () => {
    const [backend, frontend] = [
      await services.launch("backend", { LOG_LEVEL: "info" }),
      await services.launch("frontend", { LOG_LEVEL: "info" }),
    ];
    const gateway = gatewayOf(({ url = "/" }) => (url.startsWith("/api/") ? backend : frontend).port);
    const origin = { host: "127.0.0.1", port: await portOf(gateway) } as const;
    try {
      const options = { hostname: "taskflow.localhost", requestsPerSecond: 100, seconds: 5, slowMs };
      const load = await startLoad({ origin, ...options });
      await expect(load.sample(0, 600_000)).rejects.toThrow("the load ended after");
      const all = await load.stop();
      expect(all.failures).toEqual([]);
      expect([all.requests, all.failed, all.written, all.lost]).toEqual([500, 0, 50, 0]);
    } finally {
      gateway.close();
      gateway.closeAllConnections();
    }
  });
});

/** One origin in front of both services, as a gateway makes it. */
function gatewayOf(port: (incoming: IncomingMessage) => number): Server {
  return createHttpServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const asked = request({ host: "127.0.0.1", port: port(incoming), method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on("error", () => outgoing.destroy());
    incoming.pipe(asked);
  });
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
