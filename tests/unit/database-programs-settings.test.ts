import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { parseSettings, readSettings } from "../../programs/database/settings-file.ts";

const settings: ProgramSettings = {
  application: "taskflow",
  environment: "staging",
  server: { host: "postgres", port: 5432, tls: { mode: "verify-full", ca: "/etc/golive/ca/ca.crt" } },
  database: "taskflow_staging",
  logins: { migrator: "taskflow_user", backup: "taskflow_backup", exporter: "taskflow_exporter" },
  passwords: "/etc/golive/passwords",
  roles: [{ name: "taskflow_app", login: false, bypassRowSecurity: false, memberOf: [], connect: true }],
  migrations: "/migrations",
  contract: "009_drop_old.sql",
  backup: { directory: "/backups", key: "/etc/golive/backup-key/key", keep: 14, leastPercentOfPrevious: 50 },
  binaries: undefined,
  work: "/work",
  report: "/dev/termination-log",
};

const asFile = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const problemsOf = (value: unknown): readonly string[] => {
  try {
    parseSettings(asFile(value), "settings.json");
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split("\n") : [];
  }
};

describe("the settings of a program", () => {
  it("are what the stack wrote, with and without what may be left out", () => {
    expect(parseSettings(asFile(settings), "settings.json")).toEqual(settings);
    const least = {
      ...settings,
      contract: undefined,
      report: undefined,
      server: { ...settings.server, tls: { mode: "off" } },
    };
    expect(parseSettings(asFile(least), "settings.json")).toEqual(least);
  });

  it.each<[string, unknown, string]>([
    [
      "a key that nobody knows",
      { ...settings, databse: "x" },
      "  databse: unknown key; known: application, environment, ",
    ],
    [
      "a missing text",
      { ...settings, database: undefined },
      "  database: got nothing; a text that is not empty is expected",
    ],
    ["an empty text", { ...settings, work: "" }, '  work: got ""; a text that is not empty is expected'],
    [
      "another environment",
      { ...settings, environment: "prod" },
      '  environment: got "prod"; one of local, staging, production is expected',
    ],
    [
      "a port that is none",
      { ...settings, server: { ...settings.server, port: 0 } },
      "  server.port: got 0; a whole number from 1 to 65535 is expected",
    ],
    [
      "TLS by halves",
      { ...settings, server: { ...settings.server, tls: { mode: "require" } } },
      '  server.tls.mode: got "require"; one of off, verify-full is expected',
    ],
    ["a list that is none", { ...settings, roles: {} }, "  roles: got {}; a list of objects is expected"],
    [
      "a role without its name",
      { ...settings, roles: [{ ...settings.roles[0], name: 7 }] },
      "  roles[0].name: got 7; a text that is not empty is expected",
    ],
    ["a section that is none", { ...settings, backup: "daily" }, '  backup: got "daily"; an object is expected'],
    [
      "a percentage beyond 100",
      { ...settings, backup: { ...settings.backup, leastPercentOfPrevious: 101 } },
      "  backup.leastPercentOfPrevious: got 101; a whole number from 0 to 100 is expected",
    ],
    [
      "a stray key within",
      { ...settings, logins: { ...settings.logins, admin: "x" } },
      "  logins.admin: unknown key; known: migrator, backup, exporter",
    ],
  ])("are refused with %s, by its place", (_, value, problem) => {
    expect(problemsOf(value)).toEqual(["1 problem in the settings settings.json:", expect.stringContaining(problem)]);
  });

  it("are refused with everything that is wrong at once", () => {
    expect(problemsOf({ ...settings, application: 1, report: 2 })[0]).toBe("2 problems in the settings settings.json:");
    expect(problemsOf([]).slice(0, 2)).toEqual([
      expect.stringMatching(/^\d+ problems in the settings settings\.json:$/),
      "  the file: got []; an object is expected",
    ]);
  });

  it("that cannot be read are refused by the file's name", async () => {
    await expect(readSettings("/nowhere/settings.json")).rejects.toThrow(
      /^cannot read the settings \/nowhere\/settings\.json: ENOENT.*; GOLIVE_DATABASE_SETTINGS names another file$/,
    );
    const directory = await mkdtemp(join(tmpdir(), "golive-settings-"));
    try {
      await writeFile(join(directory, "settings.json"), "{");
      await expect(readSettings(join(directory, "settings.json"))).rejects.toThrow(/cannot read the settings .*JSON/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
