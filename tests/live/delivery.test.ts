import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driftIn, driftText, lookOnly } from "../../cli/delivery/drift.ts";
import { places } from "../../local/places.ts";
import { kubectl, tryKubectl } from "./plugins/kubectl.ts";
import { PluginStack } from "./plugins/plugin-stack.ts";
import type { PlannedResource } from "./plugins/program/plan.ts";

const configMap = (name: string): PlannedResource => ({
  type: "core.v1.ConfigMap",
  name,
  args: { metadata: { name }, data: { level: "info" } },
});
const secret: PlannedResource = {
  type: "core.v1.Secret",
  name: "login",
  args: { metadata: { name: "login" }, stringData: { password: "correct horse" } },
};

describe("a look for drift, by the real engine", () => {
  let stack: PluginStack;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-drift-"));
    // The engine keeps its log of events from people who did not ask for it.
    process.env.PULUMI_DEBUG_COMMANDS = "true";
    stack = await PluginStack.open();
    await stack.plan([configMap("settings"), configMap("going"), secret], {
      provider: { enableConfigMapMutable: true, enableSecretMutable: true },
    });
    await stack.succeed();
  });
  afterAll(async () => {
    delete process.env.PULUMI_DEBUG_COMMANDS;
    await stack.close();
    await rm(directory, { recursive: true });
  });

  async function look(): Promise<{ readonly code: number; readonly report: string }> {
    const log = join(directory, `${randomBytes(4).toString("hex")}.json`);
    const { code } = await stack.run("refresh", ...lookOnly, "--event-log", log);
    return { code, report: driftText("test", driftIn(await readFile(log, "utf8"))) };
  }

  it("finds nothing where nobody touched anything, then what somebody did by hand, and puts nothing back", async () => {
    expect(await look()).toEqual({ code: 0, report: "" });

    const edit = (kind: string, name: string, patch: object) =>
      kubectl("patch", kind, name, "-n", stack.namespace, "--type=merge", "-p", JSON.stringify(patch));
    await edit("configmap", "settings", { data: { level: "debug" } });
    await edit("secret", "login", { stringData: { password: "hunter2" } });
    await kubectl("delete", "configmap", "going", "-n", stack.namespace);

    const { code, report } = await look();
    expect(code).not.toBe(0);
    expect(report).toContain(
      "- **ConfigMap going is gone**\n- ConfigMap settings: `data.level`\n- Secret login: `data.password`",
    );
    for (const value of ["hunter2", Buffer.from("hunter2").toString("base64")]) expect(report).not.toContain(value);

    expect(await kubectl("get", "configmap", "settings", "-n", stack.namespace, "-o", "jsonpath={.data.level}")).toBe(
      "debug",
    );
    expect((await look()).report).toBe(report);
  });
});

describe("the rights of a job on a cluster", () => {
  const id = `seven-${randomBytes(4).toString("hex")}`;
  const user = (role: string) => `github:repo:golive/app:environment:${role}`;
  let roles: string;

  beforeAll(async () => {
    const text = await readFile(join(places.root, ".github", "cluster", "roles.yaml"), "utf8");
    roles = text.replaceAll(/name: golive-(preview|drift)/g, `name: ${id}-$1`);
    await kubectl("create", "namespace", id);
    await kubectl.withInput(roles, "apply", "--validate=strict", "-f", "-");
    for (const role of ["preview", "drift"])
      await kubectl("create", "rolebinding", role, "-n", id, `--clusterrole=${id}-${role}`, `--user=${user(role)}`);
  });
  afterAll(async () => {
    await kubectl.withInput(roles, "delete", "--ignore-not-found", "-f", "-");
    await kubectl("delete", "namespace", id);
  });

  const may = async (role: string, verb: string, resource: string) => {
    const [kind = "", part] = resource.split("/");
    const narrowed = part === undefined ? [] : [`--subresource=${part}`];
    const said = await tryKubectl("auth", "can-i", verb, kind, ...narrowed, "-n", id, `--as=${user(role)}`);
    return said.trim().split("\n").at(-1);
  };

  it.each(["create", "update", "patch", "delete"])(
    "are never to %s: a preview and a look for drift only read",
    async (verb) => {
      for (const role of ["preview", "drift"])
        for (const resource of [
          "httproutes.gateway.networking.k8s.io",
          "deployments.apps",
          "configmaps",
          "secrets",
          "jobs.batch",
        ])
          expect(await may(role, verb, resource), `${role} may ${verb} ${resource}`).toBe("no");
    },
  );

  it("keep a preview out of the database: no Secret, no way into a pod", async () => {
    expect(await may("preview", "get", "secrets")).toBe("no");
    // A client that upgrades its connection asks for the right to get, and may then write.
    for (const way of ["pods/exec", "pods/portforward", "pods/attach"])
      for (const verb of ["create", "get"]) expect(await may("preview", verb, way), `${verb} ${way}`).toBe("no");
  });

  it("give a look for drift the way to the database, and none into a pod", async () => {
    expect(await may("drift", "create", "pods/portforward")).toBe("yes");
    for (const way of ["pods/exec", "pods/attach"])
      for (const verb of ["create", "get"]) expect(await may("drift", verb, way), `${verb} ${way}`).toBe("no");
  });

  it("are enough for what a preview observes", async () => {
    for (const resource of ["httproutes.gateway.networking.k8s.io", "deployments.apps", "configmaps", "pods"])
      expect(await may("preview", "list", resource), resource).toBe("yes");
  });
});
