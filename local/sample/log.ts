import type { Identity, LogLevel } from "./settings.ts";

const order: readonly LogLevel[] = ["debug", "info", "warn", "error"];

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

/** One JSON object a line. What is logged is named field by field: requests, bodies and headers are never logged whole. */
export function createLog(
  identity: Identity,
  level: LogLevel,
  write: (line: string) => void = (line) => process.stdout.write(line),
): Log {
  const line = (own: LogLevel) => (message: string, fields?: Fields) => {
    if (order.indexOf(own) < order.indexOf(level)) return;
    write(`${JSON.stringify({ time: new Date().toISOString(), level: own, message, ...identity, ...fields })}\n`);
  };
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
}
