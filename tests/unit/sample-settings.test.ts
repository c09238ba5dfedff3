import { describe, expect, it } from "vitest";
import { createLog, errorFields } from "../../local/sample/log.ts";
import { backendSettings, frontendSettings } from "../../local/sample/settings.ts";

const good = {
  COLOUR: "green",
  RELEASE_VERSION: "2.0.0",
  POD_NAME: "taskflow-backend-green-1",
  DATABASE_URL: "postgres://taskflow_user:hidden-password@postgres:5432/taskflow",
  REDIS_URL: "redis://taskflow:hidden-password@redis:6379",
  JWT_SECRET: "hidden-secret-of-some-length",
};

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it did not throw");
};

describe("the sample's settings", () => {
  it("take defaults for all that a deployment need not say", () => {
    expect(backendSettings(good)).toEqual({
      identity: { service: "backend", colour: "green", version: "2.0.0", pod: "taskflow-backend-green-1" },
      port: 3000,
      faultPort: 3001,
      logLevel: "info",
      drainSeconds: 1,
      faults: { errorShare: 0, delayMs: 0, crashAfterMs: 0 },
      databaseUrl: good.DATABASE_URL,
      redisUrl: good.REDIS_URL,
      jwtSecret: good.JWT_SECRET,
      startSeconds: 15,
    });
  });

  it("name every problem at once, and show no value of a secret", () => {
    const message = messageOf(() =>
      backendSettings({
        ...good,
        COLOUR: "red",
        PORT: "http",
        FAULT_ERROR_SHARE: "30",
        DATABASE_URL: "mysql://u:hidden-password@h/d",
        JWT_SECRET: "hidden",
        REDIS_URL: undefined,
      }),
    );
    expect(message).toBe(`6 problems in the environment:
  COLOUR  got "red"; allowed: blue, green
  PORT  got "http"; an integer from 0 to 65535 is allowed
  FAULT_ERROR_SHARE  got "30"; a number from 0 to 1 is allowed
  DATABASE_URL  is not a URL of the form postgres://… or postgresql://… (value not shown: it holds a password)
  REDIS_URL  is missing; redis://… or rediss://… is needed
  JWT_SECRET  is too short; 16 characters or more are needed`);
  });

  it("let the deployment's version win over the image's", () => {
    const version = (environment: Record<string, string>) =>
      frontendSettings({ COLOUR: "blue", ...environment }).identity.version;
    expect(version({ APP_VERSION: "1.0.0" })).toBe("1.0.0");
    expect(version({ APP_VERSION: "1.0.0", RELEASE_VERSION: "1.0.1" })).toBe("1.0.1");
    expect(messageOf(() => version({}))).toContain("RELEASE_VERSION  is missing");
    expect(messageOf(() => version({ RELEASE_VERSION: '"><script>' }))).toContain("RELEASE_VERSION  got");
  });

  it("serve assets below the colour's prefix unless told otherwise", () => {
    const environment = { COLOUR: "blue", RELEASE_VERSION: "1.0.0" };
    expect(frontendSettings(environment).assetPrefix).toBe("/assets/blue");
    expect(frontendSettings({ ...environment, ASSET_PREFIX: "/a/b" }).assetPrefix).toBe("/a/b");
    expect(messageOf(() => frontendSettings({ ...environment, ASSET_PREFIX: "/a/" }))).toContain('got "/a/"');
  });
});

describe("the sample's log", () => {
  const identity = { service: "backend", colour: "blue", version: "1.0.0", pod: "one" } as const;
  const line = {
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    level: "info",
    message: "done",
    ...identity,
  };
  const logged = (fields: Record<string, unknown>): Record<string, unknown> => {
    const lines: string[] = [];
    createLog(identity, "info", (each) => lines.push(each)).info("done", fields);
    expect(lines).toHaveLength(1);
    return JSON.parse(lines[0] ?? "");
  };

  it("is one JSON object a line, from its level upwards", () => {
    const lines: string[] = [];
    const log = createLog(identity, "warn", (line) => lines.push(line));
    log.info("quiet");
    log.warn("loud", { attempt: 2 });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: expect.any(String), level: "warn", message: "loud", ...identity, attempt: 2 },
    ]);
    expect(lines[0]?.endsWith("\n")).toBe(true);
  });

  it("says what happened before its fields: a person reads it, and so does golive bench", () => {
    const lines: string[] = [];
    createLog(identity, "info", (each) => lines.push(each)).info("listening", {
      port: 3000,
      err: { message: "other" },
    });
    expect(lines[0]).toMatch(/"message":"listening","port":3000,"err":\{"message":"other"\}\}\n$/);
  });

  it("keeps who it was about (S0-32)", () => {
    expect(logged({ userId: "user-1", nested: { userId: 7 }, at: new Date(0), list: [1, { userId: 2 }] })).toEqual({
      ...line,
      userId: "user-1",
      nested: { userId: 7 },
      at: "1970-01-01T00:00:00.000Z",
      list: [1, { userId: 2 }],
    });
  });

  it("never has a password, token or cookie, whatever it is called and however deep it lies (S0-33)", () => {
    const secrets = {
      password: "hidden",
      passwd: "hidden",
      PGPASSWORD: "hidden",
      password_hash: "hidden",
      token: "hidden",
      refreshToken: "hidden",
      access_tokens: ["hidden"],
      Authorization: "Bearer hidden",
      cookie: "hidden",
      "set-cookie": ["hidden"],
      JWT_SECRET: "hidden",
      clientSecret: { value: "hidden" },
      "x-api-key": "hidden",
      apiKey: "hidden",
      credentials: { user: "hidden" },
    };
    const deep = { one: { two: [{ three: { userId: "user-1", ...secrets } }] }, ...secrets };
    expect(logged({ userId: "user-1", ...secrets, deep })).toEqual({
      ...line,
      userId: "user-1",
      deep: { one: { two: [{ three: { userId: "user-1" } }] } },
    });
    expect(JSON.stringify(logged({ request: { headers: secrets, body: [[[[[[[secrets]]]]]]] } }))).not.toContain(
      "hidden",
    );
  });

  it("takes of an error in any field no more than of one that is reduced by hand", () => {
    const error = Object.assign(new Error("refused"), { code: "ECONNREFUSED", connection: "hidden" });
    const reduced = { error: "Error: refused", code: "ECONNREFUSED" };
    expect(logged({ err: error, causes: [error] })).toEqual({ ...line, err: reduced, causes: [reduced] });
  });

  it("lets no field take the place of what every line has, and lives through an object that holds itself", () => {
    const round: Record<string, unknown> = { userId: 1 };
    round.self = round;
    const { round: shown, ...rest } = logged({ message: "other", level: 30, pod: "other", round });
    expect(rest).toEqual({ ...line, field_message: "other", field_level: 30, field_pod: "other" });
    expect(shown).toMatchObject({ userId: 1, self: { userId: 1 } });
  });

  it("takes name, code and message of an error, and nothing that a driver hung on it", () => {
    const error = Object.assign(new Error("refused"), { code: "ECONNREFUSED", password: "hidden" });
    expect(errorFields(error)).toEqual({ error: "Error: refused", code: "ECONNREFUSED" });
    expect(errorFields(new AggregateError([error]))).toEqual({ error: "Error: refused", code: "ECONNREFUSED" });
    expect(errorFields("text")).toEqual({ error: "text" });
  });
});
