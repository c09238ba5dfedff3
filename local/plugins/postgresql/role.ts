import { isTooLong, longestName, type Problem } from "./config.ts";
import { withRightsOf } from "./owners.ts";
import { flag, list, number, type Plain, type ResourceType, text } from "./resource.ts";
import { isPlainAscii, verifierOf } from "./scram.ts";
import { literal, name, type Server, type Session } from "./server.ts";

/** Attributes that are on or off, by property: the word that switches each on; NO in front switches it off. */
const switches = {
  superuser: "SUPERUSER",
  createDatabase: "CREATEDB",
  createRole: "CREATEROLE",
  inherit: "INHERIT",
  login: "LOGIN",
  bypassRowLevelSecurity: "BYPASSRLS",
  replication: "REPLICATION",
} as const;

const option = (of: Plain, property: keyof typeof switches) => `${flag(of, property) ? "" : "NO"}${switches[property]}`;
const switchNames = Object.keys(switches) as (keyof typeof switches)[];

/** `postgresql.Role`: a role, its attributes, its password and the roles that it is a member of. */
export const role: ResourceType = {
  type: "postgresql:index/role:Role",
  title: (of) => `role ${text(of, "name")}`,
  removesFirst: "same name",
  properties: {
    name: { kind: "text", required: true },
    password: { kind: "text", secret: true },
    roles: { kind: "set" },
    validUntil: { kind: "text", default: "infinity" },
    connectionLimit: { kind: "number", default: -1, least: -1 },
    superuser: { kind: "flag", default: false },
    createDatabase: { kind: "flag", default: false },
    createRole: { kind: "flag", default: false },
    inherit: { kind: "flag", default: true },
    login: { kind: "flag", default: false },
    replication: { kind: "flag", default: false },
    bypassRowLevelSecurity: { kind: "flag", default: false },
    skipDropRole: { kind: "flag", default: false },
    skipReassignOwned: { kind: "flag", default: false },
    encryptedPassword: { kind: "flag", default: true, fixed: true },
  },
  problems(inputs) {
    const password = text(inputs, "password");
    const problems: Problem[] = nameProblems(inputs);
    if (password !== "" && !isPlainAscii(password)) {
      const reason = "the stand-in for the postgresql plugin takes passwords of printable ASCII characters only";
      problems.push({ property: "password", reason });
    }
    if (password.toUpperCase() === "NULL") {
      problems.push({ property: "password", reason: "the word NULL means no password to the plugin; choose another" });
    }
    return problems;
  },
  idOf: (state) => text(state, "name"),
  fromId: (id) => ({ name: id }),

  create: (server, wanted) =>
    server.transaction(`create ${role.title(wanted)}`, async (session) => {
      await requireReadablePassword(server, session, wanted);
      const options = [
        ...(text(wanted, "password") === "" ? [] : [passwordOption(wanted)]),
        `VALID UNTIL ${literal(text(wanted, "validUntil"))}`,
        `CONNECTION LIMIT ${number(wanted, "connectionLimit")}`,
        ...switchNames.map((property) => option(wanted, property)),
      ];
      await session.query(`create role ${name(text(wanted, "name"))} with ${options.join(" ")}`);
      await grantRoles(session, wanted);
    }),

  update: (server, before, wanted) =>
    server.transaction(`change ${role.title(before)}`, async (session) => {
      await requireReadablePassword(server, session, wanted);
      const [oldName, newName] = [text(before, "name"), text(wanted, "name")];
      if (oldName !== newName) await session.query(`alter role ${name(oldName)} rename to ${name(newName)}`);
      const options = changedOptions(before, wanted);
      if (options.length > 0) await session.query(`alter role ${name(newName)} with ${options.join(" ")}`);
      await grantRoles(session, wanted);
    }),

  read: (server, known) =>
    server.transaction(`read ${role.title(known)}`, async (session) => {
      const [row] = await session.query<Record<string, string | number | boolean | string[]>>(
        `select rolname as name, rolsuper as superuser, rolinherit as inherit, rolcreaterole as "createRole",
                rolcreatedb as "createDatabase", rolcanlogin as login, rolconnlimit as "connectionLimit",
                rolreplication as replication, rolbypassrls as "bypassRowLevelSecurity",
                coalesce(rolvaliduntil::text, 'infinity') as "validUntil", ${memberOf} as roles
           from pg_roles where rolname = $1`,
        [text(known, "name")],
      );
      if (row === undefined) return undefined;
      await requireReadablePassword(server, session, { ...known, login: row.login === true });
      // The password cannot be read: what was set stays in the state, as with the real plugin and SCRAM.
      const { password, skipDropRole = false, skipReassignOwned = false } = known;
      return { ...row, password, skipDropRole, skipReassignOwned, encryptedPassword: true };
    }),

  remove: (server, state) =>
    server.transaction(`drop ${role.title(state)}`, async (session) => {
      const quoted = name(text(state, "name"));
      if (!flag(state, "skipReassignOwned")) {
        await withRightsOf(session, [text(state, "name")], async () => {
          await session.query(`reassign owned by ${quoted} to current_user`);
          await session.query(`drop owned by ${quoted}`);
        });
      }
      if (!flag(state, "skipDropRole")) await session.query(`drop role ${quoted}`);
    }),
};

/** What is wrong with a resource's name: PostgreSQL cuts it off after 63 bytes, and would then never find it again. */
export function nameProblems(inputs: Plain): Problem[] {
  const given = text(inputs, "name");
  return isTooLong(given) ? [{ property: "name", reason: `got ${given}; allowed: up to ${longestName} bytes` }] : [];
}

const memberOf = `array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
                         where m.member = pg_roles.oid order by 1)`;

const passwordOption = (of: Plain) => `PASSWORD ${literal(verifierOf(text(of, "password")))}`;

function changedOptions(before: Plain, wanted: Plain): readonly string[] {
  const changed = (property: string) => before[property] !== wanted[property];
  const password = text(wanted, "password");
  // A password that is taken out of the program stays on the server, as with the real plugin.
  return [
    ...(password !== "" && changed("password") ? [passwordOption(wanted)] : []),
    ...(changed("validUntil") ? [`VALID UNTIL ${literal(text(wanted, "validUntil"))}`] : []),
    ...(changed("connectionLimit") ? [`CONNECTION LIMIT ${number(wanted, "connectionLimit")}`] : []),
    ...switchNames.filter(changed).map((property) => option(wanted, property)),
  ];
}

/** Makes a role a member of what `roles` says and of nothing else: as with the real plugin, memberships of a GrantRole too are taken away. */
async function grantRoles(session: Session, wanted: Plain): Promise<void> {
  const [row] = await session.query<{ roles: string[] }>(
    `select ${memberOf} as roles from pg_roles where rolname = $1`,
    [text(wanted, "name")],
  );
  const present = row?.roles ?? [];
  const roles = list(wanted, "roles");
  const member = name(text(wanted, "name"));
  for (const gone of present.filter((each) => !roles.includes(each))) {
    await session.query(`revoke ${name(gone)} from ${member}`);
  }
  for (const added of roles.filter((each) => !present.includes(each))) {
    await session.query(`grant ${name(added)} to ${member}`);
  }
}

// The real plugin reads the password's hash, which only a superuser may: a program that works here must work with it too.
async function requireReadablePassword(server: Server, session: Session, of: Plain): Promise<void> {
  if (text(of, "password") === "" || !flag(of, "login") || !server.config.superuser) return;
  const [row] = await session.query<{ rolsuper: boolean }>(
    "select rolsuper from pg_roles where rolname = current_user",
  );
  if (row?.rolsuper === true) return;
  throw new Error(
    `the login ${server.config.username} is no superuser, and the real plugin would want to read password hashes; ` +
      "set superuser: false in the provider's arguments",
  );
}
