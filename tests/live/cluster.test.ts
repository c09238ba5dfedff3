import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { authority, issue } from "../../local/cluster/certificate.ts";
import { clusterLogs, clusterStatus, clusterUp } from "../../local/cluster/cluster.ts";
import { logNames } from "../../local/cluster/components.ts";
import { kubeconfigOf } from "../../local/cluster/kubeconfig.ts";
import { processNames, running } from "../../local/cluster/processes.ts";
import { gateway } from "../../local/gateway.ts";
import { stackImages } from "../../local/images/recipes.ts";
import { places } from "../../local/places.ts";
import { cloneElsewhere, golive } from "../support/clone.ts";

const silent = lineProgress(() => {});
const namespace = "cluster-test";
const apply = (objects: readonly object[]) =>
  kubectl(["apply", "--namespace", namespace, "--filename", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  });
const remove = (object: string) => kubectl(["delete", "--namespace", namespace, "--ignore-not-found", object]);
const ready = (object: string) =>
  kubectl(["wait", "--namespace", namespace, "--for=condition=Ready", "--timeout=60s", object]);

const securityContext = {
  runAsNonRoot: true,
  runAsUser: 999,
  runAsGroup: 999,
  fsGroup: 999,
  seccompProfile: { type: "RuntimeDefault" },
};
const restricted = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };

/** A pod with a volume of the default StorageClass at /data. */
function pod(image: string, container: object): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "one", labels: { app: "one" } },
    spec: {
      securityContext,
      terminationGracePeriodSeconds: 5,
      containers: [
        {
          name: "main",
          image,
          securityContext: restricted,
          volumeMounts: [
            { name: "data", mountPath: "/data" },
            { name: "run", mountPath: "/var/run/postgresql" },
            { name: "tmp", mountPath: "/tmp" },
          ],
          ...container,
        },
      ],
      volumes: [
        { name: "data", persistentVolumeClaim: { claimName: "data" } },
        { name: "run", emptyDir: {} },
        { name: "tmp", emptyDir: {} },
      ],
    },
  };
}

const claim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

beforeAll(async () => {
  await clusterUp(silent);
  await kubectl(["create", "namespace", namespace]);
  await kubectl(["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted"]);
});
afterAll(() => kubectl(["delete", "namespace", namespace, "--ignore-not-found"]));

describe("a cluster that runs", () => {
  it("is picked up as it is: nothing is built, imported or started", async () => {
    const identities = () => Promise.all(processNames.map((name) => running(name)));
    const before = await identities();
    expect(before).not.toContain(undefined);
    const said: string[] = [];
    const progress = lineProgress((line) => said.push(line));
    expect(await clusterUp(progress)).toEqual({ kubeconfig: places.kubeconfig, ours: true });
    // A process that was started anew has another number and start time; a build or an import is a stage of its own.
    expect(await identities()).toEqual(before);
    const stages = said.filter((line) => line.trim().startsWith("→"));
    expect(stages.sort()).toEqual(["→ control plane", "→ gateway, names, volumes, monitoring", "→ node"]);
  });

  it("is told component by component, each with its log", async () => {
    const status = await clusterStatus();
    expect(status.map(({ name, state }) => `${name} ${state}`)).toEqual(logNames.map((name) => `${name} running`));
    for (const name of logNames) {
      let text = "";
      await clusterLogs(name, (part) => {
        text += part;
      });
      expect(name === "etcd" || text.length > 0, name).toBe(true);
    }
    await expect(clusterLogs("nginx", () => {})).rejects.toThrow(/no log is called "nginx"; there are etcd, .*traefik/);
  });

  it("waits for another start of the same clone, and both end well", async () => {
    const both = await Promise.all([golive(places.root, ["local", "up"]), golive(places.root, ["local", "up"])]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
  });

  it("answers at the gateway, on loopback only", async () => {
    for (const port of [gateway.publicPort, gateway.internalPort]) {
      const response = await fetch(`http://${gateway.host}:${port}/`);
      expect(response.status).toBe(404);
      await response.text();
    }
    const listeners = await readFile("/proc/net/tcp", "utf8");
    const hex = gateway.publicPort.toString(16).toUpperCase();
    expect(listeners).toContain(`0100007F:${hex}`);
    expect(listeners).not.toContain(`00000000:${hex}`);
  });
});

describe("another clone on the same machine", () => {
  const other = cloneElsewhere();
  afterAll(() => other.remove());
  const ours = join(places.golive, "kubeconfig");

  it.each(["up", "down"])(
    "is told on %s whose cluster is in the way, how to use it and how to stop it",
    async (word) => {
      const { code, stderr } = await golive(other.root, ["local", word]);
      expect(stderr).toBe(
        `the cluster of another clone is in the way: ${places.root}\n` +
          `  use it:   GOLIVE_KUBECONFIG=${ours}\n` +
          `  stop it:  ${join(places.root, "golive")} local down\n`,
      );
      expect(code).toBe(2);
    },
  );

  it("uses it when GOLIVE_KUBECONFIG names it: builds and starts nothing", async () => {
    const { code, stdout, stderr } = await golive(other.root, ["local", "up"], { GOLIVE_KUBECONFIG: ours });
    expect({ code, stdout }, stderr).toEqual({
      code: 0,
      stdout: `KUBECONFIG=${join(other.root, ".golive", "kubeconfig")}\n`,
    });
    expect(await readdir(join(other.root, ".golive"))).toEqual(["kubeconfig"]);
    const namespaces = await kubectl([
      "--kubeconfig",
      join(other.root, ".golive", "kubeconfig"),
      "--context",
      "golive-production",
      "get",
      "namespaces",
    ]);
    expect(namespaces).toContain(namespace);
  });
});

describe("a cluster that GOLIVE_KUBECONFIG names", () => {
  const other = cloneElsewhere();
  let mute: Server;
  beforeAll(async () => {
    mute = createServer(() => {}).listen(0, "127.0.0.1");
    await once(mute, "listening");
  });
  afterAll(() => {
    mute.close();
    other.remove();
  });
  const up = async (text: string | undefined) => {
    const file = join(other.root, "given.yaml");
    if (text !== undefined) await writeFile(file, text);
    const { code, stderr } = await golive(other.root, ["local", "up"], { GOLIVE_KUBECONFIG: file });
    expect(code).toBe(2);
    expect(existsSync(join(other.root, ".golive", "kubeconfig"))).toBe(false);
    return { said: stderr.trim().split("\n").at(-1), file };
  };
  const at = (port: number) => `
current-context: mine
clusters: [{name: c, cluster: {server: "https://127.0.0.1:${port}"}}]
users: [{name: u, user: {token: none}}]
contexts: [{name: mine, context: {cluster: c, user: u}}]
`;

  it("is named when its file cannot be read, or its context leads nowhere", async () => {
    const missing = await up(undefined);
    expect(missing.said).toBe(
      `GOLIVE_KUBECONFIG names ${missing.file}, which cannot be read (ENOENT); give a kubeconfig file`,
    );
    const { said, file } = await up(at(1).replace("current-context: mine", "current-context: yours"));
    expect(said).toBe(
      `the current context "yours" of ${file} (GOLIVE_KUBECONFIG) names no cluster and user in it; its contexts: mine`,
    );
  });

  it("is named when its certificates cannot be read", async () => {
    const { said, file } = await up(at(1).replace("token: none", "client-certificate: me.crt, client-key: me.key"));
    expect(said).toContain(
      `the cluster of GOLIVE_KUBECONFIG (${file}, server https://127.0.0.1:1) cannot be asked: ENOENT`,
    );
    expect(said).toContain(join(other.root, "me.crt"));
  });

  it("is named when nothing listens, with the refusal and not as one that does not answer in time", async () => {
    const { said, file } = await up(at(1));
    expect(said).toBe(
      `the cluster of GOLIVE_KUBECONFIG (${file}, server https://127.0.0.1:1) does not answer: connect ECONNREFUSED 127.0.0.1:1; start it, or name another one`,
    );
  });

  it("is named when it does not answer, after ten seconds", async () => {
    const address = mute.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const { said, file } = await up(at(port));
    expect(said).toBe(
      `the cluster of GOLIVE_KUBECONFIG (${file}, server https://127.0.0.1:${port}) does not answer within 10 s; start it, or name another one`,
    );
  });
});

describe("a cluster of one's own that lacks something", () => {
  const other = cloneElsewhere();
  const ca = authority("given", 1);
  const own = issue(ca, { subject: { name: "server" }, hosts: ["127.0.0.1"], validDays: 1 });
  const answers: Record<string, unknown> = { "/version": {} };
  const server = createHttpsServer({ key: own.key, cert: own.certificate }, (request, response) => {
    const answer = answers[request.url ?? ""];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => {
    server.close();
    other.remove();
  });
  const up = async () => {
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const file = join(other.root, "given.yaml");
    const cluster = {
      server: `https://127.0.0.1:${port}`,
      "certificate-authority-data": Buffer.from(ca.certificate).toString("base64"),
    };
    await writeFile(file, JSON.stringify(kubeconfigOf({ cluster, user: { token: "none" } })));
    return await golive(other.root, ["local", "up"], { GOLIVE_KUBECONFIG: file });
  };

  it("is told which CRDs of the Gateway API", async () => {
    const { code, stderr } = await up();
    expect(code).toBe(2);
    const names = ["gatewayclasses", "gateways", "httproutes"].map((kind) => `${kind}.gateway.networking.k8s.io`);
    expect(stderr).toContain(`lacks CRDs of the Gateway API: ${names.join(", ")}. Install `);
  });

  it("is told which CRD of the Prometheus operator", async () => {
    const has = (...names: readonly string[]) => ({ resources: names.map((name) => ({ name })) });
    answers["/apis/gateway.networking.k8s.io/v1"] = has("gatewayclasses", "gateways", "httproutes");
    const all = ["alertmanagers", "podmonitors", "probes", "prometheuses", "prometheusrules", "servicemonitors"];
    answers["/apis/monitoring.coreos.com/v1"] = has(...all.slice(1));
    const { code, stderr } = await up();
    expect(code).toBe(2);
    expect(stderr).toContain(
      "lacks a CRD of the Prometheus operator: alertmanagers.monitoring.coreos.com. Install the operator with its CRDs (version 0.85.0 was tried).",
    );
    answers["/apis/monitoring.coreos.com/v1"] = has(...all);
  });

  it("is told which images on which node, and how to load them", async () => {
    answers["/api/v1/nodes"] = { items: [{ metadata: { name: "worker-1" }, status: { images: [] } }] };
    const { code, stderr } = await up();
    expect(code).toBe(2);
    expect(stderr).toContain(`  node worker-1: ${stackImages.join(", ")}\n`);
    expect(stderr).toContain("golive local images golive-images.tar");
    expect(stderr).toContain("ctr -n k8s.io images import golive-images.tar");
  });
});

describe("someone who is not root", () => {
  // In this process: another user might not even reach the checkout's folder.
  it("is told so before anything is touched", async () => {
    const getuid = vi.spyOn(process, "getuid").mockReturnValue(65534);
    try {
      await expect(clusterUp(silent)).rejects.toThrow(
        "the throw-away cluster needs root (namespaces, mounts, network); this is user 65534. " +
          "Start it as root, or name a cluster of your own: GOLIVE_KUBECONFIG=FILE.",
      );
    } finally {
      getuid.mockRestore();
    }
  });
});

describe("a pod under Pod Security restricted", () => {
  it("runs PostgreSQL as the official image does: reached by name, by port-forward and exec, with a log", async () => {
    const environment = {
      POSTGRES_USER: "owner",
      POSTGRES_PASSWORD: "it's a secret",
      POSTGRES_DB: "shop",
      PGDATA: "/data/pg",
    };
    const env = Object.entries(environment).map(([name, value]) => ({ name, value }));
    const server = pod("golive.local/postgres:15", {
      env,
      args: ["-c", "max_connections=17"],
      ports: [{ containerPort: 5432 }],
      readinessProbe: { exec: { command: ["pg_isready", "-h", "127.0.0.1"] }, periodSeconds: 1 },
    });
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "db" },
      spec: { selector: { app: "one" }, ports: [{ port: 5432 }] },
    };
    await apply([claim, service, server]);
    await ready("pod/one");

    const psql = ["env", "PGPASSWORD=it's a secret", "psql", "--host=db", "--username=owner", "--dbname=shop", "-Atc"];
    const query = (sql: string) => kubectl(["exec", "--namespace", namespace, "one", "--", ...psql, sql]);
    // A Service knows its pod a moment after it is ready.
    await expect.poll(() => query("SHOW max_connections").catch(String), { timeout: 5000 }).toBe("17\n");
    expect(await query("SELECT current_database(), rolsuper FROM pg_roles WHERE rolname = current_user")).toBe(
      "shop|t\n",
    );
    expect(await query("SHOW password_encryption")).toBe("scram-sha-256\n");
    await query("CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");
    expect(await kubectl(["logs", "--namespace", namespace, "one"])).toContain(
      "database system is ready to accept connections",
    );
    await forwarded("service/db", 5432);

    // The same claim again: what was written is still there, and the superuser is not made anew.
    await remove("pod/one");
    await apply([server]);
    await ready("pod/one");
    await expect.poll(() => query("SELECT n FROM kept").catch(String), { timeout: 5000 }).toBe("42\n");
  });

  it("gives a deleted claim's directory back, and the next claim an empty one", async () => {
    await remove("pod/one");
    await remove("persistentvolumeclaim/data");
    const claimants = () => kubectl(["get", "persistentvolumes", "-o=jsonpath={.items[*].spec.claimRef.namespace}"]);
    await expect.poll(claimants, { timeout: 20_000 }).not.toContain(namespace);
    const list = pod("golive.local/redis:7", {
      command: ["sh", "-c", "ls -A /data && touch /data/mine && exec redis-server --save '' --dir /data"],
      readinessProbe: { exec: { command: ["redis-cli", "ping"] }, periodSeconds: 1 },
    });
    await apply([claim, list]);
    await ready("pod/one");
    const [first] = (await kubectl(["logs", "--namespace", namespace, "one"])).split("\n");
    expect(first).toContain("Redis");
  });
});

async function forwarded(target: string, port: number): Promise<void> {
  const local = 18099;
  const args = [
    "--kubeconfig",
    places.kubeconfig,
    "port-forward",
    "--namespace",
    namespace,
    target,
    `${local}:${port}`,
  ];
  const child = spawn(join(places.bin, "kubectl"), args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    await promisify(execFile)("bash", ["-c", `exec 3<>/dev/tcp/127.0.0.1/${local}`]);
  } finally {
    child.kill();
    await once(child, "exit");
  }
}
