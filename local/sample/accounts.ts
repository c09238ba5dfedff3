import type pg from "pg";
import { type Actor, actAs, type Database, sqlState, uniqueViolation } from "./database.ts";
import { json, Refusal, type Reply, type Route, readJson } from "./http.ts";
import type { BackendMetrics } from "./metrics.ts";
import { checkPassword, hashPassword, passwordBytes } from "./password.ts";
import { Fields } from "./requests.ts";
import { type Claims, newRefreshToken, refreshTokenHash, signToken } from "./token.ts";

/** How long an access token is good (S0-43). What a user may see is not in it, so it need not be shorter. */
const tokenSeconds = 900;

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

/** Credentials from a request's body; 400 with all that is wrong (never with what was got: it may be a password). */
export function parseCredentials(body: unknown): Credentials {
  const fields = new Fields(body, ["email", "password", "name"]);
  const email = parseEmail(fields);
  const password = fields.raw("password");
  const good = typeof password === "string" && password.length >= 8 && Buffer.byteLength(password) <= passwordBytes;
  fields.require(good, `password: 8 characters to ${passwordBytes} bytes are needed`);
  const name = fields.has("name") ? fields.text("name", 1, 100) : email;
  fields.done();
  return { email, password: String(password), name };
}

/** An address in its one spelling: small letters, ASCII. */
export function parseEmail(fields: Fields): string {
  const value = fields.raw("email");
  const address = typeof value === "string" ? value.trim().toLowerCase() : "";
  const good = address.length <= 254 && /^[!-?A-~]+@[!-?A-~]+$/.test(address);
  fields.require(good, "email: an address is needed");
  return address;
}

function parseRefreshToken(body: unknown): string {
  const fields = new Fields(body, ["refreshToken"]);
  const token = fields.raw("refreshToken");
  fields.require(typeof token === "string" && token.length <= 100, "refreshToken: the text from the login is needed");
  fields.done();
  return String(token);
}

/** Register, log in, stay logged in, log out. There is no account that anyone could know beforehand: all are made through here. */
export function accountRoutes(database: Database, metrics: BackendMetrics, secret: string): readonly Route[] {
  const session = (claims: Claims, refreshToken: string): Reply =>
    json(200, { token: signToken(claims, secret, tokenSeconds), expiresIn: tokenSeconds, refreshToken });

  return [
    {
      method: "POST",
      path: "/api/auth/register",
      async handle(request) {
        const { email, password, name } = parseCredentials(await readJson(request));
        const hash = await hashPassword(password);
        try {
          const id = await database.transaction("register", { role: "login", email }, async (client) => {
            const { rows } = await client.query<{ id: string }>("select register($1, $2, $3) as id", [
              email,
              name,
              hash,
            ]);
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
          const { rows } = await client.query<User & { hash: string }>(
            "select sub, role, password_hash as hash from login($1)",
            [email],
          );
          return rows[0];
        });
        const right = await checkPassword(password, user?.hash);
        metrics.logins.inc({ result: right ? "success" : "refused" });
        // One answer for an unknown address and for a wrong password.
        if (!right || !user) throw new Refusal(401, "email or password is wrong");
        const { sub, role } = user;
        const refreshToken = newRefreshToken();
        const claims = await database.transaction("start session", { sub, role }, async (client) => {
          await client.query("select start_session($1)", [refreshTokenHash(refreshToken)]);
          return await claimsOf(client, { sub, role });
        });
        return session(claims, refreshToken);
      },
    },
    {
      method: "POST",
      path: "/api/auth/refresh",
      async handle(request) {
        const spent = parseRefreshToken(await readJson(request));
        const next = newRefreshToken();
        // It is committed also when it is refused: a token that comes a second time ends its whole session.
        const claims = await database.transaction("continue session", { role: "none" }, async (client) => {
          const { rows } = await client.query<User>("select sub, role from continue_session($1, $2)", [
            refreshTokenHash(spent),
            refreshTokenHash(next),
          ]);
          if (!rows[0]) return undefined;
          await actAs(client, rows[0]);
          return await claimsOf(client, rows[0]);
        });
        if (!claims) throw new Refusal(401, "this session is over; log in again");
        return session(claims, next);
      },
    },
    {
      method: "POST",
      path: "/api/auth/logout",
      async handle(request) {
        const token = parseRefreshToken(await readJson(request));
        await database.transaction("end session", { role: "none" }, (client) =>
          client.query("select end_session($1)", [refreshTokenHash(token)]),
        );
        return json(200, {});
      },
    },
  ];
}

type User = Extract<Actor, { readonly sub: string }>;

/** What a user's next token says, asked for by themselves. */
async function claimsOf(client: pg.ClientBase, { sub, role }: User): Promise<Claims> {
  const { rows } = await client.query<{ id: number }>(
    `select m.team_id as id from team_members m join users u on u.id = m.user_id
     where u.open_id = $1 order by m.team_id`,
    [sub],
  );
  return { sub, role, teams: rows.map(({ id }) => id) };
}
