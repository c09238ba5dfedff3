import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { bundleSample } from "../../local/sample/bundle.ts";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { names, type TestDatabase } from "./postgres.ts";
import { until } from "./until.ts";

/** The sample's services as processes of this machine, as an image runs them: one file each. */

export const jwtSecret = "the-secret-of-these-tests";

/** One running copy of a service. */
export interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly faultUrl: string;
  readonly port: number;
  output(): string;
}

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill(signal);
  // A process that was stopped must go on in order to end.
  child.kill("SIGCONT");
  await ended;
}

/** Writes the services' files into a directory. */
export async function writeServices(directory: string): Promise<void> {
  for (const [name, code] of Object.entries(await bundleSample())) {
    await writeFile(join(directory, `${name}.mjs`), code);
  }
}

/** Applies TaskFlow's migrations as their owner, all or those up to and including `last`. */
export async function migrateTaskFlow(database: TestDatabase, last?: string): Promise<void> {
  const files = await readMigrations(database.settings.migrations);
  const client = await database.connect(names.owner);
  for (const { sql } of files.slice(
    0,
    last === undefined ? undefined : files.findIndex((file) => file.name === last) + 1,
  ))
    await client.query(sql);
  await client.end();
}

/** The DATABASE_URL of a login of a test's database. */
export async function databaseUrl({ name, settings }: TestDatabase, login: string): Promise<string> {
  const { host, port } = settings.server;
  return `postgres://${login}:${await readFile(join(settings.passwords, login), "utf8")}@${host}:${port}/${name}`;
}

const isReady = async ({ url }: Running): Promise<boolean> => (await fetch(`${url}/ready`)).ok;

/** Starts a service of `directory` and waits until `isUp`; without that, until it is ready. */
export async function launchService(
  directory: string,
  service: "backend" | "frontend",
  environment: Readonly<Record<string, string>>,
  isUp: (running: Running) => Promise<boolean> = isReady,
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
  const failed = async (error: unknown): Promise<never> => {
    await end(child, "SIGKILL");
    throw new Error(`${service} did not come up:\n${output}`, { cause: error });
  };
  await until(`${service} listens`, async () => hasEnded(child) || listening.test(output), 20, 50).catch(failed);
  const [, port, faultPort] = listening.exec(output) ?? [];
  const running: Running = {
    process: child,
    url: `http://127.0.0.1:${port}`,
    faultUrl: `http://127.0.0.1:${faultPort}`,
    port: Number(port),
    output: () => output,
  };
  await until(`${service} is up`, () => isUp(running).catch(() => false), 20, 50).catch(failed);
  return running;
}

/** The services that one file of tests starts, all with the same environment unless a test says otherwise. */
export class Services {
  readonly #directory: string;
  readonly #environment: () => Promise<Readonly<Record<string, string>>>;
  #started: Running[] = [];

  /** `directory` holds the services' files. */
  constructor(directory: string, environment: () => Promise<Readonly<Record<string, string>>>) {
    this.#directory = directory;
    this.#environment = environment;
  }

  async launch(
    service: "backend" | "frontend",
    environment: Readonly<Record<string, string>> = {},
    isUp?: (running: Running) => Promise<boolean>,
  ): Promise<Running> {
    const all = { ...(await this.#environment()), ...environment };
    const running = await launchService(this.#directory, service, all, isUp);
    this.#started.push(running);
    return running;
  }

  /** Ends all of them; what they said. */
  async end(): Promise<readonly string[]> {
    const all = this.#started;
    this.#started = [];
    await Promise.all(all.map(({ process: child }) => end(child, "SIGTERM")));
    return all.map((running) => running.output());
  }
}

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function call(
  url: string,
  options: { token?: string | undefined; body?: unknown; method?: string; headers?: Record<string, string> } = {},
): Promise<Called> {
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

export const password = "the-password-of-someone";

/** What a login answers; the account is registered when it is not there yet. */
export async function logIn(url: string, email: string): Promise<{ token: string; refreshToken: string }> {
  const { status: registered } = await call(`${url}/api/auth/register`, { body: { email, password } });
  if (registered !== 201 && registered !== 409) throw new Error(`register: got status ${registered}`);
  const { status, body } = await call(`${url}/api/auth/login`, { body: { email, password } });
  if (status !== 200) throw new Error(`login: got status ${status}`);
  return { token: String(body.token), refreshToken: String(body.refreshToken) };
}
