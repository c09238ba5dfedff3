import { type Database, sqlState, uniqueViolation } from "./database.ts";
import { json, Refusal, type Route, readJson } from "./http.ts";
import type { BackendMetrics } from "./metrics.ts";
import { checkPassword, hashPassword } from "./password.ts";
import { requireObject } from "./tasks.ts";
import { type Claims, signToken } from "./token.ts";

const tokenSeconds = 3_600;

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

/** Credentials from a request's body; 400 with all that is wrong (never with what was got: it may be a password). */
export function parseCredentials(body: unknown): Credentials {
  const { email, password, name, ...rest } = requireObject(body);
  const problems = Object.keys(rest).map((key) => `${key}: unknown; allowed: email, password, name`);
  const address = typeof email === "string" ? email.trim().toLowerCase() : "";
  if (address.length > 254 || !/^[^\s@\0]+@[^\s@\0]+$/.test(address)) problems.push("email: an address is needed");
  if (typeof password !== "string" || password.length < 8 || password.length > 200) {
    problems.push("password: 8 to 200 characters are needed");
  }
  if (name !== undefined && (typeof name !== "string" || name.length > 100 || name.includes("\0"))) {
    problems.push("name: a text of at most 100 characters is needed");
  }
  if (problems.length > 0) throw new Refusal(400, problems.join("; "));
  return { email: address, password: password as string, name: (name as string | undefined) ?? address };
}

/** Register and log in. There is no account that anyone could know beforehand: all are made through here. */
export function accountRoutes(database: Database, metrics: BackendMetrics, secret: string): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/api/auth/register",
      async handle(request) {
        const { email, password, name } = parseCredentials(await readJson(request));
        const hash = await hashPassword(password);
        try {
          const id = await database.transaction("register", { role: "login", email }, async (client) => {
            const { rows } = await client.query<{ id: string }>(
              "insert into users (email, name, password_hash) values ($1, $2, $3) returning open_id as id",
              [email, name, hash],
            );
            return rows[0]?.id;
          });
          metrics.usersRegistered.inc();
          return json(201, { id, email, name });
        } catch (error) {
          if (sqlState(error) === uniqueViolation) throw new Refusal(409, "this email has an account already");
          throw error;
        }
      },
    },
    {
      method: "POST",
      path: "/api/auth/login",
      async handle(request) {
        const { email, password } = parseCredentials(await readJson(request));
        const user = await database.transaction("login", { role: "login", email }, async (client) => {
          const { rows } = await client.query<Claims & { hash: string }>(
            "select open_id as sub, role, password_hash as hash from users where email = $1",
            [email],
          );
          return rows[0];
        });
        const right = await checkPassword(password, user?.hash);
        metrics.logins.inc({ result: right ? "success" : "refused" });
        // One answer for an unknown address and for a wrong password.
        if (!right || !user) throw new Refusal(401, "email or password is wrong");
        return json(200, { token: signToken(user, secret, tokenSeconds), expiresIn: tokenSeconds });
      },
    },
  ];
}
