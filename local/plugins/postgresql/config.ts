import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { type Properties, reveal, Unknown, type Value } from "../rpc/properties.ts";

/** The server that a provider works on, and how its login gets in. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string | undefined;
  /** The database for statements that belong to none in particular: roles, databases. */
  readonly database: string;
  /** How the connection is secured: not at all, or with a certificate for `host`, signed by this file's authority or a well-known one. */
  readonly tls: "disable" | { readonly rootCertificate: string | undefined };
  /** Whether the login is taken for a superuser, as the real plugin has to be told. */
  readonly superuser: boolean;
  readonly connectSeconds: number;
}

/** What is wrong with a property, in words for the person who wrote it. */
export interface Problem {
  readonly property: string;
  readonly reason: string;
}

const understood = new Set([
  "host",
  "port",
  "username",
  "password",
  "database",
  "sslmode",
  "sslrootcert",
  "superuser",
  "connectTimeout",
  "expectedVersion",
  // The engine's own: which plugin the provider asks for.
  "version",
  "pluginDownloadURL",
  "pluginChecksums",
  "__internal",
]);

/** What is wrong with a provider's arguments: those that the stand-in would have to ignore are refused. */
export function configProblems(args: Properties): readonly Problem[] {
  const given = Object.entries(args).filter(([, value]) => value !== null);
  return [
    ...given.filter(([name]) => !understood.has(name)).map(([property]) => ({ property, reason: notHere("option") })),
    ...valueProblems((name) => {
      const value = reveal(args[name] ?? null);
      return value instanceof Unknown ? value : asText(value);
    }),
  ];
}

/** Why the stand-in refuses something that the real plugin has. */
export const notHere = (what: "option" | "property") =>
  `the stand-in for the postgresql plugin does not have this ${what}; the real plugin does (GOLIVE_PLUGINS)`;

// The values that name or guard the connection: what the real plugin would guess from the environment must be said here.
function valueProblems(value: (name: string) => string | Unknown | undefined): readonly Problem[] {
  const problems: Problem[] = [];
  const judge = (property: string, reason: (given: string | undefined) => string | undefined) => {
    const given = value(property);
    const found = given instanceof Unknown ? undefined : reason(given);
    if (found !== undefined) problems.push({ property, reason: found });
  };
  judge("host", (given) => (given === undefined ? "it is missing; name the server's host" : undefined));
  for (const [name, least] of [
    ["port", 1],
    ["connectTimeout", 0],
  ] as const) {
    judge(name, (given) =>
      given === undefined || (/^\d+$/.test(given) && Number(given) >= least)
        ? undefined
        : `got ${given}; it must be a whole number of at least ${least}`,
    );
  }
  judge("sslmode", (given) => {
    if (given === "disable" || given === "verify-full") return undefined;
    const why = `got ${given ?? "nothing, which means require"}; allowed here: disable, verify-full`;
    return given === undefined || given === "require"
      ? `${why} (require encrypts, but to a server that nobody has checked: anyone in between could be it)`
      : why;
  });
  return problems;
}

/**
 * A provider's arguments from the engine's variables, `postgresql:config:<name>`; numbers and flags are JSON there.
 * @throws Error that names each argument that is wrong.
 */
export function parseConfig(variables: ReadonlyMap<string, string>): Config {
  const text = (name: string) => asText(variables.get(`postgresql:config:${name}`) ?? null);
  const problems = valueProblems(text);
  if (problems.length > 0) {
    const list = problems.map(({ property, reason }) => `postgresql:${property}: ${reason}`).join("; ");
    throw new Error(`the configuration of the postgresql provider is not usable: ${list}`);
  }
  return {
    host: text("host") ?? "",
    port: Number(text("port") ?? 5432),
    username: text("username") ?? "postgres",
    password: text("password"),
    database: text("database") ?? "postgres",
    tls: text("sslmode") === "disable" ? "disable" : { rootCertificate: text("sslrootcert") },
    superuser: text("superuser") !== "false",
    connectSeconds: Number(text("connectTimeout") ?? 180),
  };
}

function asText(value: Value): string | undefined {
  return value === null || value === "" ? undefined : String(value);
}

/** Which arguments of a provider changed. None of them replaces what stands on it, as with the real plugin: only the way to it changed. */
export function changedArguments(olds: Properties, news: Properties): readonly string[] {
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  return names.filter((name) => !isDeepStrictEqual(reveal(olds[name] ?? null), reveal(news[name] ?? null)));
}

/** A server's address as a person writes it. */
export function addressOf({ host, port }: Pick<Config, "host" | "port">): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The longest name that PostgreSQL keeps whole, in bytes; it cuts longer ones off without a word. */
export const longestName = 63;

export const isTooLong = (name: string) => Buffer.byteLength(name) > longestName;
