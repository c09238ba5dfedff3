import * as pulumi from "@pulumi/pulumi";
import type { DatabaseServer, ServerArgs } from "./server.ts";

/** A server that somebody else runs: nothing of it is declared but what the application has in it. */
export function externalServer(_parent: pulumi.Resource, { settings }: ServerArgs): DatabaseServer {
  const { database, secrets } = settings;
  if (database.kind !== "external") throw new pulumi.RunError(`the database is ${database.kind}, not external`);
  return {
    admin: {
      user: database.adminUser,
      // Without the secret only a preview gets here (settings.ts); its text is never sent anywhere.
      password: pulumi.secret(secrets.databaseAdminPassword ?? "not-set"),
      database: database.adminDatabase,
      // Whoever runs the server keeps its superuser to himself: the provider must not read pg_shadow.
      superuser: false,
    },
    makesRoles: false,
    ready: [],
    holder: undefined,
  };
}
