import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { ensureTree, imageTree } from "../../local/debian/packages.ts";
import { startLoad } from "../../local/load/load.ts";
import { bundleSample } from "../../local/sample/bundle.ts";

const jwtSecret = "the-secret-of-these-tests";
const appPassword = "the-password-of-the-application";
const cachePassword = "the-password-of-the-cache";
const account = { email: "someone@example.test", password: "the-password-of-someone" };
const secrets = [jwtSecret, appPassword, cachePassword, account.password];

let directory: string;
let root: string;
let databasePort: number;
let cachePort: number;
let database: ChildProcess;
let cache: ChildProcess;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function until(what: string, isTrue: () => Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await isTrue().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await delay(50);
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill(signal);
  // A process that was stopped must go on in order to end.
  child.kill("SIGCONT");
  await ended;
}

/**
 * A program of the Debian root, in a mount namespace of its own that ends with it: the root stays as it is, and our
 * directory is its /tmp.
 */
function inRoot(command: string, args: readonly string[]): ChildProcess {
  const mounts = 'mount --bind "$1/etc" "$2/etc" && mount --bind "$1" "$2/tmp" && mount --rbind /dev "$2/dev"';
  const script = `set -e; ${mounts}; root=$2; shift 2; exec chroot --userspec=999:999 "$root" "$@"`;
  const all = ["--mount", "sh", "-c", script, "sh", directory, root, command, ...args];
  return spawn("unshare", all, { stdio: ["ignore", "ignore", "inherit"] });
}

async function startDatabase(): Promise<void> {
  const options = [
    "-p",
    String(databasePort),
    "-k",
    "/tmp",
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "log_min_messages=panic",
  ];
  database = inRoot("/usr/lib/postgresql/15/bin/postgres", ["-D", "/tmp/data", ...options]);
  await until("PostgreSQL accepts connections", async () => {
    await query("postgres", "select 1");
    return true;
  });
}

async function startCache(): Promise<void> {
  const commands = ["auth", "ping", "get", "set", "incr", "multi", "exec"].map((name) => `+${name}`);
  const rights = ["on", `>${cachePassword}`, "~taskflow:*", "resetchannels", "-@all", ...commands];
  const users = ["--user", "default", "off", "--user", "taskflow", ...rights];
  const listen = ["--port", String(cachePort), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"];
  cache = inRoot("/usr/bin/redis-server", [...listen, ...users]);
  await until("Redis accepts connections", async () => {
    const socket = connect(cachePort, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
    return true;
  });
}

async function query<Row extends pg.QueryResultRow>(user: string, text: string): Promise<Row[]> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: databasePort,
    user,
    password: appPassword,
    database: user === "postgres" ? user : "taskflow",
  });
  // Stopping the server breaks the connection; the query's own error says so.
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** One running copy of a service. */
interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly faultUrl: string;
  readonly port: number;
  output(): string;
  stop(): Promise<number | null>;
}

const started: Running[] = [];

async function launch(
  service: "backend" | "frontend",
  environment: Record<string, string> = {},
  isUp: (running: Running) => Promise<boolean> = async ({ url }) => (await fetch(`${url}/ready`)).ok,
): Promise<Running> {
  const child = spawn(process.execPath, [join(directory, `${service}.mjs`)], {
    env: {
      COLOUR: "blue",
      RELEASE_VERSION: "1.0.0",
      POD_NAME: "pod-1",
      PORT: "0",
      FAULT_PORT: "0",
      LOG_LEVEL: "debug",
      DRAIN_SECONDS: "0",
      JWT_SECRET: jwtSecret,
      DATABASE_URL: `postgres://taskflow_user:${appPassword}@127.0.0.1:${databasePort}/taskflow`,
      REDIS_URL: `redis://taskflow:${cachePassword}@127.0.0.1:${cachePort}`,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const listening = /"message":"listening".*"port":(\d+),"faultPort":(\d+)/;
  await until(`${service} listens\n${output}`, async () => hasEnded(child) || listening.test(output));
  const [, port, faultPort] = listening.exec(output) ?? [];
  const running: Running = {
    process: child,
    url: `http://127.0.0.1:${port}`,
    faultUrl: `http://127.0.0.1:${faultPort}`,
    port: Number(port),
    output: () => output,
    async stop() {
      await end(child, "SIGTERM");
      return child.exitCode;
    },
  };
  started.push(running);
  await until(`${service} is up`, () => isUp(running));
  return running;
}

async function call(
  url: string,
  options: { token?: string | undefined; body?: unknown; method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const { token, body, method = body === undefined ? "GET" : "POST", headers } = options;
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

async function logIn(url: string, email = account.email): Promise<string> {
  const credentials = { ...account, email };
  expect([201, 409]).toContain((await call(`${url}/api/auth/register`, { body: credentials })).status);
  const { status, body } = await call(`${url}/api/auth/login`, { body: credentials });
  expect(status).toBe(200);
  return String(body.token);
}

const titles = (body: Record<string, unknown>) => (body.tasks as { title: string }[]).map(({ title }) => title);

beforeAll(async () => {
  root = await ensureTree(imageTree, lineProgress());
  directory = await mkdtemp(join(tmpdir(), "golive-sample-"));
  await mkdir(join(directory, "etc"));
  await mkdir(join(directory, "data"), { mode: 0o700 });
  // initdb wants its user to have a name.
  await writeFile(join(directory, "etc", "passwd"), "postgres:x:999:999::/tmp:/bin/sh\n");
  for (const path of [directory, join(directory, "data")]) await chown(path, 999, 999);
  for (const [name, code] of Object.entries(await bundleSample()))
    await writeFile(join(directory, `${name}.mjs`), code);
  [databasePort, cachePort] = [await freePort(), await freePort()];
  const initdb = inRoot("/usr/lib/postgresql/15/bin/initdb", [
    "-D",
    "/tmp/data",
    "-U",
    "postgres",
    "-A",
    "trust",
    "--no-locale",
    "-E",
    "UTF8",
    "-N",
  ]);
  expect(await once(initdb, "exit")).toEqual([0, null]);
  await startCache();
  await startDatabase();
  await query("postgres", `create role taskflow_user login password '${appPassword}'`);
  await query("postgres", "create database taskflow owner taskflow_user");
});

afterEach(async () => {
  const all = started.splice(0);
  await Promise.all(all.map(({ process: child }) => end(child, "SIGTERM")));
  for (const secret of secrets) {
    for (const running of all) expect(running.output()).not.toContain(secret);
  }
});

afterAll(async () => {
  await end(database, "SIGQUIT");
  await end(cache, "SIGTERM");
  if (directory) await rm(directory, { recursive: true, force: true });
});

describe("the sample backend", () => {
  it("shows each user their own tasks and no one else's", async () => {
    const { url } = await launch("backend");
    const [one, other] = [await logIn(url), await logIn(url, "other@example.test")];
    expect((await call(`${url}/api/tasks`, { token: one, body: { title: "mine" } })).status).toBe(201);
    expect(titles((await call(`${url}/api/tasks`, { token: one })).body)).toEqual(["mine"]);
    expect(titles((await call(`${url}/api/tasks`, { token: other })).body)).toEqual([]);
    expect((await call(`${url}/api/tasks`)).status).toBe(401);
    expect((await call(`${url}/api/tasks`, { token: `${one}x` })).status).toBe(401);
    const wrong = { ...account, password: "not the password" };
    expect(await call(`${url}/api/auth/login`, { body: wrong })).toMatchObject({ status: 401 });
    expect(await call(`${url}/api/auth/register`, { body: account })).toMatchObject({ status: 409 });
    // The login owns the tables: only FORCE keeps it from seeing everything.
    expect(
      await query("taskflow_user", "select (select count(*) from tasks) + (select count(*) from users) as seen"),
    ).toEqual([{ seen: "0" }]);
    expect(await query("taskflow_user", "update tasks set title = 'theirs' returning id")).toEqual([]);
  });

  it("caches a list, per version, and forgets it in both colours when one writes", async () => {
    const blue = await launch("backend");
    const green = await launch("backend", { COLOUR: "green", RELEASE_VERSION: "2.0.0" });
    const token = await logIn(blue.url, "cached@example.test");
    const read = async ({ url }: Running) => (await call(`${url}/api/tasks`, { token })).body;
    await until("redis is used", async () => (await read(blue)).cached === true);
    expect(await read(green)).toEqual({ tasks: [], cached: false });
    const create = async ({ url }: Running, title: string) =>
      (await call(`${url}/api/tasks`, { token, body: { title } })).body.createdInAll;
    const count = Number(await create(green, "from green"));
    for (const colour of [blue, green]) {
      const first = await read(colour);
      expect([titles(first), first.cached]).toEqual([["from green"], false]);
      expect((await read(colour)).cached).toBe(true);
    }
    expect(await create(blue, "from blue")).toBe(count + 1);
    expect(titles(await read(green))).toEqual(["from blue", "from green"]);
  });

  it.each([
    ["broken JSON", { body: "{" }, 400, "the body is not JSON"],
    ["a wrong body", { body: { title: 7 } }, 400, "title: a text of 1 to 200 characters is needed"],
    ["a large body", { body: { title: "a".repeat(20_000) } }, 413, "the body is larger than 16384 bytes"],
    ["another type", { body: "title=a", headers: { "content-type": "text/plain" } }, 415, "application/json is needed"],
    ["another method", { method: "DELETE" }, 405, "method not allowed"],
  ])("answers %s with the reason", async (_name, request, status, reason) => {
    const { url } = await launch("backend");
    const answer = await call(`${url}/api/tasks`, { token: await logIn(url), ...request });
    expect([answer.status, answer.body.error]).toEqual([status, expect.stringContaining(reason)]);
  });

  it("says who it is in every answer, and counts what it did", async () => {
    const { url } = await launch("backend");
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
    const { url, faultUrl } = await launch("backend");
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
    await until("all are counted", async () => (await answered()).all === 400 - failed);
    const before = await answered();
    expect(before.quick).not.toBeNaN();
    await call(`${faultUrl}/faults`, { body: { errorShare: 0, delayMs: 300 } });
    expect((await call(`${url}/api/version`)).status).toBe(200);
    await until("the answer is counted", async () => (await answered()).all > before.all);
    expect(await answered()).toEqual({ quick: before.quick, all: before.all + 1 });
  });

  it("crashes when told to", async () => {
    const ordered = await launch("backend");
    await call(`${ordered.faultUrl}/faults`, { body: { crash: true } });
    const set = await launch("backend", { FAULT_CRASH_AFTER_MS: "100" }, async ({ process: child }) => hasEnded(child));
    await until("both ended", async () => hasEnded(ordered.process));
    expect([ordered.process.exitCode, set.process.exitCode]).toEqual([1, 1]);
  });

  it("serves on through an outage of PostgreSQL and recovers by itself", async () => {
    const { url } = await launch("backend");
    const token = await logIn(url);
    await end(database, "SIGQUIT");
    const create = () => call(`${url}/api/tasks`, { token, body: { title: "after" } });
    expect(await create()).toMatchObject({ status: 503, body: { error: "the database cannot be reached" } });
    for (const path of ["/health", "/ready", "/api/version"]) expect((await call(`${url}${path}`)).status).toBe(200);
    await startDatabase();
    expect((await create()).status).toBe(201);
  });

  it("answers 503 in time when PostgreSQL accepts and says nothing", async () => {
    const { url, output } = await launch("backend");
    const token = await logIn(url);
    await end(database, "SIGQUIT");
    const blackHole = createServer(() => {}).listen(databasePort, "127.0.0.1");
    try {
      expect((await call(`${url}/api/tasks`, { token, body: { title: "a" } })).status).toBe(503);
      // Its own limit ended the attempt, not an answer.
      await until("the limit is told", async () => /"status":503.*connection timeout/.test(output()));
      expect((await call(`${url}/health`)).status).toBe(200);
    } finally {
      blackHole.close();
      await startDatabase();
    }
  });

  it("answers from PostgreSQL while Redis hangs or is gone", async () => {
    const { url, output } = await launch("backend");
    const token = await logIn(url);
    const read = async () => (await call(`${url}/api/tasks`, { token })).body;
    await until("redis is used", async () => (await read()).cached === true);
    cache.kill("SIGSTOP");
    expect((await read()).cached).toBe(false);
    await until("its limit is told", async () => /"redis lost;.*no answer within 250 ms/.test(output()));
    cache.kill("SIGCONT");
    await until("redis is used again", async () => (await read()).cached === true);
    await end(cache, "SIGKILL");
    expect((await read()).cached).toBe(false);
    await startCache();
    await until("redis is used again", async () => (await read()).cached === true);
    expect(output().split('"message":"redis lost').length - 1).toBeLessThan(6);
  });

  it("finishes what is in flight when it is told to stop", async () => {
    const running = await launch("backend", { DRAIN_SECONDS: "1", FAULT_DELAY_MS: "1500" });
    const inFlight = call(`${running.url}/api/version`);
    await delay(200);
    running.process.kill("SIGTERM");
    await until("not ready", async () => (await call(`${running.url}/ready`)).status === 503);
    const during = await call(`${running.url}/health`);
    expect([during.status, during.headers.get("connection")]).toEqual([200, "close"]);
    expect((await inFlight).status).toBe(200);
    await until("ended", async () => hasEnded(running.process));
    expect(running.process.exitCode).toBe(0);
  });

  it("gives up at the start when the database is not there, alive but not ready until then", async () => {
    const nowhere = `postgres://taskflow_user:${appPassword}@127.0.0.1:${await freePort()}/taskflow`;
    const running = await launch("backend", { DATABASE_URL: nowhere, START_SECONDS: "2" }, async ({ url }) => {
      return (await call(`${url}/health`)).status === 200 && (await call(`${url}/ready`)).status === 503;
    });
    await until("ended", async () => hasEnded(running.process));
    expect(running.process.exitCode).toBe(1);
    expect(running.output()).toContain('"message":"start failed"');
  });

  it.each([
    ["a login that row level security does not bind", { DATABASE_URL: "superuser" }, "has BYPASSRLS"],
    ["an environment that is not right", { JWT_SECRET: "short", COLOUR: "red" }, "2 problems in the environment"],
  ])("refuses to start with %s", async (_name, change, message) => {
    const superuser = `postgres://postgres@127.0.0.1:${databasePort}/taskflow`;
    const environment = "DATABASE_URL" in change ? { DATABASE_URL: superuser } : change;
    const running = await launch("backend", environment, async ({ process: child }) => hasEnded(child));
    expect([running.process.exitCode, running.output()]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe("the sample frontend", () => {
  it("serves its own release's assets and no other's", async () => {
    const { url } = await launch("frontend");
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
    const { port } = await launch("frontend", { LOG_LEVEL: "info" });
    const origin = { host: "127.0.0.1", port } as const;
    const load = await startLoad({ origin, hostname: "taskflow.localhost", requestsPerSecond: 450, seconds: 2 });
    // A span beyond its end is refused once all that was due has been sent and answered.
    await expect(load.sample(0, 600_000)).rejects.toThrow("the load ended after");
    const sample = await load.stop();
    expect(sample.requests).toBe(900);
    expect(sample.failures.map(({ reason }) => reason)).toEqual(["api: status 404"]);
    expect(sample.failed).toBe(sample.records.filter(({ kind }) => kind === "api").length);
  });
});
