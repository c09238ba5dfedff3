import { hasDatabase } from "./database.ts";
import { databaseOwner, withRightsOf } from "./owners.ts";
import { flag, type Plain, type ResourceType, text } from "./resource.ts";
import { nameProblems } from "./role.ts";
import { name, type Server, type Session } from "./server.ts";

/** `postgresql.Schema`. One that is there already is taken over, as with the real plugin: that is how `public` is declared. */
export const schema: ResourceType = {
  type: "postgresql:index/schema:Schema",
  title: (of) => `schema ${text(of, "name")} of database ${text(of, "database")}`,
  removesFirst: "same name",
  properties: {
    name: { kind: "text", required: true },
    database: { kind: "text", computed: true, replaces: true },
    owner: { kind: "text", computed: true },
    ifNotExists: { kind: "flag", default: true },
    dropCascade: { kind: "flag", default: false },
  },
  problems: nameProblems,
  idOf: (state) => `${text(state, "database")}.${text(state, "name")}`,
  fromId(id) {
    const [database, schemaName, ...more] = id.split(".");
    if (database && schemaName && more.length === 0) return { database, name: schemaName };
    throw new Error(`the id of a schema is <database>.<schema>; got ${id}`);
  },

  create: (server, wanted) =>
    inDatabase(server, "create", wanted, async (session) => {
      const [schemaName, owner] = [text(wanted, "name"), text(wanted, "owner")];
      await withRightsOf(session, [await databaseOwner(session), ...(owner === "" ? [] : [owner])], async () => {
        if (!(await hasSchema(session, schemaName))) {
          await session.query(
            `create schema ${name(schemaName)}${owner === "" ? "" : ` authorization ${name(owner)}`}`,
          );
        } else if (owner !== "") {
          await session.query(`alter schema ${name(schemaName)} owner to ${name(owner)}`);
        }
      });
    }),

  update: (server, before, wanted) =>
    inDatabase(server, "change", before, async (session) => {
      const [oldName, newName] = [text(before, "name"), text(wanted, "name")];
      const owners = [text(before, "owner"), text(wanted, "owner")];
      await withRightsOf(session, owners, async () => {
        if (oldName !== newName) await session.query(`alter schema ${name(oldName)} rename to ${name(newName)}`);
        if (wanted.owner !== undefined && wanted.owner !== before.owner) {
          await session.query(`alter schema ${name(newName)} owner to ${name(text(wanted, "owner"))}`);
        }
      });
    }),

  async read(server, known) {
    const { database: usual } = server.config;
    const database = text(known, "database") || usual;
    const isThere = await server.transaction(`read ${schema.title(known)}`, (session) =>
      hasDatabase(session, database),
    );
    if (!isThere) return undefined;
    return inDatabase(server, "read", known, async (session) => {
      const [row] = await session.query<{ owner: string }>(
        "select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = $1",
        [text(known, "name")],
      );
      const { ifNotExists = true, dropCascade = false } = known;
      return row === undefined ? undefined : { name: text(known, "name"), database, ...row, ifNotExists, dropCascade };
    });
  },

  remove: (server, state) =>
    inDatabase(server, "drop", state, async (session) => {
      // A schema that is gone in a database that is there is dropped, as with the real plugin.
      if (!(await hasSchema(session, text(state, "name")))) return;
      await withRightsOf(session, [text(state, "owner")], async () => {
        const contents = flag(state, "dropCascade") ? "cascade" : "restrict";
        await session.query(`drop schema ${name(text(state, "name"))} ${contents}`);
      });
    }),
};

function inDatabase<Result>(
  server: Server,
  doing: string,
  of: Plain,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  return server.transaction(`${doing} ${schema.title(of)}`, work, text(of, "database") || undefined);
}

/** Whether the database of a session has a schema of this name. */
export async function hasSchema(session: Session, schemaName: string): Promise<boolean> {
  return (await session.query("select from pg_namespace where nspname = $1", [schemaName])).length > 0;
}
