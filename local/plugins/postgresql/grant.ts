import type { Problem } from "./config.ts";
import { schemaOwners, withRightsOf } from "./owners.ts";
import { asWanted, privilegeProblems, readRights, roleNumber, sameSet } from "./privileges.ts";
import { flag, list, type Plain, type ResourceType, text } from "./resource.ts";
import { name, type Server, type Session } from "./server.ts";

const objectTypes = ["database", "schema", "table", "sequence", "function"] as const;

/** `postgresql.Grant`: exactly these rights of a role on an object, on named objects of a schema or on all that are there now. */
export const grant: ResourceType = {
  type: "postgresql:index/grant:Grant",
  title: (of) => {
    const schemaName = text(of, "schema");
    const where = schemaName === "" ? "" : `, schema ${schemaName}`;
    return `rights of role ${text(of, "role")} (${text(of, "objectType")} in database ${text(of, "database")}${where})`;
  },
  removesFirst: "always",
  properties: {
    role: { kind: "text", required: true, replaces: true },
    database: { kind: "text", required: true, replaces: true },
    schema: { kind: "text", replaces: true },
    objectType: { kind: "text", required: true, replaces: true, allowed: objectTypes },
    objects: { kind: "set", replaces: true },
    privileges: { kind: "set", required: true },
    withGrantOption: { kind: "flag", default: false, replaces: true },
  },
  problems: (inputs) => [...placeProblems(inputs), ...privilegeProblems(inputs)],
  idOf(state) {
    const objectType = text(state, "objectType");
    const schemaName = objectType === "database" ? [] : [text(state, "schema")];
    return [text(state, "role"), text(state, "database"), ...schemaName, objectType, ...list(state, "objects")].join(
      "_",
    );
  },

  create: (server, wanted) => write(server, "grant", wanted, list(wanted, "privileges")),
  update: (server, before, wanted) => write(server, "change", wanted, list(before, "privileges")),

  read: (server, known) =>
    readRights(server, grant.title(known), known, async (session, role) => {
      const privileges = await present(session, known, role);
      return { ...known, privileges: asWanted(privileges, known) };
    }),

  remove: (server, state) =>
    inDatabase(server, "revoke", state, async (session) => {
      await session.query(revocation(state, list(state, "privileges")));
    }),
};

function placeProblems(inputs: Plain): readonly Problem[] {
  const objectType = text(inputs, "objectType");
  const problems: Problem[] = [];
  if (objectType !== "database" && text(inputs, "schema") === "") {
    problems.push({ property: "schema", reason: `it is missing; a grant on a ${objectType} names its schema` });
  }
  if ((objectType === "database" || objectType === "schema") && list(inputs, "objects").length > 0) {
    problems.push({ property: "objects", reason: `a grant on a ${objectType} names no objects` });
  }
  // What follows a function's name becomes part of a statement as it is.
  const wrong = list(inputs, "objects").find((each) => !/^[^(]+(\([\w\s,.[\]"]*\))?$/.test(each));
  if (wrong !== undefined) {
    problems.push({ property: "objects", reason: `got ${wrong}; allowed: a name, or name(type, type) of a function` });
  }
  return problems;
}

/** Revokes and grants in one transaction, so that nobody sees the role without its rights. */
function write(server: Server, doing: string, wanted: Plain, before: readonly string[]): Promise<void> {
  return inDatabase(server, doing, wanted, async (session) => {
    await session.query(revocation(wanted, before));
    const privileges = list(wanted, "privileges");
    if (privileges.length > 0) {
      const option = flag(wanted, "withGrantOption") ? " with grant option" : "";
      await session.query(
        `grant ${privileges.join(", ")} on ${targetOf(wanted)} to ${name(text(wanted, "role"))}${option}`,
      );
    }
    await requireEffect(server, session, wanted);
  });
}

// Who does not own a database gets a mere warning, and nothing is granted or revoked. (The real plugin takes that for done.)
async function requireEffect(server: Server, session: Session, wanted: Plain): Promise<void> {
  if (text(wanted, "objectType") !== "database") return;
  const role = await roleNumber(session, text(wanted, "role"));
  const found = await present(session, wanted, role ?? 0);
  if (sameSet(asWanted(found, wanted), list(wanted, "privileges"))) return;
  throw new Error(
    `the server left them as they are (${found.join(", ") || "none"}): the login ${server.config.username} does not own ` +
      "the database; let a superuser or a member of its owner be the provider's login",
  );
}

function inDatabase(
  server: Server,
  doing: string,
  of: Plain,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const withRights = async (session: Session) => {
    const objectType = text(of, "objectType");
    const owners =
      objectType === "database" ? [] : await schemaOwners(session, text(of, "schema"), objectType !== "schema");
    await withRightsOf(session, owners, () => work(session));
  };
  return server.transaction(`${doing} ${grant.title(of)}`, withRights, text(of, "database"));
}

// On named objects only what was granted here: revoking ALL would take the rights on single columns along.
function revocation(of: Plain, privileges: readonly string[]): string {
  const named = list(of, "objects").length > 0 && privileges.length > 0;
  const what = named ? privileges.join(", ") : "all privileges";
  return `revoke ${what} on ${targetOf(of)} from ${name(text(of, "role"))}`;
}

function targetOf(of: Plain): string {
  const objectType = text(of, "objectType");
  if (objectType === "database") return `database ${name(text(of, "database"))}`;
  const schemaName = name(text(of, "schema"));
  if (objectType === "schema") return `schema ${schemaName}`;
  const objects = list(of, "objects");
  if (objects.length === 0) return `all ${objectType}s in schema ${schemaName}`;
  const quoted = objects.map((object) => {
    const [bare = "", ...signature] = object.split("(");
    return `${schemaName}.${name(bare)}${signature.map((types) => `(${types}`).join("")}`;
  });
  return `${objectType} ${quoted.join(", ")}`;
}

/** Each object of the kind with the rights that the role has on it; $1 is its name, or its schema's, $2 the role. */
const rightsQueries: Readonly<Record<(typeof objectTypes)[number], string>> = {
  database: rightsQuery("pg_database", "datname", "datacl", "acldefault('d', datdba)", "datname = $1"),
  schema: rightsQuery("pg_namespace", "nspname", "nspacl", "acldefault('n', nspowner)", "nspname = $1"),
  table: rightsQuery(
    "pg_class join pg_namespace n on n.oid = relnamespace",
    "relname",
    "relacl",
    "acldefault('r', relowner)",
    "nspname = $1 and relkind = 'r'",
  ),
  sequence: rightsQuery(
    "pg_class join pg_namespace n on n.oid = relnamespace",
    "relname",
    "relacl",
    "acldefault('s', relowner)",
    "nspname = $1 and relkind = 'S'",
  ),
  function: rightsQuery(
    "pg_proc join pg_namespace n on n.oid = pronamespace",
    "proname",
    "proacl",
    "acldefault('f', proowner)",
    "nspname = $1",
  ),
};

function rightsQuery(from: string, named: string, rights: string, usual: string, where: string): string {
  return `select ${named}::text as object,
                 array(select distinct privilege_type::text from aclexplode(coalesce(${rights}, ${usual}))
                        where grantee = $2 order by 1) as privileges
            from ${from} where ${where} order by 1`;
}

// All objects should have the same rights: those of the first that has others are what the state then shows.
async function present(session: Session, known: Plain, role: number): Promise<readonly string[]> {
  const objectType = text(known, "objectType") as (typeof objectTypes)[number];
  const place = text(known, objectType === "database" ? "database" : "schema");
  const rows = await session.query<{ object: string; privileges: string[] }>(rightsQueries[objectType], [place, role]);
  const bareNames = list(known, "objects").map((object) => object.replace(/\(.*/, ""));
  const wanted = list(known, "privileges");
  const other = rows
    .filter(({ object }) => bareNames.length === 0 || bareNames.includes(object))
    .find(({ privileges }) => !sameSet(asWanted(privileges, known), wanted));
  return other?.privileges ?? wanted;
}
