import { readFile } from "node:fs/promises";
import process from "node:process";
import { Problem } from "./problem.ts";
import type { BackupSettings, ProgramRole, ProgramSettings, ServerSettings } from "./settings.ts";

const defaultPath = "/etc/golive/settings.json";

/**
 * The settings of the file that GOLIVE_DATABASE_SETTINGS names.
 * @throws Problem that lists everything that is wrong with it.
 */
export async function readSettings(
  path = process.env.GOLIVE_DATABASE_SETTINGS ?? defaultPath,
): Promise<ProgramSettings> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Problem(`cannot read the settings ${path}: ${reason}; GOLIVE_DATABASE_SETTINGS names another file`, {
      cause: error,
    });
  }
  return parseSettings(value, path);
}

/** @throws Problem that lists every unknown, missing and mistaken key; `source` says where they stand. */
export function parseSettings(value: unknown, source: string): ProgramSettings {
  const problems: string[] = [];
  const settings = parse(new Section(value, "", problems));
  if (problems.length === 0) return settings;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  throw new Problem([`${count} in the settings ${source}:`, ...problems.map((problem) => `  ${problem}`)].join("\n"));
}

function parse(root: Section): ProgramSettings {
  const environments = ["local", "staging", "production"] as const;
  const settings: ProgramSettings = {
    application: root.text("application"),
    environment: root.oneOf("environment", environments),
    server: server(root.section("server")),
    database: root.text("database"),
    logins: logins(root.section("logins")),
    passwords: root.text("passwords"),
    roles: root.sections("roles").map(role),
    migrations: root.text("migrations"),
    contract: root.optionalText("contract"),
    backup: backup(root.section("backup")),
    binaries: root.optionalText("binaries"),
    work: root.text("work"),
    report: root.optionalText("report"),
  };
  root.end();
  return settings;
}

function server(section: Section): ServerSettings {
  const host = section.text("host");
  const port = section.integer("port", 1, 65_535);
  const tls = section.section("tls");
  const mode = tls.oneOf("mode", ["off", "verify-full"]);
  const parsed = mode === "off" ? { mode } : { mode, ca: tls.optionalText("ca") };
  tls.end();
  section.end();
  return { host, port, tls: parsed };
}

function logins(section: Section): ProgramSettings["logins"] {
  const parsed = {
    migrator: section.text("migrator"),
    backup: section.text("backup"),
    exporter: section.text("exporter"),
  };
  section.end();
  return parsed;
}

function role(section: Section): ProgramRole {
  const parsed = {
    name: section.text("name"),
    login: section.boolean("login"),
    bypassRowSecurity: section.boolean("bypassRowSecurity"),
    memberOf: section.texts("memberOf"),
    connect: section.boolean("connect"),
  };
  section.end();
  return parsed;
}

function backup(section: Section): BackupSettings {
  const parsed = {
    directory: section.text("directory"),
    key: section.text("key"),
    keep: section.integer("keep", 1, 100_000),
    leastPercentOfPrevious: section.integer("leastPercentOfPrevious", 0, 100),
  };
  section.end();
  return parsed;
}

/** An object of the file: its keys are read one by one, and one that nobody read is a mistake. */
class Section {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #problems: string[];
  readonly #read = new Set<string>();
  readonly #broken: boolean;

  constructor(value: unknown, path: string, problems: string[]) {
    this.#broken = typeof value !== "object" || value === null || Array.isArray(value);
    this.#value = this.#broken ? {} : (value as Readonly<Record<string, unknown>>);
    this.#path = path;
    this.#problems = problems;
    if (this.#broken) problems.push(`${path === "" ? "the file" : path}: got ${shown(value)}; an object is expected`);
  }

  text(key: string): string {
    return this.#expect(key, "a text that is not empty", isText) ?? "";
  }

  optionalText(key: string): string | undefined {
    if (this.#get(key) === undefined) return undefined;
    return this.text(key);
  }

  texts(key: string): readonly string[] {
    return this.#expect(key, "a list of texts", (value) => Array.isArray(value) && value.every(isText)) ?? [];
  }

  boolean(key: string): boolean {
    return this.#expect(key, "true or false", (value) => typeof value === "boolean") ?? false;
  }

  integer(key: string, least: number, most: number): number {
    const fits = (value: unknown) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
    return this.#expect(key, `a whole number from ${least} to ${most}`, fits) ?? least;
  }

  oneOf<const T extends string>(key: string, allowed: readonly [T, ...T[]]): T {
    return (
      this.#expect(key, `one of ${allowed.join(", ")}`, (value) => allowed.some((each) => each === value)) ?? allowed[0]
    );
  }

  section(key: string): Section {
    return new Section(this.#get(key), this.#at(key), this.#problems);
  }

  sections(key: string): readonly Section[] {
    const values = this.#expect<readonly unknown[]>(key, "a list of objects", Array.isArray) ?? [];
    return values.map((value, index) => new Section(value, `${this.#at(key)}[${index}]`, this.#problems));
  }

  /** To be called when every known key was read. */
  end(): void {
    for (const key of Object.keys(this.#value)) {
      if (!this.#read.has(key))
        this.#problems.push(`${this.#at(key)}: unknown key; known: ${[...this.#read].join(", ")}`);
    }
  }

  #expect<T>(key: string, expected: string, fits: (value: unknown) => boolean): T | undefined {
    const value = this.#get(key);
    if (fits(value)) return value as T;
    if (!this.#broken) this.#problems.push(`${this.#at(key)}: got ${shown(value)}; ${expected} is expected`);
    return undefined;
  }

  #get(key: string): unknown {
    this.#read.add(key);
    return this.#value[key];
  }

  #at(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
