import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Who a request is from, as row level security reads it. */
export interface Claims {
  /** The user's open id. */
  readonly sub: string;
  readonly role: "user" | "admin";
  /** The user's teams when the token was made, for clients to show: memberships decide, a stale claim grants nothing. */
  readonly teams: readonly number[];
}

const header = Buffer.from(JSON.stringify({ alg: "HS256", typ: "JWT" })).toString("base64url");
const signature = (content: string, secret: string) => createHmac("sha256", secret).update(content).digest();
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A signed token (JWT, HS256) that is good for `seconds`. */
export function signToken(claims: Claims, secret: string, seconds: number, now: number = nowSeconds()): string {
  const { sub, role, teams } = claims;
  const payload = { sub, role, teams, iat: now, exp: now + seconds };
  const content = `${header}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}`;
  return `${content}.${signature(content, secret).toString("base64url")}`;
}

/**
 * The claims of a token, or undefined when it is not ours, was changed, or is over. The header must be exactly ours:
 * no token chooses its own algorithm.
 */
export function verifyToken(token: string, secret: string, now: number = nowSeconds()): Claims | undefined {
  const [head, payload, signed, ...rest] = token.split(".");
  if (head !== header || payload === undefined || signed === undefined || rest.length > 0) return undefined;
  const expected = signature(`${head}.${payload}`, secret);
  const got = Buffer.from(signed, "base64url");
  if (got.length !== expected.length || !timingSafeEqual(got, expected)) return undefined;
  // Signed by us, so the payload is what signToken wrote.
  const { sub, role, teams, exp } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims & {
    exp: number;
  };
  return exp > now ? { sub, role, teams } : undefined;
}

/** A refresh token: nothing but chance, so there is nothing in it to forge. */
export const newRefreshToken = (): string => randomBytes(32).toString("base64url");

/** How a refresh token is stored: whoever reads the table cannot use what stands there. It needs no salt, being chance itself. */
export const refreshTokenHash = (token: string): Buffer => createHash("sha256").update(token).digest();
