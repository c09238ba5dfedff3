import { createHmac, timingSafeEqual } from "node:crypto";

/** Who a request is from. `sub` is the user's open id; the row level security policies read both. */
export interface Claims {
  readonly sub: string;
  readonly role: "user" | "admin";
}

const header = Buffer.from(JSON.stringify({ alg: "HS256", typ: "JWT" })).toString("base64url");
const signature = (content: string, secret: string) => createHmac("sha256", secret).update(content).digest();
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A signed token (JWT, HS256) that is good for `seconds`. */
export function signToken(claims: Claims, secret: string, seconds: number, now: number = nowSeconds()): string {
  const payload = { sub: claims.sub, role: claims.role, iat: now, exp: now + seconds };
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
  const { sub, role, exp } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims & { exp: number };
  return exp > now ? { sub, role } : undefined;
}
