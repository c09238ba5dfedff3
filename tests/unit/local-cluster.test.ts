import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { absolutePaths, missingImages } from "../../local/cluster/existing.ts";
import { kubeconfigOf } from "../../local/cluster/kubeconfig.ts";
import { ofCluster, ourRules, removeEmpty, tablesIn } from "../../local/cluster/machine.ts";
import { systemManifests } from "../../local/cluster/manifests.ts";
import { isMeasured } from "../../local/cluster/node-config.ts";
import { blockOf, listenersIn, overlap, routesIn } from "../../local/cluster/preflight.ts";
import { identify, isAlive, startedOf, stop } from "../../local/cluster/processes.ts";
import { mirrorIn } from "../../local/debian/mirror.ts";
import { newEnough, withOtherImports } from "../../local/go/build.ts";
import { imageRecipes, stackImages } from "../../local/images/recipes.ts";
import { stackSettings } from "../support/platform.ts";

describe("the identity of a process", () => {
  const fields = (state: string) => [state, ...Array.from({ length: 18 }, () => "1"), "4711", "9"].join(" ");

  it("is read from the kernel's line, whatever the program is called", () => {
    expect(startedOf(`12 (node) ${fields("S")}`)).toBe(4711);
    expect(startedOf(`12 (evil) S 1 (name) ${fields("R")}`)).toBe(4711);
  });

  it("is none for a process that has ended and was not collected", () => {
    expect(startedOf(`12 (node) ${fields("Z")}`)).toBeUndefined();
  });

  it("is not that of a later process with the same number, nor of one before a reboot", () => {
    const self = identify(process.pid);
    if (self === undefined) throw new Error("this process is not in /proc");
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, started: self.started - 1 })).toBe(false);
    expect(isAlive({ ...self, boot: "another" })).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });

  it("is what stop goes by: one that ignores SIGTERM ends by force, a stranger with the number stays", async () => {
    const child = spawn(
      process.execPath,
      ["-e", "process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 1000)"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(child.stdout, "data");
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error("the child is not in /proc");
    await stop([{ ...identity, started: identity.started + 1 }], 0);
    expect(isAlive(identity)).toBe(true);
    const ended = once(child, "exit");
    await stop([identity], 0.1);
    expect(await ended).toEqual([null, "SIGKILL"]);
  });
});

describe("what keeps a cluster from starting", () => {
  const tcp = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:46A0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0",
    "   1: 0100007F:46A1 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0 0 10 0",
  ].join("\n");

  it("is a listening port, not a connection that uses one", () => {
    expect(listenersIn(tcp)).toEqual([[18080, "4242"]]);
  });

  const route = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t010002C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "tun0\t0000D50A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "eth0\t000002C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
  ].join("\n");

  it("is a route to the cluster's addresses, but not the default route", () => {
    const routes = routesIn(route);
    expect(routes.map(({ device }) => device)).toEqual(["tun0", "eth0"]);
    const clashing = routes.filter(({ block }) => overlap(block, blockOf("10.213.0.0/22")));
    expect(clashing).toEqual([{ device: "tun0", block: blockOf("10.213.0.0/16") }]);
  });

  it.each([
    ["10.213.0.0/22", "10.213.3.0/24", true],
    ["10.213.0.0/22", "10.213.4.0/24", false],
    ["10.213.0.0/22", "10.0.0.0/8", true],
    ["255.0.0.0/8", "10.213.0.0/22", false],
  ])("%s and %s overlap: %s", (one, other, expected) => {
    expect(overlap(blockOf(one), blockOf(other))).toBe(expected);
  });

  it.each([
    ["go1.26.0", true],
    ["go1.27rc1", true],
    ["go2.0", true],
    ["go1.25.9", false],
    ["", false],
  ])("Go %j is new enough: %s", (version, expected) => {
    expect(newEnough(version)).toBe(expected);
  });
});

describe("a program that is built without a part of it", () => {
  it("imports what is wanted of that part in its place", () => {
    const source = 'import (\n\t"os"\n\t_ "a/plugins" // All of them.\n\t_ "a/plugins/more"\n)\n';
    expect(withOtherImports(source, "a/plugins", ["a/one", "a/two"])).toBe(
      'import (\n\t"os"\n\t_ "a/one"\n\t_ "a/two" // All of them.\n\t_ "a/plugins/more"\n)\n',
    );
  });
});

describe("how full volumes are", () => {
  it.each([
    ["ext4", true, 0xef53],
    ["overlay", true, 0x794c7630],
    ["9p, where the kubelet would not start if it were told to", false, 0x01021997],
  ])("is measured on %s: %s", (_, expected, type) => {
    expect(isMeasured(type)).toBe(expected);
  });
});

describe("what the cluster closes to the outside", () => {
  it("is every port that pods may reach but no one else: the API server's and the gateway's for pods", () => {
    const rule = 'iifname != "lo" tcp dport { 16443, 18083, 18084 } ip saddr != 10.213.0.0/22 drop';
    expect(ourRules()).toContain(rule);
  });
});

describe("what is taken back of the machine", () => {
  const tables = tablesIn("table inet golive\ntable ip kube-proxy\ntable ip6 kube-proxy\ntable inet firewall\n");

  it("is a kube-proxy's rules only when one was started here", () => {
    expect(ofCluster(tables, false)).toEqual([["inet", "golive"]]);
    expect(ofCluster(tables, true)).toEqual([
      ["inet", "golive"],
      ["ip", "kube-proxy"],
      ["ip6", "kube-proxy"],
    ]);
  });

  it("is a directory only while it is empty", async () => {
    const directory = await mkdtemp(join(tmpdir(), "golive-machine-"));
    const file = join(directory, "somebody's");
    await writeFile(file, "");
    expect(await removeEmpty(directory)).toBe(false);
    await rm(file);
    expect(await removeEmpty(directory)).toBe(true);
    expect(await removeEmpty(directory)).toBe(true);
  });
});

describe("the Debian mirror", () => {
  it("is the main archive's, whatever else the machine takes packages from", () => {
    const lines = "https://vendor.example/apt/ nodistro\nhttp://mirror.example/debian-security/ bookworm-security\n";
    expect(mirrorIn(lines)).toBeUndefined();
    expect(mirrorIn(`${lines}http://mirror.example/debian/ trixie\n`)).toBe("http://mirror.example/debian/");
  });
});

describe("a cluster of one's own", () => {
  it("lacks the images that a node does not report, named for each node", () => {
    const all = { metadata: { name: "full" }, status: { images: stackImages.map((name) => ({ names: [name] })) } };
    const some = { metadata: { name: "new" }, status: { images: [{ names: ["golive.local/redis:7", "x@sha256:1"] }] } };
    const without = stackImages.filter((name) => name !== "golive.local/redis:7");
    const cordoned = { ...some, metadata: { name: "cordoned" }, spec: { unschedulable: true } };
    const found = missingImages({ items: [all, some, cordoned] });
    expect(found).toEqual({ missing: new Map([["new", without]]), unknown: new Map() });
  });

  it("may have images that a node leaves out of a full report", () => {
    const images = Array.from({ length: 50 }, (_, index) => ({ names: [`large:${index}`] }));
    const found = missingImages({ items: [{ metadata: { name: "busy" }, status: { images } }] });
    expect(found).toEqual({ missing: new Map(), unknown: new Map([["busy", stackImages]]) });
  });

  it("is found from another file: relative paths become absolute, everything else stays", () => {
    const entry = { "client-key": "keys/me.key", "client-certificate": "/abs/me.crt", token: "a/b" };
    expect(absolutePaths(entry, "/home/me")).toEqual({ ...entry, "client-key": "/home/me/keys/me.key" });
  });
});

describe("the kubeconfig", () => {
  it("has a context for each environment, all of the same cluster", () => {
    const config = kubeconfigOf({ cluster: { server: "https://127.0.0.1:1" }, user: { token: "t" } });
    expect(config).toEqual({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "golive-local",
      clusters: [{ name: "golive", cluster: { server: "https://127.0.0.1:1" } }],
      users: [{ name: "golive", user: { token: "t" } }],
      contexts: ["golive-local", "golive-staging", "golive-production"].map((name) => ({
        name,
        context: { cluster: "golive", user: "golive" },
      })),
    });
  });
});

describe("what runs in the cluster before the product", () => {
  const manifests = JSON.parse(JSON.stringify(systemManifests()));
  const find = (kind: string, name: string) =>
    manifests.find(
      (one: { kind: string; metadata: { name: string } }) => one.kind === kind && one.metadata.name === name,
    );

  it("is a Gateway with a public and an internal listener that take routes of every namespace", () => {
    const allowedRoutes = { namespaces: { from: "All" } };
    expect(find("Gateway", "golive").spec.listeners).toEqual([
      { name: "public", port: 18080, protocol: "HTTP", allowedRoutes },
      { name: "internal", port: 18081, protocol: "HTTP", allowedRoutes },
    ]);
  });

  it("is a gateway on loopback, and for pods on the node's own address, that tries a request once", () => {
    const { args } = find("Deployment", "traefik").spec.template.spec.containers[0];
    const addresses = args.filter((arg: string) => arg.includes(".address="));
    expect(addresses).toEqual([
      "--entrypoints.public.address=127.0.0.1:18080",
      "--entrypoints.internal.address=127.0.0.1:18081",
      "--entrypoints.ping.address=127.0.0.1:18082",
      "--entrypoints.inside.address=10.213.2.1:18084",
      "--entrypoints.metrics.address=10.213.2.1:18083",
    ]);
    expect(args.join(" ")).not.toContain("retry");
  });

  it("is a way for pods to the public listener: its connections, passed on as they are", () => {
    const routes = JSON.parse(find("ConfigMap", "traefik").data["inside.json"]);
    expect(routes).toEqual({
      tcp: {
        routers: { public: { entryPoints: ["inside"], rule: "HostSNI(`*`)", service: "public" } },
        services: { public: { loadBalancer: { servers: [{ address: "127.0.0.1:18080" }] } } },
      },
    });
    expect(find("Service", "traefik").spec.ports).toEqual([{ name: "http", port: 80, targetPort: "inside" }]);
  });

  it("is a gateway whose metrics are found as a stack looks for them by default", () => {
    const { gateway } = stackSettings("local").monitoring;
    const { metadata, spec } = find("Deployment", "traefik").spec.template;
    expect(metadata.labels).toMatchObject(gateway.podLabels);
    expect(spec.containers[0].ports).toContainEqual({ name: gateway.port, containerPort: 18083 });
  });

  it("is a default StorageClass, so that a claim needs to name none, and one whose volumes can be full", () => {
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    expect(find("StorageClass", "golive").metadata).toEqual({ name: "golive", annotations });
    expect(find("StorageClass", "golive-bounded").metadata).toEqual({ name: "golive-bounded", annotations: {} });
  });

  it("is the Prometheus operator, under Pod Security restricted, with a reloader that is there", () => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    expect(find("Namespace", "monitoring-operator").metadata.labels).toEqual(labels);
    const [operator] = find("Deployment", "prometheus-operator").spec.template.spec.containers;
    const made = imageRecipes.map(({ name }) => name);
    expect(made).toContain(operator.image);
    const [reloader] = operator.args.filter((arg: string) => arg.startsWith("--prometheus-config-reloader="));
    expect(made).toContain(reloader.split("=")[1]);
  });
});
