import { withRightsOf } from "./owners.ts";
import { flag, number, type Plain, type ResourceType, text } from "./resource.ts";
import { nameProblems } from "./role.ts";
import { literal, name, type Session } from "./server.ts";

/** `postgresql.Database`. Its encoding and its locale are those of its birth: a change makes a new, empty one. */
export const database: ResourceType = {
  type: "postgresql:index/database:Database",
  title: (of) => `database ${text(of, "name")}`,
  removesFirst: "same name",
  properties: {
    name: { kind: "text", required: true },
    owner: { kind: "text", computed: true },
    template: { kind: "text", computed: true, replaces: true },
    encoding: { kind: "text", computed: true, replaces: true },
    lcCollate: { kind: "text", computed: true, replaces: true },
    lcCtype: { kind: "text", computed: true, replaces: true },
    connectionLimit: { kind: "number", default: -1, least: -1 },
    allowConnections: { kind: "flag", default: true },
    isTemplate: { kind: "flag", computed: true },
    tablespaceName: { kind: "text", computed: true, fixed: true },
    alterObjectOwnership: { kind: "flag", default: false, fixed: true },
  },
  problems: nameProblems,
  idOf: (state) => text(state, "name"),
  fromId: (id) => ({ name: id }),

  create: (server, wanted) =>
    server.outsideTransaction(`create ${database.title(wanted)}`, async (session) => {
      const owner = text(wanted, "owner");
      const setting = (word: string, property: string) => {
        const value = text(wanted, property);
        return value === "" ? [] : [`${word} ${literal(value)}`];
      };
      const options = [
        `OWNER ${owner === "" ? "CURRENT_USER" : name(owner)}`,
        `TEMPLATE ${name(templateOf(wanted))}`,
        `ENCODING ${literal(text(wanted, "encoding") || "UTF8")}`,
        ...setting("LC_COLLATE", "lcCollate"),
        ...setting("LC_CTYPE", "lcCtype"),
        `ALLOW_CONNECTIONS ${flag(wanted, "allowConnections")}`,
        `CONNECTION LIMIT ${number(wanted, "connectionLimit")}`,
        `IS_TEMPLATE ${flag(wanted, "isTemplate")}`,
      ];
      await withRightsOf(session, owner === "" ? [] : [owner], async () => {
        await session.query(`create database ${name(text(wanted, "name"))} with ${options.join(" ")}`);
      });
    }),

  async update(server, before, wanted) {
    const [oldName, newName] = [text(before, "name"), text(wanted, "name")];
    if (oldName !== newName) await server.leave(oldName);
    await server.outsideTransaction(`change ${database.title(before)}`, async (session) => {
      const changed = (property: string) => wanted[property] !== undefined && before[property] !== wanted[property];
      const alter = (what: string) => session.query(`alter database ${name(newName)} ${what}`);
      if (oldName !== newName) await session.query(`alter database ${name(oldName)} rename to ${name(newName)}`);
      const owner = text(wanted, "owner");
      if (changed("owner")) {
        await withRightsOf(session, [owner], async () => void (await alter(`owner to ${name(owner)}`)));
      }
      if (changed("connectionLimit")) await alter(`connection limit ${number(wanted, "connectionLimit")}`);
      if (changed("allowConnections")) await alter(`allow_connections ${flag(wanted, "allowConnections")}`);
      if (changed("isTemplate")) await alter(`is_template ${flag(wanted, "isTemplate")}`);
    });
  },

  read: (server, known) =>
    server.transaction(`read ${database.title(known)}`, async (session) => {
      const [row] = await session.query<Record<string, string | number | boolean>>(
        `select datname as name, pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding,
                datcollate as "lcCollate", datctype as "lcCtype", spcname as "tablespaceName",
                datconnlimit as "connectionLimit", datallowconn as "allowConnections", datistemplate as "isTemplate"
           from pg_database join pg_tablespace t on t.oid = dattablespace where datname = $1`,
        [text(known, "name")],
      );
      // The server does not remember the template.
      return row === undefined ? undefined : { ...row, template: templateOf(known), alterObjectOwnership: false };
    }),

  async remove(server, state) {
    await server.leave(text(state, "name"));
    await server.outsideTransaction(`drop ${database.title(state)}`, async (session) => {
      const quoted = name(text(state, "name"));
      if (flag(state, "isTemplate")) await session.query(`alter database ${quoted} is_template false`);
      await withRightsOf(session, await ownerOf(session, state), async () => {
        await session.query(`drop database ${quoted} with (force)`);
      });
    });
  },
};

const templateOf = (of: Plain) => text(of, "template") || "template0";

async function ownerOf(session: Session, state: Plain): Promise<readonly string[]> {
  const rows = await session.query<{ owner: string }>(
    "select pg_get_userbyid(datdba) as owner from pg_database where datname = $1",
    [text(state, "name")],
  );
  return rows.map(({ owner }) => owner);
}

/** Whether a server has a database of this name. */
export async function hasDatabase(session: Session, databaseName: string): Promise<boolean> {
  return (await session.query("select from pg_database where datname = $1", [databaseName])).length > 0;
}
