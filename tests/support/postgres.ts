import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import pg from "pg";
import { openPortForward } from "../../components/database/port-forward.ts";
import { type Role, roleNames, rolesOf } from "../../components/database/roles.ts";
import { places } from "../../local/places.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { until } from "./until.ts";

/** The roles of TaskFlow's database. */
export const names = roleNames("taskflow", "taskflow_user");
export const roles: readonly Role[] = rolesOf(names);

/** A real PostgreSQL in the cluster for one file of tests, and as many databases in it as they like. */
export interface TestServer {
  /** How its superuser gets in. */
  readonly admin: pg.ClientConfig;
  /** A database of its own, empty, with all roles and the grants that the program declares. */
  database(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly name: string;
  /** What the database programs would be told; `migrations` is TaskFlow's directory, `work` and `backup` are temporary. */
  readonly settings: ProgramSettings;
  /** A connection as this role; `postgres` is the superuser. End it, or `drop` does. */
  connect(login: string): Promise<pg.Client>;
  drop(): Promise<void>;
}

const superPassword = randomBytes(16).toString("hex");
const image = "golive.local/postgres:15";

/**
 * Starts a PostgreSQL in a namespace of its own. GOLIVE_POSTGRES=postgresql://postgres:…@host:port takes that server
 * instead, for work on SQL without the cluster.
 */
export async function startServer(): Promise<TestServer> {
  const given = process.env.GOLIVE_POSTGRES;
  if (given !== undefined && given !== "") return serverAt({ connectionString: given }, async () => {});
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = `checks-${randomBytes(3).toString("hex")}`;
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  await core.createNamespacedPod({ namespace, body: pod() });
  const forward = await openPortForward(config, { namespace, pod: "postgres-0", port: 5432, localPort: 0 });
  const { port } = forward.address() as AddressInfo;
  const admin = { host: "127.0.0.1", port, user: "postgres", password: superPassword, database: "postgres" };
  const stop = async () => {
    forward.close();
    await core.deleteNamespace({ name: namespace, gracePeriodSeconds: 0 });
  };
  try {
    await until("postgres-0 ready", async () => {
      const { status } = await core.readNamespacedPod({ namespace, name: "postgres-0" });
      return status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false;
    });
    return await serverAt(admin, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function pod() {
  const isReady = { exec: { command: ["pg_isready", "--host=127.0.0.1", "--username=postgres"] } };
  return {
    metadata: { name: "postgres-0" },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "postgres",
          image,
          imagePullPolicy: "IfNotPresent",
          env: [
            { name: "POSTGRES_PASSWORD", value: superPassword },
            { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
          ],
          readinessProbe: { ...isReady, periodSeconds: 1 },
          securityContext: { runAsUser: 999, runAsGroup: 999 },
          volumeMounts: [
            { name: "data", mountPath: "/var/lib/postgresql/data" },
            { name: "run", mountPath: "/var/run/postgresql" },
          ],
        },
      ],
      securityContext: { fsGroup: 999 },
      volumes: ["data", "run"].map((name) => ({ name, emptyDir: {} })),
    },
  };
}

async function serverAt(admin: pg.ClientConfig, stop: () => Promise<void>): Promise<TestServer> {
  const client = new pg.Client(admin);
  await client.connect();
  const password = randomBytes(16).toString("hex");
  for (const role of roles) await makeRole(client, role, password);
  return {
    admin,
    database: () => freshDatabase(client, admin, password),
    async stop() {
      await client.end();
      await stop();
    },
  };
}

/** Roles belong to the server: two files of tests on a given server share them, and set the password anew. */
async function makeRole(client: pg.Client, role: Role, password: string): Promise<void> {
  const attributes = [
    role.login ? `login password '${password}'` : "nologin",
    role.bypassRowSecurity ? "bypassrls" : "nobypassrls",
    role.createDatabase ? "createdb" : "nocreatedb",
  ].join(" ");
  await client.query(`do $$ begin create role ${role.name}; exception when duplicate_object then null; end $$`);
  await client.query(`alter role ${role.name} ${attributes}`);
  for (const above of role.memberOf) await client.query(`grant ${above} to ${role.name}`);
}

async function freshDatabase(superuser: pg.Client, admin: pg.ClientConfig, password: string): Promise<TestDatabase> {
  const name = `check_${randomBytes(4).toString("hex")}`;
  const directory = await mkdtemp(join(tmpdir(), "golive-database-"));
  const open = new Set<pg.Client>();
  const { host = "127.0.0.1", port = 5432 } = superuser;
  await superuser.query(`create database ${name} owner ${names.owner}`);
  await superuser.query(`revoke all on database ${name} from public`);
  const connect = async (login: string) => {
    const as = login === "postgres" ? {} : { user: login, password };
    const { connectionString: _, ...rest } = admin;
    const base = { ...rest, host, port, password: superuser.password ?? undefined, user: superuser.user };
    const client = new pg.Client({ ...base, ...as, database: name });
    // The server ends sessions of a database that is dropped.
    client.on("error", () => open.delete(client));
    await client.connect();
    open.add(client);
    return client;
  };
  const setUp = await connect("postgres");
  for (const statement of grantStatements(name)) await setUp.query(statement);
  const passwords = join(directory, "passwords");
  for (const each of ["passwords", "work", "backups"]) await mkdir(join(directory, each));
  for (const { name: login } of roles.filter((role) => role.login)) await writeFile(join(passwords, login), password);
  await writeFile(join(directory, "backup-key"), randomBytes(32).toString("hex"));
  return {
    name,
    connect,
    settings: {
      application: "taskflow",
      environment: "local",
      server: { host, port, tls: { mode: "off" } },
      database: name,
      logins: { migrator: names.owner, backup: names.backup, exporter: names.exporter },
      passwords,
      roles: roles.map(({ name: role, login, bypassRowSecurity, memberOf, rights }) => ({
        name: role,
        login,
        bypassRowSecurity,
        memberOf,
        connect: rights.database.includes("CONNECT"),
      })),
      migrations: join(places.root, "migrations", "taskflow"),
      contract: undefined,
      backup: {
        directory: join(directory, "backups"),
        key: join(directory, "backup-key"),
        keep: 3,
        leastPercentOfPrevious: 50,
      },
      binaries: undefined,
      work: join(directory, "work"),
      report: undefined,
    },
    async drop() {
      for (const client of open) await client.end().catch(() => undefined);
      await superuser.query(`drop database if exists ${name} with (force)`);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The grants that the program declares, as SQL: rights of each role on the database, the schema and what will be in it. */
function grantStatements(database: string): readonly string[] {
  const list = (rights: readonly string[]) => rights.join(", ");
  return [
    "revoke all on schema public from public",
    `alter schema public owner to ${names.owner}`,
    ...roles.flatMap(({ name, rights }) => [
      ...(rights.database.length > 0 ? [`grant ${list(rights.database)} on database ${database} to ${name}`] : []),
      ...(rights.schema.length > 0 ? [`grant ${list(rights.schema)} on schema public to ${name}`] : []),
      ...(rights.tables.length > 0
        ? [
            `alter default privileges for role ${names.owner} in schema public grant ${list(rights.tables)} on tables to ${name}`,
          ]
        : []),
      ...(rights.sequences.length > 0
        ? [
            `alter default privileges for role ${names.owner} in schema public grant ${list(rights.sequences)} on sequences to ${name}`,
          ]
        : []),
    ]),
  ];
}
