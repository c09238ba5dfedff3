import pg from "pg";
import { Problem } from "./problem.ts";

/** Does `work`; what the server refuses in it, and a lost connection, becomes a Problem that begins with `what`. */
export async function explaining<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      const hint = error.hint === undefined ? "" : ` (${error.hint})`;
      throw new Problem(`${what}: ${error.message}${hint}`, { cause: error });
    }
    // What pg says when the server ends a connection, or this program does.
    if (
      error instanceof Error &&
      /^(Connection terminated|Client was closed|Client has encountered)/.test(error.message)
    ) {
      throw new Problem(`${what}: the connection to the server was lost`, { cause: error });
    }
    throw error;
  }
}

/** SQLSTATE of an error of the server; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
