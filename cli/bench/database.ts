import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import pg from "pg";
import { places } from "../../local/places.ts";
import { type ApplicationDatabase, makeDatabase, makeRoles, names } from "../../local/postgres/application-database.ts";
import { type ServerAddress, startClusterServer } from "../../local/postgres/server.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { seed } from "../../programs/database/seed/seed.ts";
import { borrowCluster } from "../borrowed-cluster.ts";
import { Failure } from "../failure.ts";
import type { Progress } from "../progress.ts";
import type { Session } from "../session.ts";
import { startBackend } from "./backend.ts";
import { benchCalls } from "./calls.ts";
import { type PlanNode, planProblem, readsOf } from "./explain.ts";
import { figuresOf, type Measured } from "./figures.ts";
import { type BenchQuery, benchQueries, findPersons, type Person, type Statement } from "./queries.ts";
import { type BenchReport, benchText, type Planned, shortcomings } from "./report.ts";

const iterations = 100;
/** Before the first measurement: connections, caches and compiled functions are then as they are in the middle of a day. */
const warmUp = 10;
/** S1-16 and S1-17, milliseconds at p95. */
const limits = { query: 50, call: 100 };
/** Users who ask in turn, so that none of them is the lucky one. */
const personCount = 20;
/** Rows from which on a table is big. */
const bigRows = 10_000;

/** Measures queries and calls on a database of its own with this many tasks, prints the figures, and judges them. */
export async function benchDatabase(session: Session, tasks: number): Promise<number> {
  const { progress } = session;
  await borrowCluster(session, false);
  const { server, reached } = await progress.stage("a PostgreSQL for the bench", () => startServer(session));
  progress.note(reached);
  const database = await progress.stage("its database", () => startDatabase(session, server));
  await progress.stage("migrations", (stage) => migrate(database.settings, stage.note));
  await progress.stage(`${tasks.toLocaleString("en")} tasks`, (stage) =>
    seed(database.settings, stage.note, { tasks }),
  );

  const owner = await connect(session, database, names.owner);
  const application = await connect(session, database, names.applicationLogins.a);
  // What autovacuum does to a database in use.
  await progress.stage("vacuum", () => owner.query("vacuum (analyze)"));
  const persons = await findPersons(owner, personCount);
  const queries: Measured[] = [];
  for (const query of benchQueries) {
    queries.push(await progress.stage(query.name, () => measureQuery(query, { owner, application, persons })));
  }
  const plans = await progress.stage("plans", () => explainAll(owner, application, persons));
  const calls = await progress.stage("calls of the API", (stage) =>
    measureCalls(session, stage, { database, owner, persons }),
  );

  const report: BenchReport = { tasks, iterations, reached, queries, calls, plans };
  await writeFile(join(places.golive, "bench-database.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  const problems = shortcomings(report);
  // Putting back comes first, so that the figures are the last thing said.
  const errors = await session.end();
  process.stdout.write(`\n${benchText(report)}\n`);
  for (const problem of problems) process.stderr.write(`golive bench database: ${problem}\n`);
  for (const error of errors) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return problems.length + errors.length === 0 ? 0 : 1;
}

async function startServer(session: Session): Promise<{ server: ServerAddress; reached: string }> {
  const { admin, direct, stop } = await startClusterServer("bench");
  session.atEnd("remove the bench's namespace", stop);
  const server = await direct();
  return server === undefined
    ? { server: admin, reached: "through a port-forward, whose time is in every figure" }
    : { server, reached: "straight to the pod" };
}

async function startDatabase(session: Session, server: ServerAddress): Promise<ApplicationDatabase> {
  const superuser = new pg.Client({ ...server });
  await superuser.connect();
  session.atEnd("leave the bench's server", () => superuser.end());
  const password = randomBytes(16).toString("hex");
  await makeRoles(superuser, password);
  const database = await makeDatabase(superuser, { ...server }, password, "bench");
  session.atEnd("drop the bench's database", () => database.drop());
  return database;
}

async function connect(session: Session, database: ApplicationDatabase, login: string): Promise<pg.Client> {
  const client = new pg.Client(database.access(login));
  // The server ends the sessions of a database that is dropped.
  client.on("error", () => undefined);
  await client.connect();
  session.atEnd(`leave the database as ${login}`, () => client.end());
  return client;
}

interface Clients {
  readonly owner: pg.Client;
  readonly application: pg.Client;
  readonly persons: readonly Person[];
}

/** A query with and without row level security, in turns, so that both meet the same moments of the machine. */
async function measureQuery(
  { name, guarded, plain }: BenchQuery,
  { owner, application, persons }: Clients,
): Promise<Measured> {
  const times: { readonly guarded: number[]; readonly plain: number[] } = { guarded: [], plain: [] };
  for (let turn = -warmUp; turn < iterations; turn++) {
    const person = persons[(turn + warmUp) % persons.length];
    if (person === undefined) throw new Error("nobody asks");
    const one = await timed(application, person, guarded(person));
    const other = await timed(owner, person, plain(person));
    if (JSON.stringify(one.rows) !== JSON.stringify(other.rows)) {
      throw new Failure(
        `${name}: row level security shows ${person.sub} other rows than the same query without it (${one.rows.length} and ${other.rows.length}); the figures would compare two things`,
      );
    }
    if (turn < 0) continue;
    times.guarded.push(one.ms);
    times.plain.push(other.ms);
  }
  return { name, figures: figuresOf(times.guarded), plain: figuresOf(times.plain), limit: limits.query };
}

/** One statement in a transaction with somebody's claims, as the application makes it: from its begin to its commit. */
async function timed(client: pg.Client, person: Person, statement: Statement) {
  const started = performance.now();
  const rows = await acting(
    client,
    person,
    async () => (await client.query(statement.text, [...statement.values])).rows,
  );
  return { ms: performance.now() - started, rows };
}

async function acting<T>(client: pg.Client, { sub }: Person, work: () => Promise<T>): Promise<T> {
  await client.query("begin");
  await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify({ sub, role: "user" })]);
  const result = await work();
  await client.query("commit");
  return result;
}

async function explainAll(
  owner: pg.Client,
  application: pg.Client,
  persons: readonly Person[],
): Promise<readonly Planned[]> {
  const { rows } = await owner.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and reltuples >= $1",
    [bigRows],
  );
  const big = rows.map(({ name }) => name);
  const [person] = persons;
  if (person === undefined) throw new Error("nobody asks");
  const plans: Planned[] = [];
  for (const { name, guarded } of benchQueries) {
    const { text, values } = guarded(person);
    const explained = await acting(application, person, () =>
      application.query<{ "QUERY PLAN": readonly { readonly Plan: PlanNode }[] }>(`explain (format json) ${text}`, [
        ...values,
      ]),
    );
    const root = explained.rows[0]?.["QUERY PLAN"][0]?.Plan;
    if (root === undefined) throw new Error(`${name}: PostgreSQL gave no plan`);
    const reads = readsOf(root);
    plans.push({ name, indexes: reads.indexes, problem: planProblem(reads, big) });
  }
  return plans;
}

async function measureCalls(
  session: Session,
  progress: Progress,
  { database, owner, persons }: { database: ApplicationDatabase; owner: pg.Client; persons: readonly Person[] },
): Promise<readonly Measured[]> {
  const { host, port, user, password } = database.access(names.applicationLogins.a);
  const url = await startBackend(session, {
    DATABASE_URL: `postgresql://${user}:${String(password)}@${host}:${port}/${database.name}`,
    // Nothing listens there: every answer is the database's.
    REDIS_URL: "redis://127.0.0.1:1",
    JWT_SECRET: randomBytes(32).toString("hex"),
    LOG_LEVEL: "info",
  });
  const [person] = persons;
  if (person === undefined) throw new Error("nobody asks");
  const measured: Measured[] = [];
  for (const { name, call } of await benchCalls(url, owner, person)) {
    progress.note(name);
    const times: number[] = [];
    for (let turn = -warmUp; turn < iterations; turn++) {
      const started = performance.now();
      await call();
      if (turn >= 0) times.push(performance.now() - started);
    }
    measured.push({ name, figures: figuresOf(times), limit: limits.call });
  }
  return measured;
}
