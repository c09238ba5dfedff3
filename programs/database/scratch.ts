import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterwards } from "./afterwards.ts";
import { type Access, type Child, runTool, startTool, stopChild, ToolProblem } from "./postgres.ts";
import { Problem } from "./problem.ts";
import type { ProgramSettings } from "./settings.ts";

/** A PostgreSQL of our own for some seconds, behind a socket that only this user can open. */
export interface ScratchServer {
  /** How a tool reaches its database as this role; no role has a password there. */
  access(login: string): Access;
}

const superuser = "postgres";
/** A name of the socket, not an address: the server listens on no port. */
const port = 5432;
/** Longest path of a Unix socket, in bytes, that Linux takes. */
const longestSocket = 107;
const startSeconds = 60;

// What is lost in a crash is thrown away in any case, so nothing waits for a disk.
const configuration = [
  "listen_addresses=",
  "unix_socket_permissions=0700",
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "wal_level=minimal",
  "max_wal_senders=0",
  "autovacuum=off",
  // A pod has 64 MiB of shared memory, which parallel workers would take.
  "max_parallel_workers=0",
  "max_parallel_maintenance_workers=0",
  "timezone=UTC",
];

/**
 * Gives `work` a superuser's connection to an empty database named like the application's, owned by the migrator, on a
 * new server with all roles of the application. The server and its files are gone afterwards, also after a failure.
 * @throws Problem when run as root, without space, or without PostgreSQL's programs.
 */
export async function withScratchServer<T>(
  settings: ProgramSettings,
  work: (client: pg.Client, server: ScratchServer) => Promise<T>,
): Promise<T> {
  refuseRoot();
  const directory = await makeDirectory(settings);
  return await afterwards(
    () => rm(directory, { recursive: true, force: true }),
    async () => {
      const data = join(directory, "data");
      await initialise(settings, data);
      const options = [...configuration, `unix_socket_directories=${directory}`];
      const child = startTool(settings, "postgres", ["-D", data, ...options.flatMap((option) => ["-c", option])]);
      child.process.stdout.resume();
      return await afterwards(
        // Immediate: nobody needs its last checkpoint.
        () => stopChild(child, "SIGQUIT"),
        async () => {
          await waitForServer(settings, directory, child);
          await makeDatabase(settings, directory);
          const client = await open(directory, settings.database);
          return await afterwards(
            () => client.end(),
            () => work(client, { access: (login) => accessTo(directory, login, settings.database) }),
          );
        },
      );
    },
  );
}

function refuseRoot(): void {
  if (process.getuid?.() !== 0) return;
  throw new Problem(
    "this program runs as root, and PostgreSQL does not start as root: run it as another user (in a pod: runAsUser 999; on a machine: runuser -u postgres -- …)",
  );
}

async function makeDirectory(settings: ProgramSettings): Promise<string> {
  const directory = await mkdtemp(join(settings.work, "scratch-")).catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`cannot make a scratch server in ${settings.work}: ${error.message}`, { cause: error });
  });
  const socket = Buffer.byteLength(join(directory, `.s.PGSQL.${port}`));
  if (socket <= longestSocket) return directory;
  await rm(directory, { recursive: true, force: true });
  throw new Problem(
    `the directory ${settings.work} is too deep for a scratch server: its socket's path would have ${socket} bytes, and Linux takes ${longestSocket}; set a shorter one`,
  );
}

async function initialise(settings: ProgramSettings, data: string): Promise<void> {
  const how = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  const what = `initdb of a scratch server in ${settings.work}`;
  await runTool(settings, "initdb", ["--pgdata", data, "--username", superuser, ...how], { what });
}

async function waitForServer(settings: ProgramSettings, directory: string, child: Child): Promise<void> {
  let ended = false;
  const markEnded = () => {
    ended = true;
  };
  child.ended.then(markEnded, markEnded);
  const deadline = Date.now() + startSeconds * 1000;
  for (;;) {
    try {
      const client = await open(directory, "postgres");
      await client.end();
      return;
    } catch (error) {
      if (ended) {
        const { ending, stderr } = await child.ended;
        throw new ToolProblem(`the scratch server in ${settings.work}`, ending, stderr);
      }
      if (Date.now() > deadline) {
        throw new Problem(`the scratch server in ${settings.work} did not answer within ${startSeconds} s`, {
          cause: error,
        });
      }
      await delay(50);
    }
  }
}

async function makeDatabase(settings: ProgramSettings, directory: string): Promise<void> {
  const name = pg.escapeIdentifier;
  const client = await open(directory, "postgres");
  try {
    for (const role of settings.roles.filter((each) => each.name !== superuser)) {
      const attributes = `${role.login ? "login" : "nologin"} ${role.bypassRowSecurity ? "bypassrls" : "nobypassrls"}`;
      await client.query(`create role ${name(role.name)} ${attributes}`);
    }
    for (const role of settings.roles) {
      for (const group of role.memberOf) await client.query(`grant ${name(group)} to ${name(role.name)}`);
    }
    const database = name(settings.database);
    await client.query(`create database ${database} template template0 owner ${name(settings.logins.migrator)}`);
    for (const statement of connectStatements(settings, settings.database)) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Who may connect to a database of the application: nobody but the roles that are said to. */
export function connectStatements(settings: ProgramSettings, database: string): readonly string[] {
  const name = pg.escapeIdentifier;
  return [
    `revoke all on database ${name(database)} from public`,
    ...settings.roles
      .filter((role) => role.connect)
      .map((role) => `grant connect on database ${name(database)} to ${name(role.name)}`),
  ];
}

async function open(directory: string, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: directory, port, user: superuser, database, application_name: "golive" });
  // The server is stopped under its clients when this process is told to stop.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

function accessTo(directory: string, login: string, database: string): Access {
  return { PGHOST: directory, PGPORT: String(port), PGUSER: login, PGDATABASE: database, PGAPPNAME: "golive" };
}
