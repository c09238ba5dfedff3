/**
 * What the database programs are told by the stack: a file of plain values, beside files that hold the secrets. The
 * component writes it (components/database/programs.ts); tests write one of their own.
 */
export interface ProgramSettings {
  /** Its migrations are below `migrations`. */
  readonly application: string;
  readonly environment: "local" | "staging" | "production";
  readonly server: ServerSettings;
  /** Name of the application's database. */
  readonly database: string;
  /** Login names; each one's password is a file of that name in `passwords`. */
  readonly logins: { readonly migrator: string; readonly backup: string; readonly exporter: string };
  /** Directory with a file for each login, its name the login's, its content the password. */
  readonly passwords: string;
  /** Every role of the application: a scratch server gets them before anything is restored into it. */
  readonly roles: readonly ProgramRole[];
  /** Directory with the application's migrations, `*.sql`. */
  readonly migrations: string;
  /** The last contract file that may run, by name; undefined: all contract files are held, but on an empty database. */
  readonly contract: string | undefined;
  readonly backup: BackupSettings;
  /** Where PostgreSQL's own programs are (`initdb`, `pg_dump`); undefined: on PATH. */
  readonly binaries: string | undefined;
  /** A directory that may be written: scratch servers, unencrypted pieces that live for seconds. */
  readonly work: string;
  /** Where the last words go (Kubernetes' termination message), at most 4,096 bytes; undefined: nowhere. */
  readonly report: string | undefined;
}

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  /** `verify-full`: encrypted, and the server proves its name; by `ca` (a path of a PEM file) or the system's authorities. */
  readonly tls: { readonly mode: "off" } | { readonly mode: "verify-full"; readonly ca: string | undefined };
}

export interface ProgramRole {
  readonly name: string;
  readonly login: boolean;
  readonly bypassRowSecurity: boolean;
  readonly memberOf: readonly string[];
  /** May connect to the application's database: granted again on a restored one. */
  readonly connect: boolean;
}

export interface BackupSettings {
  /** Directory of the backup volume. */
  readonly directory: string;
  /** File that holds the encryption key, 64 letters and digits. */
  readonly key: string;
  /** How many backups are kept. */
  readonly keep: number;
  /** A backup smaller than this percentage of the one before fails. */
  readonly leastPercentOfPrevious: number;
}
