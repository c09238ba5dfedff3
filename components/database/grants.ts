import type { Role } from "./roles.ts";

/** A right on the database or its schema. An empty list of privileges takes all away. */
export interface Grant {
  readonly name: string;
  readonly on: "database" | "schema";
  readonly role: string;
  readonly privileges: readonly string[];
}

/** A right on every table or sequence that the owner will make. */
export interface DefaultGrant {
  readonly name: string;
  readonly on: "table" | "sequence";
  readonly role: string;
  readonly privileges: readonly string[];
}

/**
 * All rights in an application's database, in the order in which they are given: what everybody has by default is taken away
 * first. Tables and sequences are covered before they exist; a migration takes away where less is right.
 */
export function grantsOf(roles: readonly Role[]): readonly (Grant | DefaultGrant)[] {
  const everybody = ["database", "schema"] as const;
  return [
    ...everybody.map((on): Grant => ({ name: `public-${on}`, on, role: "public", privileges: [] })),
    ...roles.flatMap(({ name: role, rights }) => {
      const all = [
        { name: `${role}-database`, on: "database", role, privileges: rights.database },
        { name: `${role}-schema`, on: "schema", role, privileges: rights.schema },
        { name: `${role}-tables`, on: "table", role, privileges: rights.tables },
        { name: `${role}-sequences`, on: "sequence", role, privileges: rights.sequences },
      ] as const;
      return all.filter(({ privileges }) => privileges.length > 0);
    }),
  ];
}
