import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseCredentials } from "../../local/sample/accounts.ts";
import { bundleSample } from "../../local/sample/bundle.ts";
import { Faults, parseFaultOrder } from "../../local/sample/faults.ts";
import { matchPath } from "../../local/sample/http.ts";
import { createLog } from "../../local/sample/log.ts";
import { page, script, style } from "../../local/sample/page.ts";
import { checkPassword, hashPassword } from "../../local/sample/password.ts";
import { pathId } from "../../local/sample/requests.ts";
import { parseFilter, parseTask } from "../../local/sample/tasks.ts";
import { newRefreshToken, refreshTokenHash, signToken, verifyToken } from "../../local/sample/token.ts";

const identity = { service: "frontend", colour: "green", version: "2.0.0", pod: "pod<1>" } as const;

describe("a token", () => {
  const secret = "a secret of some length";
  const claims = { sub: "user-a", role: "user", teams: [1, 7] } as const;

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

describe("a refresh token", () => {
  it("is another one each time, and stored as its SHA-256", () => {
    const [one, other] = [newRefreshToken(), newRefreshToken()];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^[\w-]{43}$/);
    expect(refreshTokenHash("a").toString("hex")).toBe(
      "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    );
  });
});

describe("a password", () => {
  it("is stored salted and hashed by bcrypt, and checked against that", async () => {
    const [one, other] = [await hashPassword("correct horse"), await hashPassword("correct horse")];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^\$2b\$10\$[./A-Za-z0-9]{53}$/);
    expect(await checkPassword("correct horse", one)).toBe(true);
    expect(await checkPassword("correct house", one)).toBe(false);
    expect(await checkPassword("correct horse", undefined)).toBe(false);
    expect(await checkPassword("correct horse", "plain$text$here")).toBe(false);
  });

  it("is hashed beside everything else, ten at once and no more", async () => {
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 1);
    const all = Array.from({ length: 12 }, async () => checkPassword("correct horse", undefined));
    const answers = await Promise.allSettled(all);
    clearInterval(counting);
    expect(answers.slice(0, 10)).toEqual(Array(10).fill({ status: "fulfilled", value: false }));
    for (const answer of answers.slice(10)) {
      expect(answer).toMatchObject({
        status: "rejected",
        reason: { status: 429, message: "too many logins at once; try again" },
      });
    }
    // In this thread a hash would leave a turn or two.
    expect(turns).toBeGreaterThan(100);
  });
});

describe("a path", () => {
  it.each([
    ["/", "/", {}],
    ["/", "/x", undefined],
    ["/assets/", "/assets/a/b", {}],
    ["/api/tasks", "/api/tasks", {}],
    ["/api/tasks", "/api/tasks/", undefined],
    ["/api/tasks/:id", "/api/tasks/7", { id: "7" }],
    ["/api/tasks/:id", "/api/tasks/", undefined],
    ["/api/tasks/:id", "/api/tasks/7/x", undefined],
    ["/api/teams/:id/members", "/api/teams/3/members", { id: "3" }],
  ])("%s is asked for by %s: %j", (pattern, path, named) => {
    expect(matchPath(pattern, path)).toEqual(named);
  });

  it.each([undefined, "", "x", "0", "-1", "1.5", "1e3", "2147483648"])("has no id in %j", (text) => {
    expect(() => pathId(text, "task")).toThrow("no such task");
  });
});

describe("a list of tasks", () => {
  it("may be of a team, of a status, of older tasks", () => {
    expect(parseFilter(new URLSearchParams())).toEqual({ limit: 50 });
    expect(parseFilter(new URLSearchParams("teamId=1&status=in_progress&before=7&limit=100"))).toEqual({
      teamId: 1,
      status: "in_progress",
      before: 7,
      limit: 100,
    });
  });

  it.each([
    ["team=1", "team: unknown; allowed: teamId, status, before, limit"],
    [
      "teamId=x&status=open",
      "teamId: an integer from 1 to 2147483647 is needed; status: allowed: todo, in_progress, done",
    ],
    ["before=0", "before: an integer from 1 to 2147483647 is needed"],
    ["limit=101", "limit: at most 100 is allowed"],
  ])("is refused with every reason: %s", (search, reason) => {
    expect(() => parseFilter(new URLSearchParams(search))).toThrow(reason);
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
      "owner: unknown; allowed: title, status, projectId, assigneeId, dueAt; status: allowed: todo, in_progress, done",
    ],
    [{ title: "a", dueAt: "tomorrow" }, "dueAt: a moment such as 2026-01-31T12:00:00Z is needed"],
    [{ title: "a", dueAt: "2026-02-31T12:00" }, "dueAt: a moment such as 2026-01-31T12:00:00Z is needed"],
    [{ title: "a", projectId: 1.5 }, "projectId: an integer from 1 to 2147483647 is needed"],
  ])("for a task is refused with every reason: %j", (body, reason) => {
    expect(() => parseTask(body)).toThrow(reason);
  });

  it("for a task is trimmed and completed", () => {
    expect(parseTask({ title: " a " })).toEqual({ title: "a", status: "todo" });
    const dueAt = "2026-01-31T12:00:00+01:00";
    expect(parseTask({ title: "a", status: "done", projectId: 3, assigneeId: 4, dueAt })).toEqual({
      title: "a",
      status: "done",
      projectId: 3,
      assigneeId: 4,
      dueAt: "2026-01-31T11:00:00.000Z",
    });
  });

  it.each([
    [{ email: "a", password: "long enough" }, "email: an address is needed"],
    [{ email: "ä@b", password: "long enough" }, "email: an address is needed"],
    [{ email: "a@b", password: "short" }, "password: 8 characters to 72 bytes are needed"],
    [{ email: "a@b", password: "ä".repeat(37) }, "password: 8 characters to 72 bytes are needed"],
    [{ email: "a@b", password: "long enough", name: 7 }, "name: a text of 1 to 100 characters is needed"],
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
  }, 30_000);
});
