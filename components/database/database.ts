import * as pulumi from "@pulumi/pulumi";
import type { LiveCluster } from "../../rollout/cluster.ts";
import type { Settings } from "../../settings.ts";
import { Access } from "./access.ts";
import { connectionUrl, serverAddress } from "./address.ts";
import { Backups } from "./backups.ts";
import { cloudNativePgServer } from "./cloudnative-pg.ts";
import { externalServer } from "./external.ts";
import { Migrations, type SchemaOutput, type SchemaRun } from "./migrations.ts";
import { loginPasswords } from "./passwords.ts";
import { type DatabasePrograms, ProgramFiles } from "./programs.ts";
import { roleNames, rolesOf } from "./roles.ts";
import { activeLogin } from "./rotation.ts";
import type { DatabaseServer, ServerArgs } from "./server.ts";
import { statefulSetServer } from "./statefulset-server.ts";

/** How the application reaches its database; what must stand before its pods start. */
export interface DatabaseAccess {
  /** A secret. */
  readonly url: pulumi.Output<string>;
  readonly ready: readonly pulumi.Resource[];
}

export interface DatabaseArgs {
  readonly settings: Settings;
  /** Name of the role that owns the application's database, and of the database. */
  readonly owner: string;
  readonly database: string;
  readonly programs: DatabasePrograms;
  readonly schema: SchemaRun;
  /** Releases that a contract migration made unable to serve. */
  readonly outdated: readonly string[];
  readonly cluster: Pick<LiveCluster, "migrationResult">;
  /** What everything here needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
  /** A run that cannot be undone waits for this before it migrates, and asks these hooks. */
  readonly contract:
    | { readonly after: Promise<pulumi.Resource>; readonly hooks: pulumi.ResourceHookBinding }
    | undefined;
}

/**
 * The application's PostgreSQL: a server, the roles and rights in it, its schema, and its backups. What stands behind a
 * server's kind is the same for each.
 */
export class Database extends pulumi.ComponentResource {
  readonly access: DatabaseAccess;
  readonly schema: SchemaOutput;
  /** Who reads the server's statistics; with `ready`, its login is in the server and its password in the Secret. */
  readonly exporter: { readonly login: string; readonly name: string; readonly ready: readonly pulumi.Resource[] };

  constructor(args: DatabaseArgs, opts: pulumi.ComponentResourceOptions) {
    const { settings, database, after } = args;
    super("golive:database:Database", `${settings.application.name}-database`, {}, opts);
    const names = roleNames(settings.application.name, args.owner);
    const roles = rolesOf(names);
    const passwords = loginPasswords(this, roles, { names, rotation: settings.rotation });
    const shared = { settings, names, roles, passwords, database, after };

    const server = declareServer(this, shared);
    const access = new Access({ ...shared, server }, { parent: this });
    const files = new ProgramFiles({ ...shared, programs: args.programs }, { parent: this });
    const { mounted } = files;
    const migrations = new Migrations(
      {
        ...shared,
        ...args.programs,
        mounted,
        restored: args.schema.restored,
        schema: args.schema,
        outdated: args.outdated,
        cluster: args.cluster,
        after: [...access.ready, ...files.ready, ...(args.contract ? [args.contract.after] : [])],
        hooks: args.contract?.hooks,
      },
      { parent: this },
    );
    // Not after the Job: when it fails, these are what one looks with.
    new Backups({ ...shared, mounted, after: [...access.ready, ...files.ready] }, { parent: this });

    const login = names.applicationLogins[activeLogin(settings.rotation)];
    const address = serverAddress(settings);
    const url = pulumi
      .output(passwords[login])
      .apply((password = "") => connectionUrl(address, { login, password, database }));
    this.access = { url: pulumi.secret(url), ready: [migrations.job] };
    this.schema = migrations.schema;
    this.exporter = { login: names.exporter, name: database, ready: [...access.ready, ...files.ready] };
    this.registerOutputs({});
  }
}

function declareServer(parent: Database, args: ServerArgs): DatabaseServer {
  switch (args.settings.database.kind) {
    case "statefulset":
      return statefulSetServer(parent, args);
    case "external":
      return externalServer(parent, args);
    case "cloudnative-pg":
      return cloudNativePgServer(parent, args);
  }
}
