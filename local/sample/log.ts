import { pino } from "pino";
import type { Identity, LogLevel } from "./settings.ts";

export type Fields = Readonly<Record<string, unknown>>;
export type Log = Record<LogLevel, (message: string, fields?: Fields) => void>;

/**
 * An error as fields: name, code and message, no stack and no own properties (a driver's error may carry its
 * connection settings, and with them a password).
 */
export function errorFields(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: String(error) };
  // Both addresses of a host failed: the reason stands in the parts.
  if (error instanceof AggregateError && error.errors.length > 0) return errorFields(error.errors[0]);
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { error: `${error.name}: ${error.message}`, ...code };
}

/** Names of what is never logged, as part of any key: `refreshToken`, `set-cookie`, `JWT_SECRET`. */
const secret = /passw(?:or)?d|token|authorization|cookie|secret|api[-_]?key|credential/i;

/** Deeper than this nothing is logged: whoever logs a whole object by mistake gets its surface. */
const deepest = 6;

/** What may be logged of a value, at any depth: no secret, and of an error what `errorFields` takes (S0-33). */
function loggable(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return errorFields(value);
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  if (depth === deepest) return "…";
  if (Array.isArray(value)) return value.map((each) => loggable(each, depth + 1));
  const entries = Object.entries(value).filter(([key]) => !secret.test(key));
  return Object.fromEntries(entries.map(([key, each]) => [key, loggable(each, depth + 1)]));
}

/**
 * One JSON object a line (S0-32), written in this process: no transport, and so no worker thread. What is logged is named
 * field by field: requests, bodies and headers are never logged whole; what slips in all the same loses its secrets.
 */
export function createLog(
  identity: Identity,
  level: LogLevel,
  write: (line: string) => void = (line) => process.stdout.write(line),
): Log {
  // What every line has: a field of the same name would stand there twice, and each reader would believe another.
  const reserved = new Set(["time", "level", "message", ...Object.keys(identity)]);
  const own = (key: string) => (reserved.has(key) ? `field_${key}` : key);
  const logger = pino(
    {
      level,
      base: { ...identity },
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Its own would log the stack.
      serializers: { err: (reduced: unknown) => reduced },
    },
    { write },
  );
  const line =
    (at: LogLevel): Log[LogLevel] =>
    (message, fields = {}) => {
      if (!logger.isLevelEnabled(at)) return;
      const named = Object.entries(fields).filter(([key]) => !secret.test(key));
      // The message before its fields, as a person reads it; pino's own place for it is the end.
      logger[at]({ message, ...Object.fromEntries(named.map(([key, value]) => [own(key), loggable(value, 1)])) });
    };
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
}
