import { randomBytes } from "node:crypto";
import { Failure } from "../../cli/failure.ts";
import { type Answer, fieldsOf, isSuccess, reasonOf, type Site, send } from "./request.ts";

/** An account that was made for one load, with what its last login gave. */
export interface Account {
  readonly email: string;
  readonly password: string;
  readonly session: Session;
}

export interface Session {
  readonly token: string;
  readonly refreshToken: string;
  /** When the token is over, in milliseconds since 1970. */
  readonly until: number;
}

/** Hashing a password takes the service a moment, and nobody's waiting is measured here. */
const patienceMs = 15_000;
/** A token is replaced so long before it is over. */
const marginMs = 30_000;

/** Registers accounts and logs them in, one after the other. @throws Failure that says what the service answered. */
export async function openAccounts(site: Site, count: number): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  for (let index = 0; index < count; index += 1) {
    const email = `load-${randomBytes(6).toString("hex")}@example.test`;
    const password = randomBytes(16).toString("base64url");
    await post(site, "/api/auth/register", { email, password });
    accounts.push({ email, password, session: await logIn(site, { email, password }) });
  }
  return accounts;
}

export async function logIn(site: Site, { email, password }: Omit<Account, "session">): Promise<Session> {
  return sessionOf(await post(site, "/api/auth/login", { email, password }));
}

/** One account's tokens: gives a token that is good, and gets the next one in time. */
export class Tokens {
  readonly #site: Site;
  #session: Session;
  #next: Promise<void> | undefined;

  constructor(site: Site, session: Session) {
    this.#site = site;
    this.#session = session;
  }

  /** @throws Failure when the token is nearly over and no other one could be had. */
  async current(): Promise<string> {
    if (this.#session.until - Date.now() < marginMs) {
      // A refresh token is good for one use: everyone waits for the same answer.
      this.#next ??= this.#refresh().finally(() => {
        this.#next = undefined;
      });
      await this.#next;
    }
    return this.#session.token;
  }

  async #refresh(): Promise<void> {
    const { refreshToken } = this.#session;
    this.#session = sessionOf(await post(this.#site, "/api/auth/refresh", { refreshToken }));
  }
}

async function post(site: Site, path: string, body: unknown): Promise<Answer> {
  const answer = await send({ ...site, slowMs: patienceMs }, { path, body }).catch((error: unknown) => {
    throw new Failure(`the load got no answer from POST ${path}: ${reasonOf(error)}`, 1, { cause: error });
  });
  if (isSuccess(answer)) return answer;
  throw new Failure(`the load got status ${answer.status} from POST ${path}: ${fieldsOf(answer).error ?? "no reason"}`);
}

function sessionOf(answer: Answer): Session {
  const { token, refreshToken, expiresIn } = fieldsOf(answer);
  if (typeof token === "string" && typeof refreshToken === "string" && typeof expiresIn === "number") {
    return { token, refreshToken, until: Date.now() + expiresIn * 1000 };
  }
  throw new Failure("the load was logged in without token, refreshToken and expiresIn in the answer");
}
