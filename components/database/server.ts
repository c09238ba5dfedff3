import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings.ts";
import type { Passwords } from "./passwords.ts";
import type { Role, RoleNames } from "./roles.ts";

/** What a server of any kind needs to know. */
export interface ServerArgs {
  readonly settings: Settings;
  readonly names: RoleNames;
  readonly roles: readonly Role[];
  readonly passwords: Passwords;
  /** Name of the application's database. */
  readonly database: string;
  /** What a server in the cluster needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
}

/** A PostgreSQL server, whoever runs it: what the rest of the stack needs of it. Where it is says `serverAddress`. */
export interface DatabaseServer {
  readonly admin: Admin;
  /** It makes the roles, their memberships and the database itself: the program declares the rights only. */
  readonly makesRoles: boolean;
  /** What must stand before anybody connects. */
  readonly ready: readonly pulumi.Resource[];
  /** Everything in the server goes with it, so that nothing in it is deleted one by one; undefined: it outlives the stack. */
  readonly holder: pulumi.Resource | undefined;
}

/** How the program itself logs in, to declare what is in the server. */
export interface Admin {
  readonly user: string;
  readonly password: pulumi.Output<string>;
  readonly database: string;
  readonly superuser: boolean;
}
