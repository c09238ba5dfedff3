/** A role of an application's database, as it is declared, granted, documented and made in a scratch server. */
export interface Role {
  readonly name: string;
  /** What it is for, in a few words: a row of docs/operations/database.md. */
  readonly purpose: string;
  readonly login: boolean;
  /** Row level security does not bind it: it must see every row (migrations, backups). */
  readonly bypassRowSecurity: boolean;
  readonly createDatabase: boolean;
  /** Most connections at a time; undefined: no limit of its own. */
  readonly connectionLimit: number | undefined;
  /** The roles whose rights it has. */
  readonly memberOf: readonly string[];
  readonly rights: Rights;
}

/** What a role may do itself, apart from what its groups may. Never TRUNCATE: row level security does not see it. */
export interface Rights {
  readonly database: readonly "CONNECT"[];
  readonly schema: readonly "USAGE"[];
  readonly tables: readonly ("SELECT" | "INSERT" | "UPDATE" | "DELETE")[];
  readonly sequences: readonly ("SELECT" | "USAGE")[];
}

/** The logins of the application itself alternate: one is used, the other keeps the password of the rotation before. */
export type Alternate = "a" | "b";

export interface RoleNames {
  /** Owns the database and all in it, and runs the migrations; the application never uses it. */
  readonly owner: string;
  readonly application: string;
  readonly applicationLogins: Readonly<Record<Alternate, string>>;
  readonly read: string;
  readonly readOnly: string;
  readonly backup: string;
  readonly exporter: string;
}

/** Names of an application's roles; the owner's is the one that S4-47 names. */
export function roleNames(application: string, owner: string): RoleNames {
  return {
    owner,
    application: `${application}_app`,
    applicationLogins: { a: `${application}_app_a`, b: `${application}_app_b` },
    read: `${application}_read`,
    readOnly: `${application}_readonly`,
    backup: `${application}_backup`,
    exporter: `${application}_exporter`,
  };
}

const none: Rights = { database: [], schema: [], tables: [], sequences: [] };
const group = {
  login: false,
  bypassRowSecurity: false,
  createDatabase: false,
  connectionLimit: undefined,
  memberOf: [],
} as const;
const login = { ...group, login: true, rights: none } as const;

/** Every role of an application, in the order in which they are made: groups before their members (S0-42, S4-21, V01, V08). */
export function rolesOf(names: RoleNames): readonly Role[] {
  const connects = { database: ["CONNECT"], schema: ["USAGE"] } as const;
  return [
    {
      ...login,
      name: names.owner,
      purpose: "owns the database and all in it; migrations, restores",
      bypassRowSecurity: true,
      // A restore goes into a new database beside the old one.
      createDatabase: true,
    },
    {
      ...group,
      name: names.application,
      purpose: "what the application may do; row level security decides on which rows",
      rights: { ...connects, tables: ["SELECT", "INSERT", "UPDATE", "DELETE"], sequences: ["SELECT", "USAGE"] },
    },
    {
      ...group,
      name: names.read,
      purpose: "what readers may do",
      rights: { ...connects, tables: ["SELECT"], sequences: ["SELECT"] },
    },
    ...Object.entries(names.applicationLogins).map(([alternate, name]) => ({
      ...login,
      name,
      purpose: `the application (${alternate === "a" ? "even" : "odd"} rotations)`,
      memberOf: [names.application],
    })),
    {
      ...login,
      name: names.readOnly,
      purpose: "people who look, and may set any claims: as trusted as an admin",
      connectionLimit: 5,
      memberOf: [names.read],
    },
    {
      ...login,
      name: names.backup,
      purpose: "backups: reads every row, writes its own record",
      bypassRowSecurity: true,
      memberOf: [names.read],
    },
    {
      ...login,
      name: names.exporter,
      purpose: "metrics: server statistics, the record of backups, counts of the application",
      connectionLimit: 5,
      memberOf: ["pg_monitor"],
      rights: { ...none, database: ["CONNECT"], schema: ["USAGE"] },
    },
  ];
}
