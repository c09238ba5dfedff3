import type { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

const iterations = 4096;

/**
 * The form in which PostgreSQL keeps a password (RFC 5803). It is made here, so that the password itself is never part of a
 * statement: the server writes statements that fail, and with log_statement = ddl all of these, to its log.
 * A password that is in such a form already stays as it is.
 */
export function verifierOf(password: string, salt: Buffer = randomBytes(16)): string {
  if (/^SCRAM-SHA-256\$|^md5[0-9a-f]{32}$/.test(password)) return password;
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const server = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${server}`;
}

/** Whether a password reads the same for every client: others would have to be brought to one form first (RFC 4013). */
export const isPlainAscii = (password: string) => /^[\x20-\x7e]+$/.test(password);
