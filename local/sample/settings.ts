import { hostname } from "node:os";

/** What one running copy of the sample service is: each answer, log line and metric says it. */
export interface Identity {
  readonly service: "backend" | "frontend";
  readonly colour: "blue" | "green";
  /** The release version, as the deployment names it. */
  readonly version: string;
  readonly pod: string;
}

/** What a bad release would do, set from the start. */
export interface FaultSettings {
  /** Part of the requests that fail with 500, 0 to 1. */
  readonly errorShare: number;
  /** Milliseconds added to each request. */
  readonly delayMs: number;
  /** Milliseconds after the start at which the process ends with exit code 1; 0: never. */
  readonly crashAfterMs: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface ServiceSettings {
  readonly identity: Identity;
  /** 0: any free port (the log line `listening` names it). */
  readonly port: number;
  readonly faultPort: number;
  readonly logLevel: LogLevel;
  /** How long a stopping process still accepts requests, so that proxies can notice that it is not ready any more. */
  readonly drainSeconds: number;
  readonly faults: FaultSettings;
}

export interface BackendSettings extends ServiceSettings {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly jwtSecret: string;
  /** How long the database may be out of reach at the start before the process gives up. */
  readonly startSeconds: number;
}

export interface FrontendSettings extends ServiceSettings {
  /** Where this colour's assets are served, without a slash at the end: `/assets/blue`. */
  readonly assetPrefix: string;
}

/** All that is wrong with the environment, in one error. Values of secrets are never part of the message. */
export class SettingsError extends Error {
  constructor(problems: readonly string[]) {
    super(
      `${problems.length} problem${problems.length === 1 ? "" : "s"} in the environment:\n  ${problems.join("\n  ")}`,
    );
    this.name = "SettingsError";
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads variables one by one and remembers each problem, so that a person sees all of them at once. */
class Reader {
  readonly problems: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** An empty variable counts as absent. */
  get(name: string): string | undefined {
    return this.#environment[name] || undefined;
  }

  number(name: string, fallback: number, range: { min: number; max: number; integer?: boolean }): number {
    const text = this.get(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    const { min, max, integer = true } = range;
    if (text.trim() === "" || !(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
      this.problems.push(
        `${name}  got "${text}"; ${integer ? "an integer" : "a number"} from ${min} to ${max} is allowed`,
      );
      return fallback;
    }
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback?: T): T {
    const text = this.get(name);
    const found = allowed.find((each) => each === text) ?? (text === undefined ? fallback : undefined);
    if (found !== undefined) return found;
    this.problems.push(
      `${name}  ${text === undefined ? "is missing" : `got "${text}"`}; allowed: ${allowed.join(", ")}`,
    );
    return allowed[0] as T;
  }

  matching(name: string, value: string | undefined, pattern: RegExp, meaning: string): string {
    if (value !== undefined && pattern.test(value)) return value;
    this.problems.push(`${name}  ${value === undefined ? "is missing" : `got "${value}"`}; ${meaning} is needed`);
    return "";
  }

  secretUrl(name: string, protocols: readonly string[]): string {
    const value = this.get(name) ?? "";
    const wanted = protocols.map((each) => `${each}//…`).join(" or ");
    if (value === "") this.problems.push(`${name}  is missing; ${wanted} is needed`);
    else if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      this.problems.push(`${name}  is not a URL of the form ${wanted} (value not shown: it holds a password)`);
    }
    return value;
  }

  secret(name: string, minLength: number): string {
    const value = this.get(name) ?? "";
    if (value.length < minLength) {
      this.problems.push(
        `${name}  ${value === "" ? "is missing" : "is too short"}; ${minLength} characters or more are needed`,
      );
    }
    return value;
  }

  done(): void {
    if (this.problems.length > 0) throw new SettingsError(this.problems);
  }
}

function readService(reader: Reader, service: Identity["service"]): ServiceSettings {
  // The deployment's word counts; a version that is baked into the image stands in where nobody says one.
  const version = reader.get("RELEASE_VERSION") ?? reader.get("APP_VERSION");
  return {
    identity: {
      service,
      colour: reader.oneOf("COLOUR", ["blue", "green"]),
      version: reader.matching(
        "RELEASE_VERSION",
        version,
        /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/,
        "a version such as 1.2.3 (RELEASE_VERSION, or APP_VERSION of the image)",
      ),
      pod: reader.get("POD_NAME") ?? hostname(),
    },
    port: reader.number("PORT", 3000, { min: 0, max: 65_535 }),
    faultPort: reader.number("FAULT_PORT", 3001, { min: 0, max: 65_535 }),
    logLevel: reader.oneOf("LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
    drainSeconds: reader.number("DRAIN_SECONDS", 1, { min: 0, max: 60, integer: false }),
    faults: {
      errorShare: reader.number("FAULT_ERROR_SHARE", 0, { min: 0, max: 1, integer: false }),
      delayMs: reader.number("FAULT_DELAY_MS", 0, { min: 0, max: 60_000 }),
      crashAfterMs: reader.number("FAULT_CRASH_AFTER_MS", 0, { min: 0, max: 86_400_000 }),
    },
  };
}

/** The backend's settings. Throws a SettingsError that lists everything that is wrong. */
export function backendSettings(environment: Environment): BackendSettings {
  const reader = new Reader(environment);
  const settings = {
    ...readService(reader, "backend"),
    databaseUrl: reader.secretUrl("DATABASE_URL", ["postgres:", "postgresql:"]),
    redisUrl: reader.secretUrl("REDIS_URL", ["redis:", "rediss:"]),
    jwtSecret: reader.secret("JWT_SECRET", 16),
    startSeconds: reader.number("START_SECONDS", 15, { min: 1, max: 600 }),
  };
  reader.done();
  return settings;
}

/** The frontend's settings. Throws a SettingsError that lists everything that is wrong. */
export function frontendSettings(environment: Environment): FrontendSettings {
  const reader = new Reader(environment);
  const service = readService(reader, "frontend");
  const fallback = `/assets/${service.identity.colour}`;
  const settings = {
    ...service,
    assetPrefix: reader.matching(
      "ASSET_PREFIX",
      reader.get("ASSET_PREFIX") ?? fallback,
      /^(\/[0-9A-Za-z._-]+)+$/,
      `an absolute path without a slash at the end, such as ${fallback},`,
    ),
  };
  reader.done();
  return settings;
}
