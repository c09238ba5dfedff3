import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";
import { type DefaultGrant, type Grant, grantsOf } from "./grants.ts";
import type { Passwords } from "./passwords.ts";
import { reachOf } from "./reach.ts";
import type { Role, RoleNames } from "./roles.ts";
import type { DatabaseServer } from "./server.ts";

export interface AccessArgs {
  readonly settings: Settings;
  readonly server: DatabaseServer;
  readonly names: RoleNames;
  readonly roles: readonly Role[];
  readonly passwords: Passwords;
  /** Name of the application's database. */
  readonly database: string;
}

/**
 * Who may do what in the application's database: roles, the database, its schema, and the rights in it. Everything is
 * declared one after the other: PostgreSQL answers "tuple concurrently updated" to rights that are given at the same time
 * (pulumi-postgresql#831).
 */
export class Access extends pulumi.ComponentResource {
  /** With these, every role has all its rights. */
  readonly ready: readonly pulumi.Resource[];

  constructor(args: AccessArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:database:Access", `${args.settings.application.name}-access`, {}, opts);
    const chain = new Chain(this, args);
    if (!args.server.makesRoles) {
      for (const role of args.roles) chain.add((own) => declareRole(role, args, own));
      chain.hold((own) => declareDatabase(args, own));
    }
    chain.add((own) => declareSchema(args, own));
    for (const grant of grantsOf(args.roles)) chain.add((own) => declareGrant(grant, args, own));
    this.ready = chain.last;
    this.registerOutputs({});
  }
}

/** Resources in the server, each of which waits for the one before. */
class Chain {
  last: readonly pulumi.Resource[];
  readonly #common: pulumi.CustomResourceOptions;
  /** What takes everything after it with it when it is deleted. */
  #holder: pulumi.Resource | undefined;

  constructor(parent: Access, { settings, server }: AccessArgs) {
    const { protect } = defaults[settings.environment];
    const provider = declareProvider(parent, settings, server);
    this.last = server.ready;
    this.#holder = server.holder;
    // Roles that have rights in a database that was kept cannot be deleted: they are kept with it.
    this.#common = { parent, provider, retainOnDelete: protect };
  }

  add(declare: (opts: pulumi.CustomResourceOptions) => pulumi.Resource): pulumi.Resource {
    const holder = this.#holder === undefined ? {} : { deletedWith: this.#holder };
    const made = declare({ ...this.#common, ...holder, dependsOn: [...this.last] });
    this.last = [made];
    return made;
  }

  /** Adds what holds the rest, unless the server itself does: a database outside of the cluster. */
  hold(declare: (opts: pulumi.CustomResourceOptions) => pulumi.Resource): void {
    const made = this.add(declare);
    this.#holder ??= made;
  }
}

function declareProvider(parent: Access, settings: Settings, { admin, ready }: DatabaseServer): postgresql.Provider {
  const { host, port, sslmode, sslrootcert } = reachOf(settings);
  return new postgresql.Provider(
    "postgresql",
    {
      host,
      port,
      username: admin.user,
      password: admin.password,
      database: admin.database,
      superuser: admin.superuser,
      sslmode,
      ...(sslrootcert === undefined ? {} : { sslrootcert }),
      connectTimeout: 30,
    },
    { parent, dependsOn: [...ready] },
  );
}

function declareRole(role: Role, { settings, names, passwords }: AccessArgs, opts: pulumi.CustomResourceOptions) {
  const password = passwords[role.name];
  const { protect } = defaults[settings.environment];
  return new postgresql.Role(
    role.name,
    {
      name: role.name,
      login: role.login,
      superuser: false,
      createRole: false,
      createDatabase: role.createDatabase,
      bypassRowLevelSecurity: role.bypassRowSecurity,
      connectionLimit: role.connectionLimit ?? -1,
      // All of its groups: a membership that somebody gives by hand is taken away again.
      roles: [...role.memberOf],
      ...(password === undefined ? {} : { password }),
    },
    // The owner goes with what it owns.
    { ...opts, protect: protect && role.name === names.owner },
  );
}

/** Text is ordered by its bytes: an order of a language changes with the server's C library, and breaks indexes then. */
function declareDatabase({ settings, names, database }: AccessArgs, opts: pulumi.CustomResourceOptions) {
  return new postgresql.Database(
    database,
    { name: database, owner: names.owner, template: "template0", encoding: "UTF8", lcCollate: "C", lcCtype: "C.UTF-8" },
    { ...opts, protect: defaults[settings.environment].protect },
  );
}

function declareSchema({ settings, names, database }: AccessArgs, opts: pulumi.CustomResourceOptions) {
  return new postgresql.Schema(
    `${database}-public`,
    { name: "public", database, owner: names.owner },
    { ...opts, protect: defaults[settings.environment].protect },
  );
}

function declareGrant(
  grant: Grant | DefaultGrant,
  { names, database }: AccessArgs,
  opts: pulumi.CustomResourceOptions,
) {
  const { name, role, on } = grant;
  const privileges = [...grant.privileges];
  switch (on) {
    case "database":
      return new postgresql.Grant(name, { database, role, objectType: on, privileges }, opts);
    case "schema":
      return new postgresql.Grant(name, { database, schema: "public", role, objectType: on, privileges }, opts);
    case "table":
    case "sequence":
      return new postgresql.DefaultPrivileges(
        name,
        { database, schema: "public", owner: names.owner, role, objectType: on, privileges },
        opts,
      );
  }
}
