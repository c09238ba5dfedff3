export type Log = (
  level: "info" | "error",
  message: string,
  fields?: Readonly<Record<string, string | number>>,
) => void;

/** One JSON object a line, with the names that the application's services use. */
export const jsonLog =
  (service: string, write: (line: string) => void): Log =>
  (level, message, fields) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, service, ...fields })}\n`);
