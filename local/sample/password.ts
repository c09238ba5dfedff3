import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { Refusal } from "./http.ts";

// 4 MiB a hash (N x r x 128 bytes), one at a time: the container has 128 MiB, and each of the four threads of Node's pool
// keeps what it once needed. p makes up for the small N.
const cost = { N: 4_096, r: 8, p: 8 };
const keyLength = 32;
const queueLimit = 20;

let queued = 0;
let last: Promise<unknown> = Promise.resolve();

function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (queued >= queueLimit) throw new Refusal(429, "too many logins at once; try again", { "retry-after": "1" });
  queued += 1;
  const mine = last.then(
    () =>
      new Promise<Buffer>((resolve, reject) => {
        scrypt(password, salt, keyLength, cost, (error, key) => (error ? reject(error) : resolve(key)));
      }),
  );
  // The next one waits for this one, however it ends; its caller hears about the error.
  last = mine.then(
    () => (queued -= 1),
    () => (queued -= 1),
  );
  return mine;
}

/** A password as it is stored: `scrypt$salt$key`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt);
  return `scrypt$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

/**
 * Whether a password fits a stored hash. Without a stored hash (no such user) it takes as long and is false, so that
 * the time of an answer does not tell which addresses have an account.
 */
export async function checkPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [kind, salt, key] = (stored ?? "").split("$");
  const known = kind === "scrypt" && salt !== undefined && key !== undefined;
  const derived = await derive(password, known ? Buffer.from(salt, "base64url") : Buffer.alloc(16));
  return known && timingSafeEqual(derived, Buffer.from(key, "base64url"));
}
