import { isDeepStrictEqual } from "node:util";
import type { Problem } from "./config.ts";
import { hasDatabase } from "./database.ts";
import { list, type Plain, text } from "./resource.ts";
import { hasSchema } from "./schema.ts";
import type { Server, Session } from "./server.ts";

/** The name of the role that everybody is a member of. */
export const everybody = "public";

const privilegesOf: Readonly<Record<string, readonly string[]>> = {
  database: ["CREATE", "CONNECT", "TEMPORARY"],
  schema: ["CREATE", "USAGE"],
  table: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"],
  sequence: ["USAGE", "SELECT", "UPDATE"],
  function: ["EXECUTE"],
  routine: ["EXECUTE"],
  type: ["USAGE"],
};

/** Privileges that a type of object does not have, and grants that PostgreSQL refuses. The real plugin finds them when it writes. */
export function privilegeProblems(inputs: Plain): readonly Problem[] {
  const objectType = text(inputs, "objectType");
  const allowed = ["ALL", ...(privilegesOf[objectType] ?? [])];
  const wrong = list(inputs, "privileges").filter((privilege) => !allowed.includes(privilege));
  const problems = wrong.map((privilege) => ({
    property: "privileges",
    reason: `got ${privilege}; allowed for a ${objectType}: ${allowed.join(", ")}`,
  }));
  if (inputs.withGrantOption !== true || text(inputs, "role") !== everybody) return problems;
  return [...problems, { property: "withGrantOption", reason: `allowed for every role but ${everybody}` }];
}

/** What the state says of privileges that were found: as they are, but ALL where ALL was asked for and is there. */
export function asWanted(found: readonly string[], wanted: Plain): readonly string[] {
  const all = privilegesOf[text(wanted, "objectType")] ?? [];
  const asked = list(wanted, "privileges");
  return asked.includes("ALL") && sameSet(found, all) ? asked : found;
}

export const sameSet = (one: readonly string[], other: readonly string[]) =>
  isDeepStrictEqual([...new Set(one)].sort(), [...new Set(other)].sort());

/** The number of a role in lists of rights; 0 stands for everybody. Undefined when there is no such role. */
export async function roleNumber(session: Session, role: string): Promise<number | undefined> {
  if (role === everybody) return 0;
  const [row] = await session.query<{ oid: number }>("select oid from pg_roles where rolname = $1", [role]);
  return row?.oid;
}

/** Reads rights in their database, unless that, their schema or their role is gone and they with it. */
export async function readRights(
  server: Server,
  title: string,
  known: Plain,
  read: (session: Session, role: number) => Promise<Plain | undefined>,
): Promise<Plain | undefined> {
  const database = text(known, "database");
  const doing = `read ${title}`;
  if (!(await server.transaction(doing, (session) => hasDatabase(session, database)))) return undefined;
  const inIt = async (session: Session) => {
    const schemaName = text(known, "schema");
    const role = await roleNumber(session, text(known, "role"));
    if (role === undefined || (schemaName !== "" && !(await hasSchema(session, schemaName)))) return undefined;
    return read(session, role);
  };
  return server.transaction(doing, inIt, database);
}
