import type pg from "pg";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { names, type TestDatabase, type TestServer } from "./postgres.ts";

/**
 * The people of the tests: `ann` leads team red and `rita` is in it; `bob` is in team blue and owns it; `olga` owns red and is
 * no member; `carl` has no team, and a task of red is his; `ada` is an admin and in no team. `nobody` has no claims at all.
 */
export const people = ["nobody", "ann", "bob", "carl", "olga", "ada"] as const;
export type Person = (typeof people)[number];

/** The claims of a person's token. */
export function claimsOf(person: Person | "rita"): Readonly<Record<string, unknown>> | undefined {
  return person === "nobody" ? undefined : { sub: person, role: person === "ada" ? "admin" : "user" };
}

/** Ids of the rows that `addRows` makes. */
export const rows = {
  users: { ann: 1, rita: 2, bob: 3, carl: 4, olga: 5, ada: 6 },
  teams: { red: 1, blue: 2 },
  projects: { red: 1, blue: 2 },
  /** Ann's own, the one that carl shall do, bob's own, and one of blue that is nobody's. */
  tasks: { ofAnn: 1, ofCarl: 2, ofBob: 3, ofBlue: 4 },
} as const;

/** A bcrypt hash of no password in particular. */
export const someHash = `$2b$10$${"a".repeat(53)}`;

const statements = [
  `insert into users (open_id, name, email, role) select open_id, initcap(open_id), open_id || '@example.com', role
   from (values (1, 'ann', 'user'), (2, 'rita', 'user'), (3, 'bob', 'user'), (4, 'carl', 'user'), (5, 'olga', 'user'),
     (6, 'ada', 'admin')) someone (number, open_id, role) order by number`,
  `insert into user_credentials (user_id, password_hash) select id, '${someHash}' from users`,
  "insert into teams (name, owner_id) values ('Red', 5), ('Blue', 3)",
  "insert into team_members (team_id, user_id, role) values (1, 1, 'lead'), (1, 2, 'member'), (2, 3, 'member')",
  "insert into projects (team_id, name) values (1, 'Red project'), (2, 'Blue project')",
  `insert into tasks (project_id, title, status, creator_id, assignee_id) values
     (1, 'secret of red', 'in_progress', 1, 1), (1, 'a task for carl', 'todo', 1, 4),
     (2, 'secret of blue', 'in_progress', 3, 3), (2, 'left over', 'todo', null, null)`,
  "insert into comments (task_id, author_id, body) values (1, 1, 'first'), (2, 4, 'mine'), (3, 3, 'of blue')",
  `insert into notifications (user_id, task_id, team_id, kind) values
     (4, 2, 1, 'assigned'), (1, 2, 1, 'commented'), (3, 4, 2, 'assigned')`,
  `insert into time_entries (task_id, user_id, started_at, ended_at) values
     (1, 1, '2026-01-01 10:00Z', '2026-01-01 11:30Z'), (3, 3, '2026-01-01 10:00Z', '2026-01-01 10:20Z')`,
  `insert into refresh_tokens (user_id, token_hash, expires_at)
   select id, sha256(open_id::bytea), now() + interval '1 day' from users`,
];

/** Fills an empty database, as the owner: the ids are those of `rows`. */
export async function addRows(owner: pg.ClientBase): Promise<void> {
  for (const statement of statements) await owner.query(statement);
}

/** A database with TaskFlow's whole schema and these rows. */
export async function taskflow(server: TestServer): Promise<TestDatabase> {
  const database = await server.database();
  await migrate(database.settings, () => {});
  const owner = await database.connect(names.owner);
  await addRows(owner);
  await owner.end();
  return database;
}

/** Does `work` in a transaction for one person, and takes all of it back. */
export async function as<T>(
  client: pg.ClientBase,
  claims: Readonly<Record<string, unknown>> | string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  await client.query("begin");
  try {
    if (claims !== undefined) {
      const text = typeof claims === "string" ? claims : JSON.stringify(claims);
      await client.query("select set_config('request.jwt.claims', $1, true)", [text]);
    }
    return await work();
  } finally {
    await client.query("rollback");
  }
}
