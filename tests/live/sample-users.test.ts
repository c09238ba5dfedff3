import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { verifyToken } from "../../local/sample/token.ts";
import { LocalStores, soon } from "../support/local-stores.ts";
import { names, type TestDatabase } from "../support/postgres.ts";
import {
  call,
  databaseUrl,
  hasEnded,
  jwtSecret,
  logIn,
  migrateTaskFlow,
  password,
  type Running,
  Services,
  writeServices,
} from "../support/sample-service.ts";

const someone = "someone@example.test";

let stores: LocalStores;
let services: Services;
/** As it is while both releases serve: its contract files are held. */
let taskflow: TestDatabase;
/** As it is when it was made at once: all its files are applied. */
let whole: TestDatabase;
/** As it is before its first migration. */
let empty: TestDatabase;

const tokenOf = async (url: string, email = someone): Promise<string> => (await logIn(url, email)).token;

const titles = (body: Record<string, unknown>) => (body.tasks as { title: string }[]).map(({ title }) => title);

beforeAll(async () => {
  stores = await LocalStores.start();
  await writeServices(stores.directory);
  const [first, second, third] = await stores.databases(3);
  if (!first || !second || !third) throw new Error("three databases were asked for");
  [taskflow, whole, empty] = [first, second, third];
  await migrateTaskFlow(taskflow, "013_add_statistics.sql");
  await migrateTaskFlow(whole);
  services = new Services(stores.directory, async () => ({
    DATABASE_URL: await databaseUrl(taskflow, names.applicationLogins.a),
    REDIS_URL: stores.redisUrl,
  }));
});

afterEach(async () => {
  const login = new URL(await databaseUrl(taskflow, names.applicationLogins.a));
  for (const output of await services.end()) {
    for (const secret of [jwtSecret, login.password, stores.cachePassword, password])
      expect(output).not.toContain(secret);
  }
});

afterAll(async () => {
  await stores?.stop();
});

describe("a user of the sample backend", () => {
  it("sees their own tasks and no one else's", async () => {
    const { url } = await services.launch("backend");
    const [one, other] = [await tokenOf(url), await tokenOf(url, "other@example.test")];
    expect((await call(`${url}/api/tasks`, { token: one, body: { title: "mine" } })).status).toBe(201);
    expect(titles((await call(`${url}/api/tasks`, { token: one })).body)).toEqual(["mine"]);
    expect(titles((await call(`${url}/api/tasks`, { token: other })).body)).toEqual([]);
    expect((await call(`${url}/api/tasks`)).status).toBe(401);
    expect((await call(`${url}/api/tasks`, { token: `${one}x` })).status).toBe(401);
    const wrong = { email: someone, password: "not the password" };
    expect(await call(`${url}/api/auth/login`, { body: wrong })).toMatchObject({ status: 401 });
    expect(await call(`${url}/api/auth/register`, { body: { email: someone, password } })).toMatchObject({
      status: 409,
    });
  });

  it("sees a team's tasks and comments as a member, and that there are none as anyone else", async () => {
    const blue = await services.launch("backend");
    const green = await services.launch("backend", { COLOUR: "green", RELEASE_VERSION: "2.0.0" });
    const [lead, member, stranger] = [
      await tokenOf(blue.url, "lead@example.test"),
      await tokenOf(blue.url, "member@example.test"),
      await tokenOf(blue.url, "stranger@example.test"),
    ];
    const [team] = (await call(`${blue.url}/api/teams`, { token: lead })).body.teams as { id: number }[];
    const teamId = team?.id;
    const read = async ({ url }: Running, token: string, search = "") =>
      (await call(`${url}/api/tasks${search}`, { token })).body;
    const create = async (body: object) => (await call(`${blue.url}/api/tasks`, { token: lead, body })).body;
    const first = await create({ title: "before" });
    await soon("redis is used", async () => (await read(green, member)).cached === true);
    expect(titles(await read(green, member))).toEqual([]);

    // Joining and each write is seen at once, in the other colour's cache, too.
    const join = (token: string) =>
      call(`${blue.url}/api/teams/${teamId}/members`, { token, body: { email: "member@example.test" } });
    expect((await join(stranger)).status).toBe(404);
    expect((await join(lead)).body).toEqual({ members: 2 });
    expect(titles(await read(green, member))).toEqual(["before"]);
    await create({ title: "after", status: "in_progress" });
    expect(await read(green, member)).toMatchObject({
      tasks: [{ title: "after" }, { title: "before" }],
      cached: false,
    });
    expect((await read(green, member)).cached).toBe(true);
    expect(titles(await read(blue, member, `?teamId=${teamId}&status=in_progress`))).toEqual(["after"]);
    expect(titles(await read(blue, member, "?teamId=2147483647"))).toEqual([]);
    expect(titles(await read(blue, member, `?before=${Number(first.id) + 1}`))).toEqual(["before"]);
    expect(await read(blue, member, "?team=1")).toEqual({
      error: "team: unknown; allowed: teamId, status, before, limit",
    });

    const said = { token: member, body: { body: "done soon" } };
    expect((await call(`${blue.url}/api/comments/${first.id}`, said)).status).toBe(201);
    const comments = await call(`${green.url}/api/comments/${first.id}`, { token: lead });
    expect(comments.body).toMatchObject({ comments: [{ body: "done soon" }] });

    expect(titles(await read(green, stranger))).toEqual([]);
    const { projectId } = first;
    for (const [path, body] of [
      [`/api/tasks/${first.id}`],
      [`/api/comments/${first.id}`],
      [`/api/comments/${first.id}`, { body: "me, too" }],
      ["/api/tasks", { title: "into theirs", projectId }],
      ["/api/tasks", { title: "for nobody", assigneeId: 2_147_483_647 }],
      ["/api/tasks/0"],
      ["/api/tasks/x"],
    ] as const) {
      expect([path, (await call(`${green.url}${path}`, { token: stranger, body })).status]).toEqual([path, 404]);
    }
    expect((await call(`${green.url}/api/tasks/${first.id}`, { token: member })).body).toMatchObject({
      title: "before",
    });
  });

  it("keeps a session by tokens of one use, and loses it when one comes a second time", async () => {
    const { url } = await services.launch("backend");
    const login = await logIn(url, someone);
    const payload = JSON.parse(Buffer.from(login.token.split(".")[1] ?? "", "base64url").toString());
    expect(payload).toEqual({
      sub: expect.any(String),
      role: "user",
      teams: [expect.any(Number)],
      iat: expect.any(Number),
      exp: payload.iat + 900,
    });
    const refresh = (refreshToken: string) => call(`${url}/api/auth/refresh`, { body: { refreshToken } });
    const second = await refresh(login.refreshToken);
    expect(second.body).toEqual({ token: expect.any(String), expiresIn: 900, refreshToken: expect.any(String) });
    expect(verifyToken(String(second.body.token), jwtSecret)?.sub).toBe(payload.sub);
    const third = await refresh(String(second.body.refreshToken));
    expect(third.status).toBe(200);
    // Someone else has the second one, too: neither of them may go on.
    expect(await refresh(String(second.body.refreshToken))).toMatchObject({
      status: 401,
      body: { error: "this session is over; log in again" },
    });
    expect((await refresh(String(third.body.refreshToken))).status).toBe(401);

    const other = await logIn(url, someone);
    expect((await call(`${url}/api/auth/logout`, { body: { refreshToken: other.refreshToken } })).status).toBe(200);
    expect((await refresh(other.refreshToken)).status).toBe(401);
    expect((await refresh("made up")).status).toBe(401);
  });

  it("gets a list from the cache, per version, and a new one in both colours when one wrote", async () => {
    const blue = await services.launch("backend");
    const green = await services.launch("backend", { COLOUR: "green", RELEASE_VERSION: "2.0.0" });
    const token = await tokenOf(blue.url, "cached@example.test");
    const read = async ({ url }: Running) => (await call(`${url}/api/tasks`, { token })).body;
    await soon("redis is used", async () => (await read(blue)).cached === true);
    expect(await read(green)).toEqual({ tasks: [], cached: false });
    const create = async ({ url }: Running, title: string) =>
      (await call(`${url}/api/tasks`, { token, body: { title } })).body.createdInAll;
    const count = Number(await create(green, "from green"));
    for (const colour of [blue, green]) {
      const first = await read(colour);
      expect([titles(first), first.cached]).toEqual([["from green"], false]);
      expect((await read(colour)).cached).toBe(true);
    }
    expect(await create(blue, "from blue")).toBe(count + 1);
    expect(titles(await read(green))).toEqual(["from blue", "from green"]);
  });
});

describe("a release of the sample backend", () => {
  it("writes and reads the same tasks as the other one, each by its own column", async () => {
    const blue = await services.launch("backend");
    const green = await services.launch("backend", { COLOUR: "green", RELEASE_VERSION: "2.0.0" });
    const token = await tokenOf(blue.url, "due@example.test");
    const create = async ({ url }: Running, dueAt: string) =>
      Number((await call(`${url}/api/tasks`, { token, body: { title: "due", dueAt } })).body.id);
    const [one, two] = [await create(blue, "2030-01-01T00:00:00Z"), await create(green, "2030-02-01T00:00:00+01:00")];
    for (const { url } of [blue, green]) {
      const dueAt = async (id: number) => (await call(`${url}/api/tasks/${id}`, { token })).body.dueAt;
      expect([await dueAt(one), await dueAt(two)]).toEqual(["2030-01-01T00:00:00.000Z", "2030-01-31T23:00:00.000Z"]);
    }
    const columns = `select count(*)::integer as equal from tasks where id in (${one}, ${two}) and due = due_at`;
    expect(await stores.query(taskflow.name, columns)).toEqual([{ equal: 2 }]);
  });

  it.each(["1.0.0", "2.0.0"])("%s runs on a database that was made at once", async (RELEASE_VERSION) => {
    const DATABASE_URL = await databaseUrl(whole, names.applicationLogins.b);
    const { url } = await services.launch("backend", { RELEASE_VERSION, DATABASE_URL });
    const token = await tokenOf(url, `release-${RELEASE_VERSION}@example.test`);
    const body = { title: "due", dueAt: "2030-01-01T00:00:00Z" };
    expect(await call(`${url}/api/tasks`, { token, body })).toMatchObject({
      status: 201,
      body: { projectId: expect.any(Number) },
    });
  });

  it("is not ready before the migrations that its release needs", async () => {
    const DATABASE_URL = await databaseUrl(empty, names.applicationLogins.a);
    const alive = async ({ url }: Running) => (await call(`${url}/health`)).status === 200;
    const early = await services.launch("backend", { DATABASE_URL, START_SECONDS: "2" }, alive);
    await soon("ended", async () => hasEnded(early.process));
    expect(early.output()).toContain(
      "public.tasks has no due_at: the migrations that release 1.0.0 needs have not run",
    );
    expect(early.process.exitCode).toBe(1);

    const waiting = await services.launch("backend", { DATABASE_URL, START_SECONDS: "60" }, alive);
    expect((await call(`${waiting.url}/ready`)).status).toBe(503);
    await migrateTaskFlow(empty);
    await soon("ready", async () => (await call(`${waiting.url}/ready`)).status === 200);
  });
});
