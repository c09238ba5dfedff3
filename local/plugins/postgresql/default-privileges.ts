import { withRightsOf } from "./owners.ts";
import { asWanted, privilegeProblems, readRights, roleNumber } from "./privileges.ts";
import { flag, list, type Plain, type ResourceType, text } from "./resource.ts";
import { name, type Server, type Session } from "./server.ts";

/** Types of objects, and the letters that the catalogue has for them. */
const letters = { table: "r", sequence: "S", function: "f", routine: "f", type: "T", schema: "n" } as const;

/** `postgresql.DefaultPrivileges`: the rights that a role gets on what an owner will make. */
export const defaultPrivileges: ResourceType = {
  type: "postgresql:index/defaultPrivileges:DefaultPrivileges",
  title: (of) => {
    const schemaName = text(of, "schema");
    const where = schemaName === "" ? "" : `, schema ${schemaName}`;
    return (
      `default rights of role ${text(of, "role")} on each ${text(of, "objectType")} of ${text(of, "owner")} ` +
      `(database ${text(of, "database")}${where})`
    );
  },
  // As with the real plugin: a replacement grants anew, and then revokes the same rights. deleteBeforeReplace helps.
  removesFirst: "never",
  properties: {
    role: { kind: "text", required: true, replaces: true },
    database: { kind: "text", required: true, replaces: true },
    owner: { kind: "text", required: true, replaces: true },
    schema: { kind: "text", replaces: true },
    objectType: { kind: "text", required: true, replaces: true, allowed: Object.keys(letters) },
    privileges: { kind: "set", required: true },
    withGrantOption: { kind: "flag", default: false, replaces: true },
  },
  problems: (inputs) => [
    ...(text(inputs, "objectType") === "schema" && text(inputs, "schema") !== ""
      ? [{ property: "schema", reason: "default rights on schemas name no schema" }]
      : []),
    ...privilegeProblems(inputs),
  ],
  idOf: (state) =>
    [
      text(state, "role"),
      text(state, "database"),
      text(state, "schema") || "noschema",
      text(state, "owner"),
      text(state, "objectType"),
    ].join("_"),

  create: (server, wanted) => inDatabase(server, "grant", wanted, (session) => write(session, wanted)),
  update: (server, _, wanted) => inDatabase(server, "change", wanted, (session) => write(session, wanted)),

  read: (server, known) =>
    readRights(server, defaultPrivileges.title(known), known, async (session, role) => {
      const owner = await roleNumber(session, text(known, "owner"));
      const [row] = await session.query<{ privileges: string[] }>(
        `select array(select distinct privilege_type::text from pg_default_acl, aclexplode(defaclacl)
                       where defaclobjtype = $1 and defaclrole = $2 and grantee = $3
                         and defaclnamespace = coalesce((select oid from pg_namespace where nspname = $4), 0)
                       order by 1) as privileges`,
        [letters[text(known, "objectType") as keyof typeof letters], owner ?? 0, role, text(known, "schema")],
      );
      const found = row?.privileges ?? [];
      // No rights where some were wanted: gone, as with the real plugin.
      if (found.length === 0 && list(known, "privileges").length > 0) return undefined;
      return { ...known, privileges: asWanted(found, known) };
    }),

  remove: (server, state) =>
    inDatabase(server, "revoke", state, async (session) => {
      await session.query(`${alteration(state)} revoke all on ${targetOf(state)} from ${name(text(state, "role"))}`);
    }),
};

/** Revokes and grants in one transaction, so that no object is made without its rights. */
async function write(session: Session, wanted: Plain): Promise<void> {
  const role = name(text(wanted, "role"));
  await session.query(`${alteration(wanted)} revoke all on ${targetOf(wanted)} from ${role}`);
  const privileges = list(wanted, "privileges");
  if (privileges.length === 0) return;
  const option = flag(wanted, "withGrantOption") ? " with grant option" : "";
  await session.query(
    `${alteration(wanted)} grant ${privileges.join(", ")} on ${targetOf(wanted)} to ${role}${option}`,
  );
}

function alteration(of: Plain): string {
  const schemaName = text(of, "schema");
  const where = schemaName === "" ? "" : ` in schema ${name(schemaName)}`;
  return `alter default privileges for role ${name(text(of, "owner"))}${where}`;
}

const targetOf = (of: Plain) => `${text(of, "objectType")}s`;

function inDatabase(
  server: Server,
  doing: string,
  of: Plain,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  return server.transaction(
    `${doing} ${defaultPrivileges.title(of)}`,
    (session) => withRightsOf(session, [text(of, "owner")], () => work(session)),
    text(of, "database"),
  );
}
