import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { openCluster } from "../../rollout/cluster.ts";
import { recordData } from "../../rollout/schema/schema-record.ts";
import { ApiServers, answerJson, deploymentsPath, notFound, routeAnswer, schemaPath } from "../support/api-server.ts";
import { routeObject, schemaRecord, told } from "../support/live.ts";

const servers = new ApiServers();
afterEach(async () => {
  vi.useRealTimers();
  await servers.stop();
});
afterAll(() => servers.remove());

const target = (path: string, context = "golive-local") => ({
  context,
  kubeconfig: path,
  namespace: "local",
  application: "taskflow",
});

describe("what is live in a cluster", () => {
  it("is the public route and the Deployments of both colours", async () => {
    const server = await servers.serve(routeAnswer(200, routeObject({ told: told({ candidateTraffic: 10 }) })));
    const { route, colours } = await openCluster(target(servers.kubeconfig(server))).observe();
    expect(route).toMatchObject({ told: told({ candidateTraffic: 10 }), exposure: { blue: 90, green: 10 }, edits: [] });
    expect(colours).toEqual({
      blue: {
        backend: { replicas: 3, ready: 2, settled: false, release: "1.0.0-aaaa" },
        frontend: { replicas: 3, ready: 2, settled: false, release: "1.0.0-aaaa" },
      },
      green: { backend: { replicas: 1, ready: 1, settled: true, release: "2.0.0-bbbb" } },
    });
  });

  it("may be no route at all: the first run", async () => {
    const server = await servers.serve(routeAnswer(404, notFound));
    expect((await openCluster(target(servers.kubeconfig(server))).observe()).route).toBe(undefined);
  });

  it("is the schema as last applied, where that was recorded", async () => {
    const record = schemaRecord({ outdated: ["0.9.0-zzzz"] });
    const server = await servers.serve(routeAnswer(200, routeObject({}), { schema: recordData(record) }));
    expect((await openCluster(target(servers.kubeconfig(server))).observe()).schema).toEqual(record);
  });

  it("is no schema before the first migration, whether there is a namespace or not", async () => {
    const server = await servers.serve(routeAnswer(200, routeObject({})));
    expect((await openCluster(target(servers.kubeconfig(server))).observe()).schema).toBe(undefined);
  });

  it("is not guessed from a record that somebody edited", async () => {
    const schema = { "000_base.sql": "applied" };
    const server = await servers.serve(routeAnswer(200, routeObject({}), { schema }));
    await expect(openCluster(target(servers.kubeconfig(server))).observe()).rejects.toThrow(
      'ConfigMap taskflow-schema in namespace local: 000_base.sql is "applied"; it should be "expand" or "contract", and a SHA-256 sum\nPut it right by hand',
    );
  });
});

describe("the result of a migrations Job", () => {
  const job = "taskflow-migrate-0123456789";
  const result = {
    version: "000",
    applied: { "000_base.sql": 310 },
    held: [],
    indexes: 44,
    policies: 30,
    tables: 12,
    durationMs: 1800,
  };
  const terminated = { message: JSON.stringify(result), exitCode: 0 };
  const pods = [
    {
      metadata: { name: `${job}-x7x7x` },
      status: { phase: "Succeeded", containerStatuses: [{ name: "migrate", state: { terminated } }] },
    },
  ];

  it("is read from the pod of that Job", async () => {
    const server = await servers.serve(routeAnswer(200, {}, { job: { name: job, pods } }));
    const cluster = openCluster(target(servers.kubeconfig(server)));
    expect(await cluster.migrationResult(job)).toEqual(result);
    expect(await cluster.migrationResult("taskflow-migrate-another")).toBe(undefined);
  });

  it("names the cluster when it cannot be read", async () => {
    const server = await servers.serve((_, answer) => answerJson(answer, 403, { message: "forbidden" }));
    await expect(openCluster(target(servers.kubeconfig(server))).migrationResult(job)).rejects.toThrow(
      `cannot read the result of Job ${job} in cluster "golive-local" (${server}): it answered 403: {"message":"forbidden"}\nThe migrations are applied. Is the cluster up, and may this kubeconfig read Pods? Then \`pulumi up\` again.`,
    );
  });
});

describe("a cluster that cannot be read is named before anything is touched:", () => {
  it("the kubeconfig does not exist", () => {
    const path = join(servers.folder, "nowhere");
    expect(() => openCluster(target(path))).toThrow(`cannot read the kubeconfig ${path}: ENOENT`);
  });

  it("the context does not exist, and which ones do", () => {
    const path = servers.kubeconfig("http://127.0.0.1:1", ["staging", "production"]);
    expect(() => openCluster(target(path, "golive-local"))).toThrow(
      'golive:cluster.context  got "golive-local"; this kubeconfig has: staging, production',
    );
    expect(() => openCluster(target(servers.kubeconfig("http://127.0.0.1:1", [])))).toThrow(
      "this kubeconfig has: no contexts",
    );
  });

  it("it lacks the Gateway API: the CRDs are named", async () => {
    const server = await servers.serve((request, answer) => {
      if (request.url?.startsWith(deploymentsPath)) return answerJson(answer, 200, { items: [] });
      if (request.url === schemaPath) return answerJson(answer, 404, notFound);
      answer.writeHead(404, { "content-type": "text/plain" });
      answer.end("404 page not found\n");
    });
    await expect(openCluster(target(servers.kubeconfig(server))).observe()).rejects.toThrow(
      `cluster "golive-local" (${server}) does not know httproutes.gateway.networking.k8s.io/v1: install the Gateway API CRDs (standard channel, v1.0 or newer) and a controller for them`,
    );
  });

  it("it refuses connections", async () => {
    const server = await servers.serve(() => {});
    await servers.stop();
    await expect(openCluster(target(servers.kubeconfig(server))).observe()).rejects.toThrow(
      new RegExp(
        `^cannot read what is live in cluster "golive-local" \\(${server}\\): .*ECONNREFUSED.*\nNothing was touched. Is the cluster up, and may this kubeconfig read HTTPRoutes, Deployments and ConfigMaps\\?$`,
      ),
    );
  });

  it("it forbids the reading", async () => {
    const server = await servers.serve((_, answer) =>
      answerJson(answer, 403, { kind: "Status", message: "forbidden" }),
    );
    await expect(openCluster(target(servers.kubeconfig(server))).observe()).rejects.toThrow(
      `cannot read what is live in cluster "golive-local" (${server}): it answered 403: {"kind":"Status","message":"forbidden"}`,
    );
  });

  it("it never answers: after 10 s", async () => {
    const arrived = Promise.withResolvers<void>();
    const server = await servers.serve(() => arrived.resolve());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const cluster = openCluster(target(servers.kubeconfig(server)));
    const observing = cluster.observe();
    const refused = expect(observing).rejects.toThrow(
      `cannot read what is live in cluster "golive-local" (${server}): no answer within 10 s`,
    );
    await arrived.promise;
    await vi.advanceTimersByTimeAsync(10_000);
    await refused;
  });
});
