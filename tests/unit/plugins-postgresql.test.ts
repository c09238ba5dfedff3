import { describe, expect, it } from "vitest";
import { checkInputs, difference, inputsOf, known, outputs, planned } from "../../local/plugins/postgresql/plan.ts";
import type { Plain } from "../../local/plugins/postgresql/resource.ts";
import { typeNamed } from "../../local/plugins/postgresql/types.ts";
import { type Properties, Secret, unknown } from "../../local/plugins/rpc/properties.ts";

const named = (name: string) => typeNamed(`postgresql:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`);
const role = named("Role");
const database = named("Database");
const schema = named("Schema");
const grant = named("Grant");
const grantRole = named("GrantRole");
const defaults = named("DefaultPrivileges");

describe("inputs", () => {
  const reasons = (type: typeof role, inputs: Properties) =>
    checkInputs(type, inputs).problems.map(({ property, reason }) => `${property}: ${reason}`);

  it("are taken as they are, without nulls, and a password is a secret whatever the program says", () => {
    const { inputs, problems } = checkInputs(role, { name: "a", login: true, validUntil: null, password: "p" });
    expect(problems).toEqual([]);
    expect(inputs).toEqual({ name: "a", login: true, password: new Secret("p") });
  });

  it.each([
    ["a missing name", role, {}, "name: it is missing"],
    ["an empty name", role, { name: "" }, "name: it is empty"],
    [
      "a name that would be cut off",
      schema,
      { name: "n".repeat(64) },
      `name: got ${"n".repeat(64)}; allowed: up to 63 bytes`,
    ],
    ["a text for a flag", role, { name: "a", login: "yes" }, 'login: got "yes"; it must be true or false'],
    ["a text for a list", role, { name: "a", roles: "b" }, 'roles: got "b"; it must be a list of texts'],
    ["a limit below none", role, { name: "a", connectionLimit: -2 }, "connectionLimit: got -2; it must be at least -1"],
    [
      "a property that the stand-in does not have",
      role,
      { name: "a", statementTimeout: 1 },
      "statementTimeout: the stand-in for the postgresql plugin does not have this property; the real plugin does (GOLIVE_PLUGINS)",
    ],
    [
      "another value of what it only knows one of",
      database,
      { name: "a", alterObjectOwnership: true },
      "alterObjectOwnership: the stand-in for the postgresql plugin does not have this property; the real plugin does (GOLIVE_PLUGINS)",
    ],
    [
      "a password beyond ASCII",
      role,
      { name: "a", password: new Secret("pässword") },
      "password: the stand-in for the postgresql plugin takes passwords of printable ASCII characters only",
    ],
    [
      "the password NULL",
      role,
      { name: "a", password: new Secret("null") },
      "password: the word NULL means no password to the plugin; choose another",
    ],
    [
      "a type of object that cannot be granted on",
      grant,
      { role: "a", database: "d", objectType: "column", privileges: ["SELECT"] },
      "objectType: got column; allowed here: database, schema, table, sequence, function",
    ],
    [
      "a right that the object does not have",
      grant,
      { role: "a", database: "d", objectType: "database", privileges: ["USAGE"] },
      "privileges: got USAGE; allowed for a database: ALL, CREATE, CONNECT, TEMPORARY",
    ],
    [
      "a grant on tables of no schema",
      grant,
      { role: "a", database: "d", objectType: "table", privileges: ["SELECT"] },
      "schema: it is missing; a grant on a table names its schema",
    ],
    [
      "objects of a database",
      grant,
      { role: "a", database: "d", objectType: "database", objects: ["t"], privileges: ["CONNECT"] },
      "objects: a grant on a database names no objects",
    ],
    [
      "a function's signature with more in it",
      grant,
      {
        role: "a",
        database: "d",
        schema: "s",
        objectType: "function",
        objects: ["f(int); drop"],
        privileges: ["EXECUTE"],
      },
      "objects: got f(int); drop; allowed: a name, or name(type, type) of a function",
    ],
    [
      "everybody with the right to grant",
      grant,
      { role: "public", database: "d", objectType: "database", privileges: ["CONNECT"], withGrantOption: true },
      "withGrantOption: allowed for every role but public",
    ],
    [
      "default rights on schemas of a schema",
      defaults,
      { role: "a", database: "d", owner: "o", schema: "s", objectType: "schema", privileges: ["USAGE"] },
      "schema: default rights on schemas name no schema",
    ],
  ] as const)("with %s are refused", (_, type, inputs, problem) => {
    expect(reasons(type, inputs)).toEqual([problem]);
  });

  it("that are not known yet are judged where they are known", () => {
    const tables = { role: unknown, database: unknown, objectType: "table", privileges: ["SELECT"] };
    expect(reasons(grant, tables)).toEqual([]);
    expect(reasons(grant, { ...tables, objectType: "x" })).toHaveLength(1);
  });
});

describe("a plan", () => {
  it("has the defaults, sorted lists, and what the server decides as unknown", () => {
    expect(planned(database, { name: "d", owner: "o" })).toEqual({
      name: "d",
      owner: "o",
      template: unknown,
      encoding: unknown,
      lcCollate: unknown,
      lcCtype: unknown,
      connectionLimit: -1,
      allowConnections: true,
      isTemplate: unknown,
      tablespaceName: unknown,
      alterObjectOwnership: false,
    });
    expect(planned(grantRole, { role: "a", grantRole: "b" })).toEqual({
      role: "a",
      grantRole: "b",
      withAdminOption: false,
    });
    expect(planned(role, { name: "a", roles: ["z", "b"] }).roles).toEqual(["b", "z"]);
  });

  it("keeps what the server decided before", () => {
    const state = { name: "s", database: "d", owner: "o", ifNotExists: true, dropCascade: false };
    expect(planned(schema, { name: "s", dropCascade: true }, state)).toEqual({ ...state, dropCascade: true });
  });

  it("is only carried out when all of it is known", () => {
    expect(() => known({ name: "a", roles: ["b", unknown] })).toThrow("the value of roles is not known yet");
  });
});

describe("a difference", () => {
  const found = (type: typeof role, state: Properties, news: Properties, ignored: readonly string[] = []) => {
    const { changes, replaces, removesFirst } = difference(type, state, news, ignored);
    const paths = Object.fromEntries(
      [...changes].map(([path, { change, replaces: anew }]) => [path, anew ? `${change}, replace` : change]),
    );
    return { paths, replaces, removesFirst };
  };
  const none = { paths: {}, replaces: [], removesFirst: false };
  const roleState = planned(role, { name: "a", login: true, password: new Secret("p"), roles: ["b", "c"] });
  const grantState = planned(grant, {
    role: "a",
    database: "d",
    schema: "s",
    objectType: "table",
    privileges: ["DELETE", "INSERT", "SELECT"],
  });

  it("is none for what is the same by another spelling", () => {
    const news = { name: "a", login: true, password: new Secret("p"), roles: ["c", "b"], superuser: false };
    expect(found(role, roleState, news)).toEqual(none);
    const onDatabase = { role: "a", database: "d", objectType: "database", withGrantOption: false };
    expect(found(grant, { ...onDatabase, objects: [] }, { ...onDatabase, schema: "", privileges: [] })).toEqual(none);
  });

  it("is a password that changed, and one that is set or taken away", () => {
    const news = { name: "a", login: true, roles: ["b", "c"] };
    expect(found(role, roleState, { ...news, password: new Secret("q") }).paths).toEqual({ password: "update" });
    expect(found(role, roleState, news).paths).toEqual({ password: "delete" });
    const { password: _, ...without } = roleState;
    expect(found(role, without, { ...news, password: new Secret("q") }).paths).toEqual({ password: "add" });
  });

  it("is what somebody else changed, against the program or the default", () => {
    const state = { ...roleState, createDatabase: true, roles: ["b"] };
    const news = { name: "a", login: true, password: new Secret("p"), roles: ["b", "c"] };
    expect(found(role, state, news).paths).toEqual({ createDatabase: "update", "roles[1]": "add" });
  });

  it("is shown by the element of a list", () => {
    const news = { ...grantState, privileges: ["SELECT", "UPDATE"] };
    expect(found(grant, grantState, news)).toEqual({
      paths: { "privileges[0]": "delete", "privileges[1]": "update" },
      replaces: [],
      removesFirst: false,
    });
  });

  it("is none where it is ignored", () => {
    const news = { name: "a", login: true, password: new Secret("q"), roles: ["b"], connectionLimit: 3 };
    expect(found(role, roleState, news, ["password", "roles[1]"]).paths).toEqual({ connectionLimit: "update" });
  });

  it("replaces a grant for every property but its rights, the old one first", () => {
    for (const [name, value] of Object.entries({ role: "x", database: "x", schema: "x", objectType: "sequence" })) {
      expect(found(grant, grantState, { ...grantState, [name]: value })).toEqual({
        paths: { [name]: "update, replace" },
        replaces: [name],
        removesFirst: true,
      });
    }
    expect(found(grant, grantState, { ...grantState, objects: ["t"] })).toMatchObject({
      paths: { objects: "add, replace" },
      removesFirst: true,
    });
  });

  it("replaces a database by its birth and not by its name, and the old one first unless the name differs", () => {
    const state = {
      name: "d",
      encoding: "UTF8",
      lcCollate: "C",
      connectionLimit: -1,
      allowConnections: true,
      owner: "o",
    };
    expect(found(database, state, { name: "d", encoding: "LATIN1" })).toEqual({
      paths: { encoding: "update, replace" },
      replaces: ["encoding"],
      removesFirst: true,
    });
    expect(found(database, state, { name: "e", lcCollate: unknown })).toMatchObject({
      replaces: ["lcCollate"],
      removesFirst: false,
    });
    expect(found(database, state, { name: "e", owner: "p" })).toEqual({
      paths: { name: "update", owner: "update" },
      replaces: [],
      removesFirst: false,
    });
  });

  it("replaces a membership and default rights after the new ones are made, as the real plugin does", () => {
    const membership = planned(grantRole, { role: "a", grantRole: "b" });
    expect(found(grantRole, membership, { ...membership, withAdminOption: true })).toEqual({
      paths: { withAdminOption: "update, replace" },
      replaces: ["withAdminOption"],
      removesFirst: false,
    });
    const rights = { role: "a", database: "d", owner: "o", objectType: "table", privileges: ["SELECT"] };
    expect(found(defaults, planned(defaults, rights), { ...rights, schema: "s" })).toMatchObject({
      replaces: ["schema"],
      removesFirst: false,
    });
  });
});

describe("an id", () => {
  it.each<[string, typeof role, Plain, string]>([
    ["a role", role, { name: "r" }, "r"],
    ["a database", database, { name: "d" }, "d"],
    ["a schema", schema, { name: "s", database: "d" }, "d.s"],
    ["rights on a database", grant, { role: "r", database: "d", objectType: "database" }, "r_d_database"],
    ["rights on a schema", grant, { role: "r", database: "d", schema: "s", objectType: "schema" }, "r_d_s_schema"],
    [
      "rights on tables",
      grant,
      { role: "r", database: "d", schema: "s", objectType: "table", objects: ["t", "u"] },
      "r_d_s_table_t_u",
    ],
    ["a membership", grantRole, { role: "r", grantRole: "g", withAdminOption: false }, "r_g_false"],
    [
      "default rights",
      defaults,
      { role: "r", database: "d", schema: "s", owner: "o", objectType: "table" },
      "r_d_s_o_table",
    ],
    [
      "default rights everywhere",
      defaults,
      { role: "r", database: "d", owner: "o", objectType: "type" },
      "r_d_noschema_o_type",
    ],
  ])("of %s is the real plugin's", (_, type, state, id) => {
    expect(type.idOf(state)).toBe(id);
  });

  it("says what is imported, where that is possible", () => {
    expect(role.fromId?.("r")).toEqual({ name: "r" });
    expect(schema.fromId?.("d.s")).toEqual({ database: "d", name: "s" });
    expect(() => schema.fromId?.("s")).toThrow("the id of a schema is <database>.<schema>; got s");
    expect([grant.fromId, grantRole.fromId, defaults.fromId]).toEqual([undefined, undefined, undefined]);
  });
});

describe("a state", () => {
  it("keeps secret what the program or the type says is secret", () => {
    const inputs = { name: new Secret("a"), password: "p" };
    expect(outputs(role, { name: "a", password: "p", login: true }, inputs)).toEqual({
      name: new Secret("a"),
      password: new Secret("p"),
      login: true,
    });
  });

  it("gives back the inputs of a program as they are now, in its own order where only that differs", () => {
    const inputs = { role: "a", database: "d", objectType: "database", privileges: ["TEMPORARY", "CONNECT"] };
    const state = { ...inputs, privileges: ["CONNECT", "TEMPORARY"], withGrantOption: false };
    expect(inputsOf(grant, state, inputs)).toEqual(inputs);
    expect(inputsOf(grant, { ...state, privileges: ["CONNECT"] }, inputs)).toEqual({
      ...inputs,
      privileges: ["CONNECT"],
    });
  });

  it("of an import gives inputs that are no defaults", () => {
    const state = { ...known(planned(role, { name: "a" })), login: true, roles: [] };
    expect(inputsOf(role, state, {})).toEqual({ name: "a", login: true });
  });
});

describe("a type", () => {
  it("that the stand-in does not have is named, with those that it has", () => {
    expect(() => typeNamed("postgresql:index/publication:Publication")).toThrow(
      "the stand-in for the postgresql plugin has no type postgresql:index/publication:Publication; it has " +
        "postgresql:index/role:Role, postgresql:index/database:Database, postgresql:index/schema:Schema, " +
        "postgresql:index/grant:Grant, postgresql:index/grantRole:GrantRole, " +
        "postgresql:index/defaultPrivileges:DefaultPrivileges",
    );
  });
});
