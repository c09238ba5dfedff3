import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Role, roleNames, rolesOf } from "../../components/database/roles.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { places } from "../places.ts";

/** TaskFlow's roles: its database is what is measured and tested outside a stack. */
export const names = roleNames("taskflow", "taskflow_user");
export const roles: readonly Role[] = rolesOf(names);

/** Makes every role, or puts it right: roles belong to the server, and several runs may share one. */
export async function makeRoles(superuser: pg.ClientBase, password: string): Promise<void> {
  for (const { name, login, bypassRowSecurity, createDatabase, memberOf } of roles) {
    const attributes = [
      login ? `login password '${password}'` : "nologin",
      bypassRowSecurity ? "bypassrls" : "nobypassrls",
      createDatabase ? "createdb" : "nocreatedb",
    ].join(" ");
    await superuser.query(`do $$ begin create role ${name}; exception when duplicate_object then null; end $$`);
    await superuser.query(`alter role ${name} ${attributes}`);
    for (const above of memberOf) await superuser.query(`grant ${above} to ${name}`);
  }
}

/** A database of the application, empty, as a stack declares it. */
export interface ApplicationDatabase {
  readonly name: string;
  /** How each of the logins gets in. */
  access(login: string): pg.ClientConfig;
  /** What the database programs are told about it; `passwords`, `work` and `backup` are in a temporary directory. */
  readonly settings: ProgramSettings;
  /** Drops it and removes the directory. */
  drop(): Promise<void>;
}

/** Makes one on a server that has the roles, all with this password. `superuser` stays connected as long as it is used. */
export async function makeDatabase(
  superuser: pg.Client,
  admin: pg.ClientConfig,
  password: string,
  prefix: string,
): Promise<ApplicationDatabase> {
  const name = `${prefix}_${randomBytes(4).toString("hex")}`;
  await superuser.query(`create database ${name} owner ${names.owner}`);
  await superuser.query(`revoke all on database ${name} from public`);
  const { host = "127.0.0.1", port = 5432, user, password: own } = superuser;
  const { connectionString: _, ...rest } = admin;
  const access = (login: string): pg.ClientConfig => ({
    ...rest,
    host,
    port,
    ...(login === user ? { user, password: own ?? undefined } : { user: login, password }),
    database: name,
  });
  const setUp = new pg.Client(access(user ?? "postgres"));
  await setUp.connect();
  for (const statement of grantStatements(name)) await setUp.query(statement);
  // A database with a session is one in use: only what its user opens is open.
  await setUp.end();
  const directory = await mkdtemp(join(tmpdir(), "golive-database-"));
  const passwords = join(directory, "passwords");
  for (const each of ["passwords", "work", "backups"]) await mkdir(join(directory, each));
  for (const { name: login } of roles.filter((role) => role.login)) await writeFile(join(passwords, login), password);
  await writeFile(join(directory, "backup-key"), randomBytes(32).toString("hex"));
  return {
    name,
    access,
    settings: settingsIn(directory, { host, port, database: name }),
    async drop() {
      await superuser.query(`drop database if exists ${name} with (force)`);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface At {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

function settingsIn(directory: string, { host, port, database }: At): ProgramSettings {
  return {
    application: "taskflow",
    environment: "local",
    server: { host, port, tls: { mode: "off" } },
    database,
    logins: { migrator: names.owner, backup: names.backup, exporter: names.exporter },
    passwords: join(directory, "passwords"),
    roles: roles.map(({ name, login, bypassRowSecurity, memberOf, rights }) => ({
      name,
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
  };
}

/** The grants that the program declares, as SQL: rights of each role on the database, the schema and what will be in it. */
function grantStatements(database: string): readonly string[] {
  const list = (rights: readonly string[]) => rights.join(", ");
  const byDefault = `alter default privileges for role ${names.owner} in schema public grant`;
  return [
    "revoke all on schema public from public",
    `alter schema public owner to ${names.owner}`,
    ...roles.flatMap(({ name, rights }) => [
      ...(rights.database.length > 0 ? [`grant ${list(rights.database)} on database ${database} to ${name}`] : []),
      ...(rights.schema.length > 0 ? [`grant ${list(rights.schema)} on schema public to ${name}`] : []),
      ...(rights.tables.length > 0 ? [`${byDefault} ${list(rights.tables)} on tables to ${name}`] : []),
      ...(rights.sequences.length > 0 ? [`${byDefault} ${list(rights.sequences)} on sequences to ${name}`] : []),
    ]),
  ];
}
