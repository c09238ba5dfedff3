import type { ProgramSettings } from "../../programs/database/settings.ts";
import type { Settings } from "../../settings.ts";
import { serverAddress } from "./address.ts";
import type { Role, RoleNames } from "./roles.ts";

/** Where the pods of the database programs find and leave things. */
export const paths = {
  runtime: "/runtime",
  programs: "/programs",
  settings: "/etc/golive/settings.json",
  passwords: "/etc/golive/passwords",
  key: "/etc/golive/backup-key",
  migrations: "/migrations",
  backups: "/backups",
  work: "/work",
} as const;

export interface ProgramSettingsArgs {
  readonly settings: Settings;
  readonly names: RoleNames;
  readonly roles: readonly Role[];
  /** Name of the application's database. */
  readonly database: string;
}

/** What the database programs of a stack are told; nothing of it is a secret. */
export function programSettings({ settings, names, roles, database }: ProgramSettingsArgs): ProgramSettings {
  const { keep, leastPercentOfPrevious } = settings.backup;
  return {
    application: settings.application.name,
    environment: settings.environment,
    server: serverAddress(settings),
    database,
    logins: { migrator: names.owner, backup: names.backup, exporter: names.exporter },
    passwords: paths.passwords,
    roles: roles.map(({ name, login, bypassRowSecurity, memberOf, rights }) => ({
      name,
      login,
      bypassRowSecurity,
      memberOf,
      connect: rights.database.includes("CONNECT"),
    })),
    migrations: paths.migrations,
    contract: settings.contract,
    backup: { directory: paths.backups, key: `${paths.key}/key`, keep, leastPercentOfPrevious },
    // The PostgreSQL image has them on PATH.
    binaries: undefined,
    work: paths.work,
    report: "/dev/termination-log",
  };
}
