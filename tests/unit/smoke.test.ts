import { describe, expect, it } from "vitest";
import { isHttp, type SmokeTest } from "../../applications/application.ts";
import { applications } from "../../applications/catalogue.ts";
import { type AskColour, type SmokeRequest, smokeFailures, smokeTest } from "../../rollout/preflight/smoke.ts";

const subject = (...smoke: SmokeTest[]) =>
  ({ application: { name: "shop", smoke }, colour: "green", version: "2.0.0" }) as const;

const login: SmokeTest = {
  name: "the user logs in",
  service: "backend",
  method: "POST",
  path: "/login",
  body: { email: "smoke-{run}@golive.invalid", password: "{password}" },
  expect: { status: 200 },
  keep: { token: "session.token" },
};
const basket: SmokeTest = {
  name: "the user sees the basket",
  service: "backend",
  path: "/basket",
  headers: { authorization: "Bearer {token}" },
  expect: { status: 200, fields: { "goods.0.name": "apple", "goods.length": "1" } },
};
const page: SmokeTest = { name: "the page loads", service: "frontend", path: "/", expect: { status: 200 } };

const token = "a-token-that-nobody-may-see";
const right: Readonly<Record<string, unknown>> = {
  "/login": { session: { token } },
  "/basket": { goods: [{ name: "apple" }] },
  "/": "<html>",
};

/** A colour that answers every path with 200 and what stands here for it, or with this status. */
function colour(answers: Readonly<Record<string, unknown>> = right) {
  const asked: (SmokeRequest & { readonly service: string })[] = [];
  const ask: AskColour = async (service, request) => {
    asked.push({ ...request, service });
    const answer = answers[request.path];
    if (answer instanceof Error) throw answer;
    if (typeof answer === "number") return { status: answer, body: '{"error":"internal error"}' };
    return { status: 200, body: typeof answer === "string" ? answer : JSON.stringify(answer ?? {}) };
  };
  return { ask, asked };
}

const outcomes = async (ask: AskColour, ...smoke: SmokeTest[]) =>
  (await smokeTest(ask, subject(...smoke))).tests.map(({ name, outcome, got }) => `${name}: ${outcome} (${got})`);

describe("a smoke test", () => {
  it("asks each service once and in order, with what earlier answers gave", async () => {
    const { ask, asked } = colour();
    const report = await smokeTest(ask, subject(login, basket, page));
    expect(report).toMatchObject({ colour: "green", version: "2.0.0", passed: true });
    expect(report.tests.map(({ asked: text, expected, got }) => [text, expected, got])).toEqual([
      ["POST /login of backend", "200", "200"],
      ["GET /basket of backend", '200, goods.0.name "apple", goods.length "1"', "200"],
      ["GET / of frontend", "200", "200"],
    ]);
    expect(asked.map(({ service, method, path }) => `${service} ${method} ${path}`)).toEqual([
      "backend POST /login",
      "backend GET /basket",
      "frontend GET /",
    ]);
    expect(asked[1]?.headers.authorization).toBe(`Bearer ${token}`);
    expect(asked[0]?.headers["content-type"]).toBe("application/json");
  });

  it("uses an account that nobody can know beforehand: another address and password in each run", async () => {
    const { ask, asked } = colour();
    await smokeTest(ask, subject(login));
    await smokeTest(ask, subject(login));
    const [one, other] = asked.map(({ body }) => JSON.parse(body ?? "") as { email: string; password: string });
    expect(one?.email).toMatch(/^smoke-[0-9a-f]{12}@golive\.invalid$/);
    expect(one?.password).toMatch(/^[0-9a-f]{36}$/);
    expect([other?.email, other?.password]).not.toContain(one?.email);
    expect(one?.password).not.toBe(other?.password);
  });

  it("is not tried again: one bad answer is one that a user would get", async () => {
    let times = 0;
    const ask: AskColour = async () => ({ status: ++times === 1 ? 503 : 200, body: "" });
    expect(await outcomes(ask, page)).toEqual(["the page loads: failed (503)"]);
    expect(times).toBe(1);
  });

  it("does not run without what it needs of one that failed, and leaves the others alone", async () => {
    const { ask, asked } = colour({ ...right, "/login": 500 });
    const report = await smokeTest(ask, subject(login, basket, page));
    expect(report.passed).toBe(false);
    expect(report.tests.map(({ outcome, got }) => `${outcome}: ${got}`)).toEqual([
      'failed: 500: {"error":"internal error"}',
      "not run: no value for token: a test before it failed",
      "passed: 200",
    ]);
    expect(asked.map(({ path }) => path)).toEqual(["/login", "/"]);
  });

  it.each([
    ["another value", { goods: [{ name: "pear" }] }, '200, goods.0.name "pear"'],
    ["no such field", { goods: [] }, "200, no goods.0.name"],
    ["no JSON", "<html>", "200, no goods.0.name"],
    ["one too many", { goods: [{ name: "apple" }, { name: "pear" }] }, '200, goods.length "2"'],
    ["no connection", new Error("connect ECONNREFUSED"), "no answer: connect ECONNREFUSED"],
  ])("fails by its answer: %s", async (_, answer, got) => {
    const { ask } = colour({ ...right, "/basket": answer });
    expect(await outcomes(ask, login, basket)).toEqual([
      "the user logs in: passed (200)",
      `the user sees the basket: failed (${got})`,
    ]);
  });

  it("fails where the page lacks a text, or the link that the next test follows", async () => {
    const shown = { ...page, expect: { status: 200, contains: ['colour="{colour}"'] } };
    const linked = { ...page, keep: { script: /src="([^"]+)"/ } };
    const script = { ...page, name: "the script loads", path: "{script}" };
    const { ask } = colour({ "/": '<script src="/app.js"> colour="blue"' });
    expect(await outcomes(ask, shown)).toEqual(['the page loads: failed (200, without colour="green")']);
    expect(await outcomes(ask, linked, script)).toEqual([
      "the page loads: passed (200)",
      "the script loads: passed (200)",
    ]);
    expect(await outcomes(colour().ask, linked)).toEqual([
      'the page loads: failed (200, without /src="([^"]+)"/, which later tests need as {script})',
    ]);
  });

  it("does not wait for a server that hangs, neither for one answer nor for all", async () => {
    const hangs: AskColour = () => new Promise(() => {});
    const report = await smokeTest(hangs, subject(page, page, page), { eachMs: 30, allMs: 50 });
    expect(report.passed).toBe(false);
    expect(report.tests.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "not run"]);
    expect(report.tests[0]?.got).toBe("no answer within 0.03 s");
    expect(report.tests[2]?.got).toBe("no time was left: all together may take 0.05 s");
  });

  it("keeps passwords and tokens to itself, also where the server gives them back", async () => {
    const ask: AskColour = async (_, { path, body, headers }) => {
      if (path === "/login") return { status: 200, body: JSON.stringify({ session: { token }, body }) };
      return { status: 400, body: `what is ${headers.authorization}?` };
    };
    const report = await smokeTest(ask, subject({ ...login, expect: { status: 201 } }, login, basket));
    expect(report.tests.map(({ got }) => got)).toEqual(["200", "200", "400: what is Bearer {token}?"]);
    expect(JSON.stringify(report)).not.toContain(token);
  });

  it("passes no release of an application that has none", async () => {
    const { ask } = colour();
    expect(await smokeTest(ask, subject())).toMatchObject({ passed: false, tests: [] });
    expect(await smokeTest(ask, { ...subject(), application: { name: "shop" } })).toMatchObject({ passed: false });
  });

  it("names what keeps a release from its users: each test that did not pass, or that there are none", async () => {
    const { ask } = colour();
    expect(smokeFailures(await smokeTest(ask, subject()))).toEqual(["there are no smoke tests"]);
    expect(smokeFailures(await smokeTest(ask, subject(login, page)))).toEqual([]);
    const other = subject({ ...login, expect: { status: 201 } }, page);
    expect(smokeFailures(await smokeTest(ask, other))).toEqual([login.name]);
  });
});

describe.each(Object.values(applications))("the smoke tests of $name", ({ services, smoke = [] }) => {
  it("ask every service that answers users, health and readiness first of all", () => {
    for (const { name, probes } of services.filter(isHttp)) {
      const [alive, ready] = smoke.filter(({ service }) => service === name).map(({ path }) => path);
      expect([alive, ready]).toEqual([probes.liveness, probes.readiness]);
    }
    const known = services.filter(isHttp).map(({ name }) => name);
    expect(smoke.filter(({ service }) => !known.includes(service))).toEqual([]);
  });

  it("use only values that are there by then, and have names of their own", () => {
    const known = new Set(["run", "password", "colour", "version"]);
    for (const { name, keep = {}, ...test } of smoke) {
      const used = [...JSON.stringify(test).matchAll(/\{(\w+)\}/g)].map(([, each]) => each ?? "");
      expect({ name, missing: used.filter((each) => !known.has(each)) }).toEqual({ name, missing: [] });
      for (const each of Object.keys(keep)) known.add(each);
    }
    expect(new Set(smoke.map(({ name }) => name)).size).toBe(smoke.length);
  });
});
