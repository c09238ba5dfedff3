import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseCredentials } from "../../local/sample/accounts.ts";
import { bundleSample } from "../../local/sample/bundle.ts";
import { Faults, parseFaultOrder } from "../../local/sample/faults.ts";
import { createLog } from "../../local/sample/log.ts";
import { page, script, style } from "../../local/sample/page.ts";
import { checkPassword, hashPassword } from "../../local/sample/password.ts";
import { parseTask } from "../../local/sample/tasks.ts";
import { signToken, verifyToken } from "../../local/sample/token.ts";

const identity = { service: "frontend", colour: "green", version: "2.0.0", pod: "pod<1>" } as const;

describe("a token", () => {
  const secret = "a secret of some length";
  const claims = { sub: "user-a", role: "user" } as const;

  it("gives its claims back until it is over", () => {
    const token = signToken(claims, secret, 60, 1_000);
    expect(verifyToken(token, secret, 1_059)).toEqual(claims);
    expect(verifyToken(token, secret, 1_060)).toBeUndefined();
  });

  it("is nothing with another secret, another payload, or an algorithm of its own", () => {
    const [head, payload, signed] = signToken(claims, secret, 60, 1_000).split(".");
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const admin = encode({ sub: "user-a", role: "admin", iat: 1_000, exp: 1_060 });
    const none = encode({ alg: "none", typ: "JWT" });
    const noneSigned = createHmac("sha256", secret).update(`${none}.${payload}`).digest("base64url");
    const forged = [
      `${head}.${admin}.${signed}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${noneSigned}`,
      `${head}.${payload}`,
      `${head}.${payload}.${signed}.${signed}`,
      "",
    ];
    for (const token of forged) expect(verifyToken(token, secret, 1_001)).toBeUndefined();
    expect(verifyToken(`${head}.${payload}.${signed}`, "another secret", 1_001)).toBeUndefined();
    expect(verifyToken(`${head}.${payload}.${signed}`, secret, 1_001)).toEqual(claims);
  });
});

describe("a password", () => {
  it("is stored salted and hashed, and checked against that", async () => {
    const [one, other] = [await hashPassword("correct horse"), await hashPassword("correct horse")];
    expect(one).not.toBe(other);
    expect(one).not.toContain("horse");
    expect(await checkPassword("correct horse", one)).toBe(true);
    expect(await checkPassword("correct house", one)).toBe(false);
    expect(await checkPassword("correct horse", undefined)).toBe(false);
    expect(await checkPassword("correct horse", "plain$text$here")).toBe(false);
  });
});

describe("a request's body", () => {
  it.each([
    [[], "the body: an object is needed"],
    [null, "the body: an object is needed"],
    [{}, "title: a text of 1 to 200 characters is needed"],
    [{ title: " " }, "title: a text of 1 to 200 characters is needed"],
    [{ title: "a\0" }, "title: a text of 1 to 200 characters is needed"],
    [{ title: "a".repeat(201) }, "title: a text of 1 to 200 characters is needed"],
    [
      { title: "a", status: "open", owner: 1 },
      "owner: unknown; allowed: title, status; status: allowed: todo, in_progress, done",
    ],
  ])("for a task is refused with every reason: %j", (body, reason) => {
    expect(() => parseTask(body)).toThrow(reason);
  });

  it("for a task is trimmed and completed", () => {
    expect(parseTask({ title: " a " })).toEqual({ title: "a", status: "todo" });
  });

  it.each([
    [{ email: "a", password: "long enough" }, "email: an address is needed"],
    [{ email: "a@b", password: "short" }, "password: 8 to 200 characters are needed"],
    [{ email: "a@b", password: "long enough", name: 7 }, "name: a text of at most 100 characters is needed"],
    [{ email: "a@b", password: "long enough", role: "admin" }, "role: unknown; allowed: email, password, name"],
  ])("for an account is refused with every reason: %j", (body, reason) => {
    expect(() => parseCredentials(body)).toThrow(reason);
  });

  it("for an account has one spelling of an address", () => {
    const password = "long enough";
    expect(parseCredentials({ email: " A@B.io ", password })).toEqual({ email: "a@b.io", password, name: "a@b.io" });
  });

  it.each([
    ["crash", "an object is needed"],
    [{ share: 1 }, "unknown: share; allowed: errorShare, delayMs, crash"],
    [{ errorShare: 1.5 }, "errorShare: a number from 0 to 1 is needed"],
    [{ delayMs: "1" }, "delayMs: a number from 0 to 60000 is needed"],
    [{ crash: false }, "crash: only true is allowed"],
  ])("for faults is refused with its reason: %j", (body, reason) => {
    expect(parseFaultOrder(body)).toBe(reason);
  });
});

describe("faults", () => {
  const log = createLog(identity, "error");

  it("fail the share of requests that was asked for, and none before", async () => {
    let random = 0;
    const faults = new Faults({ errorShare: 0, delayMs: 0, crashAfterMs: 0 }, log, () => random);
    expect(await faults.meet()).toBe(false);
    faults.order({ errorShare: 0.3 });
    expect(await faults.meet()).toBe(true);
    random = 0.3;
    expect(await faults.meet()).toBe(false);
  });

  it("keep what an order does not name", () => {
    const faults = new Faults({ errorShare: 0.1, delayMs: 20, crashAfterMs: 0 }, log);
    faults.order({ delayMs: 30 });
    expect(faults.current()).toEqual({ errorShare: 0.1, delayMs: 30 });
  });
});

describe("the page", () => {
  it("names its colour and version, and loads the assets of exactly that release", () => {
    const html = page(identity, "/assets/green");
    expect(html).toContain('src="/assets/green/app.2.0.0.js"');
    expect(html).toContain('href="/assets/green/app.2.0.0.css"');
    expect(html).toContain('data-colour="green" data-version="2.0.0"');
    expect(html).toContain("pod&lt;1&gt;");
    for (const asset of [script(identity), style(identity)]) expect(asset).toContain("TaskFlow 2.0.0");
  });
});

describe("the bundle", () => {
  it("is one file for each service, the same bytes from the same sources, and free of this machine's paths", async () => {
    const [one, other] = [await bundleSample(), await bundleSample()];
    expect(one).toEqual(other);
    for (const bytes of [one.backend, one.frontend]) {
      const code = new TextDecoder().decode(bytes);
      expect(code).not.toContain(process.cwd());
      expect(code).not.toMatch(/^import .* from "\.{1,2}\//m);
    }
  });
});
