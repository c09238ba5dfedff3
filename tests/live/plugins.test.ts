import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { kubectl, tryKubectl } from "./plugins/kubectl.ts";
import { PluginStack } from "./plugins/plugin-stack.ts";
import { descendants, isRunning } from "./plugins/processes.ts";
import type { PlannedResource } from "./plugins/program/plan.ts";

const configMap = (name: string, data: object, more: object = {}): PlannedResource => ({
  type: "core.v1.ConfigMap",
  name,
  args: { metadata: { name, ...more }, data },
});

const mutable = { enableConfigMapMutable: true, enableSecretMutable: true };

describe("the plugins of the engine", () => {
  let stack: PluginStack;
  const get = (kind: string, name: string, path: string) =>
    kubectl("get", kind, name, "-n", stack.namespace, "-o", `jsonpath=${path}`);

  beforeAll(async () => {
    stack = await PluginStack.open();
    await stack.succeed();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    await stack.plan([]);
    await stack.succeed();
  });

  describe("a change", () => {
    it("is shown by its fields in the preview, made in place, and then no change any more", async () => {
      await stack.plan([configMap("settings", { level: "info", zone: "a" })], { provider: mutable });
      expect(await stack.steps()).toEqual({ settings: "create" });
      await stack.succeed();
      expect((await stack.preview("--expect-no-changes")).code).toBe(0);
      const uid = await get("configmap", "settings", "{.metadata.uid}");

      await stack.plan([configMap("settings", { level: "debug", mode: "x" })], { provider: mutable });
      const preview = await stack.preview();
      expect(preview.text).toContain('~ level: "info" => "debug"');
      expect(preview.text).toContain('+ mode : "x"');
      expect(preview.text).toContain('- zone : "a"');
      await stack.succeed();
      expect(JSON.parse(await get("configmap", "settings", "{.data}"))).toEqual({ level: "debug", mode: "x" });
      expect(await get("configmap", "settings", "{.metadata.uid}")).toBe(uid);
      expect((await stack.preview("--expect-no-changes")).code).toBe(0);
    });

    it("of a quantity's spelling is none", async () => {
      const quota = (memory: string): PlannedResource => ({
        type: "core.v1.ResourceQuota",
        name: "quota",
        args: { metadata: { name: "quota" }, spec: { hard: { "requests.memory": memory, pods: 5 } } },
      });
      await stack.plan([quota("2048Mi")]);
      await stack.succeed();
      await stack.plan([quota("2Gi")]);
      expect(await stack.steps()).toEqual({});
    });

    it("of data replaces a ConfigMap that is not declared mutable, the old one first as the name is fixed", async () => {
      await stack.plan([configMap("fixed", { a: "1" })]);
      await stack.succeed();
      await stack.plan([configMap("fixed", { a: "2" })]);
      const { text } = await stack.preview();
      expect(text).toMatch(/fixed|ConfigMap: \(delete-replaced\)/);
      expect((await stack.steps()).fixed).toMatch(/replace/);
      await stack.succeed();
      expect(await get("configmap", "fixed", "{.data.a}")).toBe("2");
    });

    it("of a selector replaces a Deployment; of the replicas it does not", async () => {
      await stack.plan([deployment("web", { replicas: 0 })]);
      await stack.succeed();
      await stack.plan([deployment("web", { replicas: 0, revisionHistoryLimit: 3 })]);
      expect(await stack.steps()).toEqual({ web: "update" });
      await stack.plan([deployment("web", { replicas: 0, label: "other" })]);
      expect((await stack.steps()).web).toMatch(/replace/);
    });

    it("of a Job's template replaces it", async () => {
      await stack.plan([job("once", "exit 0")]);
      await stack.succeed();
      await stack.plan([job("once", "exit 0; true")]);
      expect((await stack.steps()).once).toMatch(/replace/);
      await stack.succeed();
      expect(await get("job", "once", "{.status.succeeded}")).toBe("1");
    });

    it("of an ignored field is none, and the field stays as it is when another one changes", async () => {
      const ignoring = (data: object): PlannedResource => ({
        ...configMap("shared", data),
        options: { ignoreChanges: ["data.theirs"] },
      });
      await stack.plan([ignoring({ ours: "1", theirs: "1" })], { provider: mutable });
      await stack.succeed();
      await kubectl(
        "patch",
        "configmap",
        "shared",
        "-n",
        stack.namespace,
        "--type=merge",
        "-p",
        '{"data":{"theirs":"5"}}',
      );
      await stack.plan([ignoring({ ours: "2", theirs: "2" })], { provider: mutable });
      await stack.succeed();
      expect(JSON.parse(await get("configmap", "shared", "{.data}"))).toEqual({ ours: "2", theirs: "5" });
    });
  });

  describe("a name", () => {
    it("is made of the resource's when none is given, kept from then on, and new for a replacement", async () => {
      const unnamed = (a: string): PlannedResource => ({
        type: "core.v1.ConfigMap",
        name: "auto",
        args: { data: { a } },
      });
      const outputs = { name: "auto.metadata.name" };
      await stack.plan([unnamed("1")], { outputs });
      await stack.succeed();
      const first = await stack.output("name");
      expect(first).toMatch(/^auto-[0-9a-f]{8}$/);
      expect((await stack.preview("--expect-no-changes")).code).toBe(0);
      await stack.plan([unnamed("2")], { outputs });
      await stack.succeed();
      const second = await stack.output("name");
      expect(second).toMatch(/^auto-[0-9a-f]{8}$/);
      expect(second).not.toBe(first);
      expect(await tryKubectl("get", "configmap", String(first), "-n", stack.namespace)).toContain("not found");
    });
  });

  describe("an object that is there already", () => {
    const created = (name: string, a: string) => {
      const object = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: stack.namespace },
        data: { a },
      };
      return kubectl.withInput(JSON.stringify(object), "create", "-f", "-");
    };

    it("is not taken over by a create, which says how to adopt it", async () => {
      await created("theirs", "1");
      await stack.plan([configMap("theirs", { a: "2" })]);
      const run = await stack.up();
      expect(run.code).not.toBe(0);
      expect(run.text).toMatch(/already exists/);
      expect(run.text).toMatch(/import/);
      expect(await get("configmap", "theirs", "{.data.a}")).toBe("1");
    });

    it("is adopted by the import option, and then managed", async () => {
      await created("adopted", "1");
      const adopted = { ...configMap("adopted", { a: "1" }), options: { import: `${stack.namespace}/adopted` } };
      await stack.plan([adopted], { provider: mutable });
      await stack.succeed();
      await stack.plan([configMap("adopted", { a: "2" })], { provider: mutable });
      await stack.succeed();
      expect(await get("configmap", "adopted", "{.data.a}")).toBe("2");
    });

    it("is written over where the provider is told to upsert", async () => {
      await created("upserted", "1");
      const provider = { ...mutable, upsertExistingObjects: true, enablePatchForce: true };
      await stack.plan([configMap("upserted", { a: "2" })], { provider });
      await stack.succeed();
      expect(await get("configmap", "upserted", "{.data.a}")).toBe("2");
    });

    it("can be read without being managed", async () => {
      const read: PlannedResource = { type: "core.v1.Service", name: "api", args: {}, get: "default/kubernetes" };
      await stack.plan([read], { outputs: { port: "api.spec.ports.0.port" } });
      await stack.succeed();
      expect(await stack.output("port")).toBe(443);
    });
  });

  describe("a field that another manager has applied", () => {
    const conflicting = async () => {
      const theirs = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "contested", namespace: stack.namespace },
        data: { a: "theirs" },
      };
      await kubectl.withInput(
        JSON.stringify(theirs),
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=somebody",
        "-f",
        "-",
      );
    };

    it("is not overwritten, and its owner is named", async () => {
      await stack.plan([configMap("contested", { a: "1" })], { provider: mutable });
      await stack.succeed();
      await conflicting();
      await stack.plan([configMap("contested", { a: "2" })], { provider: mutable });
      const run = await stack.up();
      expect(run.code).not.toBe(0);
      expect(run.text).toMatch(/conflict/);
      expect(run.text).toContain('"somebody"');
      expect(await get("configmap", "contested", "{.data.a}")).toBe("theirs");
      // The next run tries again: what was refused is not taken for done.
      expect(await stack.steps().catch(String)).not.toEqual({});
    });

    it("is taken over where the object says so", async () => {
      const force = { annotations: { "pulumi.com/patchForce": "true" } };
      await stack.plan([configMap("contested", { a: "1" }, force)], { provider: mutable });
      await stack.succeed();
      await conflicting();
      await stack.plan([configMap("contested", { a: "2" }, force)], { provider: mutable });
      await stack.succeed();
      expect(await get("configmap", "contested", "{.data.a}")).toBe("2");
    });
  });

  describe("a wait", () => {
    it("ends when a Deployment's pods are available, and a Service's are ready", async () => {
      const service: PlannedResource = {
        type: "core.v1.Service",
        name: "web",
        args: { metadata: { name: "web" }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } },
      };
      await stack.plan([deployment("web", { replicas: 2, command: "sleep 600" }), service]);
      await stack.succeed();
      expect(await get("deployment", "web", "{.status.availableReplicas}")).toBe("2");
    });

    it("for pods that cannot start fails after its time limit with their reason, keeps the state, and is tried again", async () => {
      const options = { customTimeouts: { create: "8s", update: "30s" } };
      await stack.plan([{ ...deployment("broken", { replicas: 1, image: "golive.local/missing:1" }), options }]);
      const run = await stack.up();
      expect(run.code).not.toBe(0);
      expect(run.text).toMatch(/broken.*timed out waiting to be ready/i);
      expect(run.text).toMatch(/ErrImagePull|ImagePullBackOff|ErrImageNeverPull/);
      // The time limit is the resource's own, not the ten minutes of one that names none.
      if (stack.standIns) expect(run.text).toContain("timed out waiting to be ready after 8 s");
      expect(await stack.state()).toContain("kubernetes:apps/v1:Deployment::broken");
      await stack.plan([{ ...deployment("broken", { replicas: 1, command: "sleep 600" }), options }]);
      expect(await stack.steps()).toEqual({ broken: "update" });
      await stack.succeed();
    });

    it("for a Job that fails ends at once with the reason", async () => {
      await stack.plan([job("fails", "exit 3")]);
      const run = await stack.up();
      expect(run.code).not.toBe(0);
      expect(run.text).toMatch(/BackoffLimitExceeded/);
      expect(run.text).not.toMatch(/timed out/i);
    });

    it("ends when pulumi.com/waitFor is met, and fails with what is there instead when it is not", async () => {
      const waiting = (expectation: string) =>
        configMap(
          "waited",
          { ready: "yes" },
          { annotations: { "pulumi.com/waitFor": expectation, "pulumi.com/timeoutSeconds": "3" } },
        );
      await stack.plan([waiting("jsonpath={.data.ready}=yes")]);
      await stack.succeed();
      await stack.plan([waiting('["jsonpath={.data.ready}", "jsonpath={.data.ready}=no"]')]);
      const run = await stack.up();
      expect(run.code).not.toBe(0);
      expect(run.text).toMatch(/timed out/);
      expect(run.text).toContain('waiting for {.data.ready} to be "no": it is "yes"');
    });

    it("is left out where pulumi.com/skipAwait says so", async () => {
      const skipping = deployment(
        "skipped",
        { replicas: 1, image: "golive.local/missing:1" },
        { "pulumi.com/skipAwait": "true" },
      );
      await stack.plan([skipping]);
      // Its image is not there: a wait could only fail.
      await stack.succeed();
      expect(await get("deployment", "skipped", "{.status.availableReplicas}")).toBe("");
    });

    const endless = (name: string) => deployment(name, { replicas: 1, image: "golive.local/missing:1" });
    const isThere = (name: string) =>
      expect
        .poll(() => tryKubectl("get", "deployment", name, "-n", stack.namespace), { timeout: 20_000 })
        .not.toContain("not found");

    it("ends on Ctrl-C, with the state kept", async () => {
      await stack.plan([endless("interrupted")]);
      const { done, end } = stack.start("up", "--yes", "--skip-preview");
      await isThere("interrupted");
      end("SIGINT");
      const run = await done;
      expect(run.code).not.toBe(0);
      expect(run.text).not.toMatch(/timed out/i);
      expect(await stack.state()).toContain("kubernetes:apps/v1:Deployment::interrupted");
    });

    it("ends with an engine that is killed, whose plugins and program end with it", async () => {
      await stack.plan([endless("killed")]);
      const { done, pid, end } = stack.start("up", "--yes", "--skip-preview");
      await isThere("killed");
      const children = await descendants(pid);
      expect(children.length).toBeGreaterThanOrEqual(3);
      end("SIGKILL");
      await done;
      await expect.poll(() => children.filter(isRunning), { timeout: 10_000 }).toEqual([]);
      expect((await stack.run("cancel", "--yes")).code).toBe(0);
      await kubectl("delete", "deployment", "killed", "-n", stack.namespace);
      expect((await stack.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")).code).toBe(0);
    });
  });

  describe("a secret", () => {
    it("is in clear neither in the preview nor in the state, wherever it stands", async () => {
      const resources: PlannedResource[] = [
        { type: "random.RandomPassword", name: "password", args: { length: 24, special: false } },
        {
          type: "core.v1.Secret",
          name: "login",
          args: { metadata: { name: "login" }, stringData: { password: { $of: "password.result" } } },
        },
        configMap("leaky", { given: { $secret: "correct-horse-battery" } }),
      ];
      await stack.plan(resources, { outputs: { password: "password.result" } });
      const run = await stack.succeed();
      const password = String(await stack.output("password", "--show-secrets"));
      expect(password).toMatch(/^[A-Za-z0-9]{24}$/);
      const inCluster = Buffer.from(await get("secret", "login", "{.data.password}"), "base64").toString();
      expect(inCluster).toBe(password);
      const state = await stack.state();
      for (const secret of [password, Buffer.from(password).toString("base64"), "correct-horse-battery"]) {
        expect(state).not.toContain(secret);
        expect(run.text).not.toContain(secret);
      }
      await stack.plan([...resources.slice(0, 2), configMap("leaky", { given: { $secret: "other-secret" } })]);
      expect((await stack.preview()).text).not.toContain("other-secret");
    });

    it("that is generated stays until its keepers change", async () => {
      const password = (round: string): PlannedResource => ({
        type: "random.RandomPassword",
        name: "password",
        args: { length: 32, minSpecial: 4, overrideSpecial: "-_", keepers: { round } },
      });
      const outputs = { password: "password.result" };
      await stack.plan([password("1")], { outputs });
      await stack.succeed();
      const first = await stack.output("password", "--show-secrets");
      expect(first).toMatch(/^[A-Za-z0-9_-]{32}$/);
      expect((await stack.preview("--expect-no-changes")).code).toBe(0);
      await stack.plan([password("2")], { outputs });
      expect((await stack.steps()).password).toMatch(/replace/);
      await stack.succeed();
      expect(await stack.output("password", "--show-secrets")).not.toBe(first);
    });
  });

  describe("a refresh", () => {
    it("finds a hand edit, and the next run undoes it", async () => {
      await stack.plan([configMap("drifting", { a: "1" })], { provider: mutable });
      await stack.succeed();
      await kubectl(
        "patch",
        "configmap",
        "drifting",
        "-n",
        stack.namespace,
        "--type=merge",
        "-p",
        '{"data":{"a":"9"}}',
      );
      expect((await stack.run("refresh", "--yes", "--skip-preview")).code).toBe(0);
      expect(await stack.steps()).toEqual({ drifting: "update" });
    });

    it("finds an object that is gone, and the next run makes it again", async () => {
      await stack.plan([configMap("lost", { a: "1" })]);
      await stack.succeed();
      await kubectl("delete", "configmap", "lost", "-n", stack.namespace);
      expect((await stack.run("refresh", "--yes", "--skip-preview")).code).toBe(0);
      expect(await stack.steps()).toEqual({ lost: "create" });
      await stack.succeed();
    });
  });

  describe("a deletion", () => {
    it("waits until the object and its pods are gone, and takes a missing object for gone", async () => {
      await stack.plan([deployment("leaving", { replicas: 1, command: "sleep 600" }), configMap("missing", {})]);
      await stack.succeed();
      await kubectl("delete", "configmap", "missing", "-n", stack.namespace);
      await stack.plan([]);
      await stack.succeed();
      expect(await tryKubectl("get", "deployment", "leaving", "-n", stack.namespace)).toContain("not found");
      expect(await kubectl("get", "pods", "-n", stack.namespace, "-l", "app=leaving", "-o", "name")).toBe("");
    });
  });

  describe("a custom resource", () => {
    const route = (weight: number): PlannedResource => ({
      type: "apiextensions.CustomResource",
      name: "route",
      args: {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "route" },
        spec: { hostnames: ["plugins.localhost"], rules: [{ backendRefs: [{ name: "a", port: 80, weight }] }] },
      },
    });

    it("is created, shown by its fields, and updated in place", async () => {
      await stack.plan([route(0)]);
      await stack.succeed();
      await stack.plan([route(10)]);
      expect((await stack.preview()).text).toMatch(/weight: 0 => 10/);
      await stack.succeed();
      expect(await get("httproute", "route", "{.spec.rules[0].backendRefs[0].weight}")).toBe("10");
      expect((await stack.preview("--expect-no-changes")).code).toBe(0);
    });
  });

  describe("what cannot be done", () => {
    it("is an object of an unknown kind, which is named", async () => {
      const unknown: PlannedResource = {
        type: "apiextensions.CustomResource",
        name: "unknown",
        args: { apiVersion: "golive.invalid/v1", kind: "Nothing", metadata: { name: "unknown" } },
      };
      await stack.plan([unknown]);
      expect(await stack.steps()).toEqual({ unknown: "create" });
    });

    const upAt = async (port: number) => {
      const provider = { kubeconfig: kubeconfigOfPort(port), context: "nowhere" };
      await stack.plan([configMap("unreachable", {})], { provider });
      return await stack.run("up", "--yes");
    };

    it("is a cluster that is not there, which is named", async () => {
      const run = await upAt(1);
      expect(run.code).not.toBe(0);
      expect(run.text).toMatch(/cluster is unreachable/);
      expect(run.text).toContain("127.0.0.1:1");
    });

    it("is a cluster that says nothing, which is named after five seconds", async ({ skip }) => {
      skip(!stack.standIns, "the real plugins have a limit of their own");
      const mute = createServer(() => {}).listen(0, "127.0.0.1");
      await once(mute, "listening");
      try {
        const address = mute.address();
        const run = await upAt(address !== null && typeof address === "object" ? address.port : 0);
        expect(run.code).not.toBe(0);
        expect(run.text).toMatch(/cluster is unreachable: .*no connection within 5 s/);
      } finally {
        mute.close();
      }
    });
  });
});

describe("the stand-ins refuse by name", () => {
  let stack: PluginStack;

  beforeAll(async () => {
    stack = await PluginStack.open();
  });
  afterAll(() => stack.close());
  beforeEach(({ skip }) => skip(!stack.standIns, "the real plugins are in use, and have all that"));

  it("a type that they do not have", async () => {
    await stack.plan([{ type: "core.v1.Endpoints", name: "odd", args: { metadata: { name: "odd" } } }]);
    const run = await stack.preview();
    expect(run.code).not.toBe(0);
    expect(run.text).toContain(
      "the stand-in for the kubernetes plugin has no type kubernetes:core/v1:Endpoints; it has ConfigMap",
    );
  });

  it("a random type that they do not have", async () => {
    await stack.plan([{ type: "random.RandomPet", name: "pet", args: {} }]);
    const run = await stack.preview();
    expect(run.code).not.toBe(0);
    expect(run.text).toContain("the stand-in for the random plugin has no type random:index/randomPet:RandomPet");
  });

  it("an option of the provider that they would have to ignore", async () => {
    await stack.plan([], { provider: { renderYamlToDirectory: "somewhere" } });
    const run = await stack.preview();
    expect(run.code).not.toBe(0);
    expect(run.text).toContain("the stand-in for the kubernetes plugin does not have this option");
  });

  it("client-side apply", async () => {
    await stack.plan([], { provider: { enableServerSideApply: false } });
    const run = await stack.preview();
    expect(run.code).not.toBe(0);
    expect(run.text).toContain("knows server-side apply only");
  });
});

function deployment(
  name: string,
  spec: { replicas: number; image?: string; command?: string; label?: string; revisionHistoryLimit?: number },
  annotations: Readonly<Record<string, string>> = {},
): PlannedResource {
  const labels = { app: name, ...(spec.label === undefined ? {} : { other: spec.label }) };
  const container = {
    name,
    image: spec.image ?? "golive.local/redis:7",
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", `trap 'exit 0' TERM; ${spec.command ?? "true"} & wait`],
    resources: { requests: { cpu: "10m" }, limits: { cpu: "1000m", memory: "64Mi" } },
  };
  return {
    type: "apps.v1.Deployment",
    name,
    args: {
      metadata: { name, annotations },
      spec: {
        replicas: spec.replicas,
        ...(spec.revisionHistoryLimit === undefined ? {} : { revisionHistoryLimit: spec.revisionHistoryLimit }),
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
  };
}

function job(name: string, script: string): PlannedResource {
  const container = {
    name,
    image: "golive.local/redis:7",
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", script],
  };
  return {
    type: "batch.v1.Job",
    name,
    args: {
      metadata: { name },
      spec: { backoffLimit: 0, template: { spec: { restartPolicy: "Never", containers: [container] } } },
    },
  };
}

const kubeconfigOfPort = (port: number) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "nowhere", cluster: { server: `https://127.0.0.1:${port}` } }],
    users: [{ name: "nobody", user: { token: "none" } }],
    contexts: [{ name: "nowhere", context: { cluster: "nowhere", user: "nobody" } }],
  });
