import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { providers } from "../../components/cluster/providers.ts";
import { Guard } from "../../components/traffic/guard.ts";
import type { Settings } from "../../settings.ts";
import { type Declaration, declare } from "../support/harness.ts";
import { declarePlatform, firstRun, stackSettings } from "../support/platform.ts";

/** The guard alone, below what brings its providers. */
class Alone extends pulumi.ComponentResource {
  constructor(settings: Settings) {
    super("golive:index:Platform", "taskflow", {}, { providers: [...providers(settings)] });
    new Guard({ settings, bundle: "// the guard", after: [] }, { parent: this });
    this.registerOutputs({});
  }
}

let declared: Declaration;
beforeAll(async () => {
  declared = await declare(() => void new Alone(stackSettings("production")), 9);
});

const kindsAndNames = (urns: readonly string[]) => urns.map((on) => on.split(":").slice(-3).filter(Boolean).join(" "));

describe("the guard of a stack", () => {
  it("starts when its program is there, and it may read and write the route and find the gateway", () => {
    const { dependsOn, inputs } = declared.find("Deployment", "guard");
    expect(kindsAndNames(dependsOn)).toEqual([
      "ConfigMap guard",
      "Service golive-production-taskflow",
      "ServiceAccount guard",
      "Role guard",
      "RoleBinding guard",
    ]);
    const program = declared.find("ConfigMap", "guard").inputs;
    expect(program).toMatchObject({ data: { "guard.mjs": "// the guard" }, immutable: true });
    const { metadata } = program as { metadata: { name: string } };
    expect(inputs).toMatchObject({
      spec: { replicas: 2, template: { spec: { volumes: [{ configMap: { name: metadata.name } }] } } },
    });
  });

  it("keeps one of its pods through a node drain", () => {
    expect(declared.find("PodDisruptionBudget", "guard").inputs).toMatchObject({
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: "taskflow", component: "guard" } } },
    });
  });

  it("waits for nothing of the rollout, and nothing waits for it: a way down must work without", () => {
    expect(declared.names("HTTPRoute")).toEqual([]);
    expect(declared.all.filter(({ dependsOn }) => dependsOn.some((on) => on.includes(":Deployment::")))).toEqual([]);
  });

  it("is there wherever steps are gated, and only there: whoever walks by hand judges by hand", async () => {
    const of = async (...args: Parameters<typeof stackSettings>) =>
      (await declarePlatform(firstRun(stackSettings(...args)))).names("Deployment").includes("guard");
    expect(await of("local")).toBe(false);
    expect(await of("local", { gate: { mode: "on" } })).toBe(true);
    expect(await of("staging")).toBe(true);
    expect(await of("staging", { gate: { mode: "off" } })).toBe(false);
  });
});
