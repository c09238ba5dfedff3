import type { IncomingMessage } from "node:http";
import { Refusal } from "./http.ts";
import { type Claims, verifyToken } from "./token.ts";

/** PostgreSQL's integer: the type of every id but the users' open ids. */
const largestId = 2_147_483_647;

/** Who a request is from, by its bearer token; 401 when it has none that is good. */
export function requireClaims(request: IncomingMessage, secret: string): Claims {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  const claims = scheme?.toLowerCase() === "bearer" && token ? verifyToken(token, secret) : undefined;
  if (!claims)
    throw new Refusal(401, "a valid token is needed: authorization: Bearer …", { "www-authenticate": "Bearer" });
  return claims;
}

/** The fields of a request's body or query, read one by one; every problem is remembered, so that a client sees all at once. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #problems: string[] = [];

  /** 400 unless the value is an object; any field that is not among `allowed` is a problem. */
  constructor(value: unknown, allowed: readonly string[]) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Refusal(400, "the body: an object is needed");
    }
    this.#values = { ...value };
    const unknown = Object.keys(this.#values).filter((key) => !allowed.includes(key));
    this.#problems.push(...unknown.map((key) => `${key}: unknown; allowed: ${allowed.join(", ")}`));
  }

  /** A trimmed text of `min` to `max` characters. */
  text(name: string, min: number, max: number): string {
    const value = this.#values[name];
    const text = typeof value === "string" ? value.trim() : "";
    const good = typeof value === "string" && text.length >= min && text.length <= max && !text.includes("\0");
    this.require(good, `${name}: a text of ${min} to ${max} characters is needed`);
    return text;
  }

  /** An id, as a number or (in a query) in digits; undefined when absent. */
  optionalId(name: string): number | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    const id = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value;
    const good = typeof id === "number" && Number.isInteger(id) && id >= 1 && id <= largestId;
    this.require(good, `${name}: an integer from 1 to ${largestId} is needed`);
    return good ? id : undefined;
  }

  id(name: string): number {
    this.require(this.has(name), `${name}: an integer from 1 to ${largestId} is needed`);
    return this.optionalId(name) ?? 0;
  }

  optionalOneOf(name: string, allowed: readonly string[]): string | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const found = allowed.find((each) => each === value);
    this.require(found !== undefined, `${name}: allowed: ${allowed.join(", ")}`);
    return found;
  }

  /** A moment as ISO 8601 with its zone; undefined when absent. */
  optionalMoment(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    const good =
      typeof value === "string" &&
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(value) &&
      !Number.isNaN(Date.parse(value));
    this.require(good, `${name}: a moment such as 2026-01-31T12:00:00Z is needed`);
    return good ? new Date(value).toISOString() : undefined;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  /** A value as it came, for a rule of its own. */
  raw(name: string): unknown {
    return this.#values[name];
  }

  require(good: boolean, problem: string): void {
    if (!good) this.#problems.push(problem);
  }

  /** 400 with all that is wrong. */
  done(): void {
    if (this.#problems.length > 0) throw new Refusal(400, this.#problems.join("; "));
  }
}

/** The id in a path; 404 when it is none, as there is nothing there. */
export function pathId(text: string | undefined, what: string): number {
  const id = Number(text);
  if (/^\d{1,10}$/.test(text ?? "") && id >= 1 && id <= largestId) return id;
  throw new Refusal(404, `no such ${what}`);
}
