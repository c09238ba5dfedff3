import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Application, SmokeTest } from "../../applications/application.ts";
import { taskflow } from "../../applications/taskflow.ts";
import { namespaceLabels } from "../../components/namespace/namespace.ts";
import { restrictedContainer, restrictedPod } from "../../components/pod/security.ts";
import { openColour } from "../../components/release/colour-tunnel.ts";
import { selectorLabels, workloadName } from "../../components/release/names.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { places } from "../../local/places.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { type AskColour, smokeTest } from "../../rollout/preflight/smoke.ts";
import { LocalStores } from "../support/local-stores.ts";
import { names } from "../support/postgres.ts";
import {
  call,
  databaseUrl,
  logIn,
  migrateTaskFlow,
  type Running,
  Services,
  writeServices,
} from "../support/sample-service.ts";
import { config, core } from "../support/tools-namespace.ts";

const namespace = `smoke-${randomBytes(3).toString("hex")}`;
const target = { namespace, application: "taskflow", colour: "green" } as const;
const green = { COLOUR: "green", RELEASE_VERSION: "2.0.0", ASSET_PREFIX: "/assets/green" };
const subject = { application: taskflow, colour: "green", version: "2.0.0" } as const;

describe("the smoke tests of TaskFlow", () => {
  let stores: LocalStores;
  let services: Services;
  let owner: Client;
  let running: { readonly backend: Running; readonly frontend: Running };

  const ask: AskColour = async (service, { method, path, headers, body }, signal) => {
    const { url } = service === "backend" ? running.backend : running.frontend;
    const answer = await fetch(`${url}${path}`, { method, headers, signal, ...(body === undefined ? {} : { body }) });
    return { status: answer.status, body: await answer.text() };
  };

  beforeAll(async () => {
    stores = await LocalStores.start();
    await writeServices(stores.directory);
    const [database] = await stores.databases(1);
    if (!database) throw new Error("a database was asked for");
    await migrateTaskFlow(database);
    owner = await database.connect(names.owner);
    const url = await databaseUrl(database, names.applicationLogins.a);
    services = new Services(stores.directory, async () => ({
      DATABASE_URL: url,
      REDIS_URL: stores.redisUrl,
      ...green,
    }));
    running = { backend: await services.launch("backend"), frontend: await services.launch("frontend") };
  });

  afterEach(() => call(`${running.backend.faultUrl}/faults`, { body: { errorShare: 0 } }));

  afterAll(async () => {
    await services?.end();
    await owner?.end();
    await stores?.stop();
  });

  it("pass on a good release", async () => {
    const report = await smokeTest(ask, subject);
    expect(report.tests.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
    expect(report.passed).toBe(true);
  });

  it("fail on a release that fails its users while its probes are green", async () => {
    await call(`${running.backend.faultUrl}/faults`, { body: { errorShare: 1 } });
    const { passed, tests } = await smokeTest(ask, subject);
    expect(passed).toBe(false);
    const outcome = (name: string) => tests.find((test) => test.name === name);
    expect(outcome("the backend is ready")).toMatchObject({ outcome: "passed" });
    expect(outcome("a user registers")).toMatchObject({ outcome: "failed", expected: expect.stringMatching(/^201/) });
    expect(outcome("the user creates a task")).toMatchObject({ outcome: "not run" });
    expect(outcome("the page's script loads")).toMatchObject({ outcome: "passed" });
  });

  it("fail on another release than the one that is asked for", async () => {
    const { tests } = await smokeTest(ask, { ...subject, version: "2.0.1" });
    expect(tests.filter(({ outcome }) => outcome !== "passed")).toMatchObject([
      { name: "the backend is the candidate's", got: '200, version "2.0.0"' },
    ]);
  });

  it("leave nothing behind, nor take anything of others with them, once the documented statements have run", async () => {
    const url = running.backend.url;
    const { token } = await logIn(url, "somebody@example.test");
    await call(`${url}/api/tasks`, { token, body: { title: "a task of somebody" } });
    await smokeTest(ask, subject);
    const count = async (text: string) => Number((await owner.query<{ count: string }>(text)).rows[0]?.count);
    expect(await count("select count(*) from users where email like 'smoke-%'")).toBeGreaterThan(0);
    const page = await readFile(join(places.root, "docs", "operations", "preflight.md"), "utf8");
    await owner.query(/```sql\n(.*?)```/s.exec(page)?.[1] ?? "");
    expect(await count("select count(*) from users")).toBe(1);
    expect(await count("select count(*) from teams")).toBe(1);
    expect(await count("select count(*) from tasks")).toBe(1);
  });
});

/** Says what it was asked, if it was asked by somebody who is logged in. */
const echo = `require("node:http").createServer((q, r) => {
  if (q.headers.authorization !== "Bearer of-a-user") { r.statusCode = 401; return r.end(q.headers.authorization); }
  if (q.url === "/hangs") return;
  let body = ""; q.on("data", (d) => (body += d)).on("end", () => r.end(JSON.stringify({ url: q.url, body, host: q.headers.host })));
}).listen(3000)`;

const name = workloadName("taskflow", "backend", "green");
const labels = selectorLabels("taskflow", "backend", "green");

const test = (path: string, changes: Partial<SmokeTest> = {}): SmokeTest => ({
  name: path,
  service: "backend",
  path,
  headers: { authorization: "Bearer of-a-user" },
  expect: { status: 200 },
  ...changes,
});

/** One run through the cluster. */
async function through(smoke: readonly SmokeTest[], application: Application["name"] = "taskflow", eachMs = 5_000) {
  const tunnel = openColour(config, { ...target, application });
  try {
    const about = { ...subject, application: { name: application, smoke } };
    return (await smokeTest(tunnel.ask, about, { eachMs, allMs: 60_000 })).tests.map(({ got }) => got);
  } finally {
    await tunnel.close();
  }
}

describe("a colour behind its Services", () => {
  beforeAll(async () => {
    const all = { ...namespaceLabels("taskflow"), ...runLabels() };
    await core.createNamespace({ body: { metadata: { name: namespace, labels: all } } });
    const container = {
      name: "echo",
      image: "golive.local/node:24",
      command: ["node", "-e", echo],
      ports: [{ name: "http", containerPort: 3000 }],
      readinessProbe: { tcpSocket: { port: 3000 }, periodSeconds: 1 },
      ...restrictedContainer(),
    };
    const pod = { metadata: { name, labels }, spec: { ...restrictedPod(1000), containers: [container] } };
    await core.createNamespacedPod({ namespace, body: pod as object });
    const service = (selector: object) => ({ selector, ports: [{ port: 80, targetPort: "http" }] });
    await core.createNamespacedService({ namespace, body: { metadata: { name }, spec: service(labels) as object } });
    await kubectl(["--namespace", namespace, "wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s"]);
    await kubectl([
      ...["--namespace", namespace, "wait", "--timeout=60s", "endpointslice"],
      ...["--selector", `kubernetes.io/service-name=${name}`, "--for=jsonpath={.endpoints[0].conditions.ready}=true"],
    ]);
  });

  afterAll(() => core.deleteNamespace({ name: namespace, gracePeriodSeconds: 0 }));

  it("is asked as a user who is logged in", async () => {
    const fields = { url: "/tasks?status=todo", body: '{"title":"a"}', host: `${name}.${namespace}.svc` };
    const post = { method: "POST", body: { title: "a" }, expect: { status: 200, fields } } as const;
    expect(await through([test("/tasks?status=todo", post)])).toEqual(["200"]);
  });

  it("is asked by a process that has nothing else to do: golive waits for the answer, and ends", async () => {
    const script = `
      const { openColour } = await import(${JSON.stringify(join(places.root, "components/release/colour-tunnel.ts"))});
      const { KubeConfig } = await import("@kubernetes/client-node");
      const config = new KubeConfig();
      config.loadFromFile(${JSON.stringify(places.kubeconfig)});
      const tunnel = openColour(config, ${JSON.stringify(target)});
      const asked = { method: "GET", path: "/", headers: {}, body: undefined };
      const { status } = await tunnel.ask("backend", asked, AbortSignal.timeout(5000));
      await tunnel.close();
      console.log(status);`;
    const args = ["--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: places.root, timeout: 30_000 });
    expect(stdout).toBe("401\n");
  });

  it("that hangs is given up, and answers the next request", async () => {
    expect(await through([test("/hangs"), test("/")], "taskflow", 1_000)).toEqual(["no answer within 1 s", "200"]);
  });

  it("without a ready pod says which Service has none", async () => {
    expect(await through([test("/", { service: "frontend" }), test("/")])).toEqual([
      `no answer: Service taskflow-frontend-green in namespace ${namespace} has no ready pod`,
      "200",
    ]);
  });
});
