import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPortForward } from "../../components/database/port-forward.ts";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { places } from "../../local/places.ts";
import { startServer, type TestServer } from "../support/postgres.ts";
import type { AccessPlan } from "./access/program/access-plan.ts";
import { kubectl } from "./plugins/kubectl.ts";
import { PluginStack } from "./plugins/plugin-stack.ts";

const application = `access_${randomBytes(3).toString("hex")}`;
const names = roleNames(application, `${application}_user`);
const roles = rolesOf(names);

describe("the access that a stack declares, in a real server", () => {
  let server: TestServer;
  let stack: PluginStack;
  let admin: pg.Client;
  const open: pg.Client[] = [];

  let port: number;
  const declare = async (rotation: number) => {
    const { user = "", password } = admin;
    const { namespace } = server;
    const plan: AccessPlan = { user, password: String(password), port, namespace, application, rotation };
    await stack.write({ postgresql: { ...plan }, resources: [] });
  };
  const passwordOf = async (login: string) => String(await stack.output(login, "--show-secrets"));
  const connect = async (login: string, password?: string, database = application) => {
    const as = login === "admin" ? {} : { user: login, password: password ?? (await passwordOf(login)) };
    const { host, port, user, password: own } = admin;
    const client = new pg.Client({ host, port, user, password: own ?? undefined, ...as, database });
    client.on("error", () => {});
    await client.connect();
    open.push(client);
    return client;
  };

  beforeAll(async () => {
    server = await startServer();
    admin = new pg.Client(server.admin);
    await admin.connect();
    port = server.namespace === undefined ? admin.port : await freePort();
    stack = await PluginStack.open(join(import.meta.dirname, "access", "program"));
    await declare(0);
  });
  afterEach(async () => {
    for (const client of open.splice(0)) await client.end().catch(() => {});
  });
  afterAll(async () => {
    try {
      // Nothing holds what is in this server: it is deleted one by one, so the program must open the way.
      const destroyed = await stack?.run("destroy", "--yes", "--skip-preview", "--run-program");
      expect(destroyed?.code, destroyed?.text).toBe(0);
      await stack?.close();
    } finally {
      await admin?.end();
      await server?.stop();
    }
  });

  it("is made by one up, and a second one changes nothing", async () => {
    await stack.succeed();
    expect(await stack.steps()).toEqual({});
  });

  it("has the roles of the program, with exactly their powers and groups", async () => {
    const { rows } = await admin.query(
      `select rolname as name, rolcanlogin as login, rolbypassrls as "bypassRowSecurity", rolcreatedb as "createDatabase",
              rolsuper or rolcreaterole or rolreplication as powerful, nullif(rolconnlimit, -1) as "connectionLimit",
              array(select g.rolname::text from pg_auth_members join pg_roles g on g.oid = roleid where member = r.oid) as "memberOf"
         from pg_roles r where rolname like $1 order by rolname`,
      [`${application}%`],
    );
    const wanted = roles.map(({ name, login, bypassRowSecurity, createDatabase, connectionLimit, memberOf }) => ({
      ...{ name, login, bypassRowSecurity, createDatabase, powerful: false },
      ...{ connectionLimit: connectionLimit ?? null, memberOf },
    }));
    expect(rows).toEqual(wanted.sort((a, b) => (a.name < b.name ? -1 : 1)));
  });

  it("gives what the owner makes to the application, but for TRUNCATE, and to nobody else", async () => {
    const owner = await connect(names.owner);
    await owner.query("create table notes (id bigint generated always as identity, words text)");
    const rights = async (login: string) => {
      const { rows } = await inDatabase(
        `select array_agg(privilege order by privilege) as it
           from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) privilege
          where has_table_privilege($1, 'notes', privilege)`,
        [login],
      );
      return rows[0]?.it;
    };
    const found = Object.fromEntries(
      await Promise.all(
        roles.map(async ({ name }) => [name.slice(application.length + 1), await rights(name)] as const),
      ),
    );
    const all = ["DELETE", "INSERT", "SELECT", "UPDATE"];
    expect(found).toEqual({
      user: ["DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"],
      app: all,
      app_a: all,
      app_b: all,
      read: ["SELECT"],
      readonly: ["SELECT"],
      backup: ["SELECT"],
      exporter: null,
    });
    const app = await connect(names.applicationLogins.a);
    await app.query("insert into notes (words) values ('mine')");
    await expect(app.query("truncate notes")).rejects.toThrow("permission denied for table notes");
    await expect(app.query("create table own ()")).rejects.toThrow("permission denied for schema public");
    await expect(app.query(`set role ${names.owner}`)).rejects.toThrow("permission denied to set role");
  });

  it("lets nobody in but its own logins", async () => {
    const stranger = `${application}_stranger`;
    await admin.query(`create role ${stranger} login password 'stranger'`);
    try {
      await expect(connect(stranger, "stranger")).rejects.toThrow(`permission denied for database "${application}"`);
    } finally {
      await admin.query(`drop role ${stranger}`);
    }
  });

  it("is in a database that orders text by its bytes, and knows letters beyond ASCII", async () => {
    const owner = await connect(names.owner);
    const { rows } = await owner.query(
      "select array_agg(word order by word) as words, lower('ÄÖ') as lower from (values ('b'), ('a'), ('B')) as words (word)",
    );
    expect(rows).toEqual([{ words: ["B", "a", "b"], lower: "äö" }]);
  });

  it("is read again by a refresh that runs the program, which opens the way to the server", async ({ skip }) => {
    if (server.namespace === undefined) skip("GOLIVE_POSTGRES names a server that needs no port-forward");
    const alone = await stack.run("refresh", "--yes", "--skip-preview");
    expect(alone.code).not.toBe(0);
    expect(alone.text).toContain(`127.0.0.1:${port}`);
    const refreshed = await stack.run("refresh", "--yes", "--skip-preview", "--run-program");
    expect(refreshed.code, refreshed.text).toBe(0);
    expect(await stack.steps()).toEqual({});
  });

  it("is reached at whichever pod has the labels at that moment, as the primary of several servers has", async ({
    skip,
  }) => {
    const { namespace } = server;
    if (namespace === undefined) return skip("GOLIVE_POSTGRES names a server that needs no port-forward");
    const config = new KubeConfig();
    config.loadFromFile(places.kubeconfig);
    const labels = "instanceRole=primary";
    const forward = await openPortForward(config, { namespace, pod: { labels }, port: 5432, localPort: 0 });
    const opened = forward.address();
    const client = () => new pg.Client({ ...server.admin, port: typeof opened === "object" ? opened?.port : 0 });
    try {
      await expect(client().connect()).rejects.toThrow("Connection terminated unexpectedly");
      await kubectl("label", "--namespace", namespace, "pod", "postgres-0", labels);
      const reached = client();
      await reached.connect();
      expect((await reached.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      await reached.end();
    } finally {
      forward.close();
    }
  });

  it("changes its passwords in a rotation without a dropped connection: the login in use keeps its own (S4-21)", async () => {
    const { a, b } = names.applicationLogins;
    const before = { a: await passwordOf(a), b: await passwordOf(b), owner: await passwordOf(names.owner) };
    const working = await connect(a, before.a);
    await declare(1);
    await stack.succeed();
    // Pods of before work on, and may connect anew; pods of after use the other login.
    expect((await working.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await connect(a, before.a);
    await connect(b);
    expect(await passwordOf(a)).toBe(before.a);
    await expect(connect(b, before.b)).rejects.toThrow("password authentication failed");
    await expect(connect(names.owner, before.owner)).rejects.toThrow("password authentication failed");
    expect(await stack.steps()).toEqual({});
  });

  it("keeps its passwords out of the state in clear", async () => {
    const state = await stack.state();
    for (const { name, login } of roles) if (login) expect(state).not.toContain(await passwordOf(name));
  });

  /** A loopback port on which nobody listens. */
  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async function inDatabase(query: string, values: readonly unknown[]) {
    const client = await connect("admin");
    return client.query<{ it: string[] | null }>(query, [...values]);
  }
});
