import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { providers } from "../../components/cluster/providers.ts";
import { RolloutMetrics } from "../../components/traffic/rollout-metrics.ts";
import type { Settings } from "../../settings.ts";
import { type Declaration, declare } from "../support/harness.ts";
import { stackSettings } from "../support/platform.ts";

/** The exporter alone, below what brings its providers. */
class Alone extends pulumi.ComponentResource {
  constructor(settings: Settings) {
    super("golive:index:Platform", "taskflow", {}, { providers: [...providers(settings)] });
    new RolloutMetrics({ settings, bundle: "// the exporter", after: [] }, { parent: this });
    this.registerOutputs({});
  }
}

let declared: Declaration;
beforeAll(async () => {
  declared = await declare(() => void new Alone(stackSettings("production")), 7);
});

describe("the rollout exporter of a stack", () => {
  it("starts when its program is there and it may read the route", () => {
    const { dependsOn, inputs } = declared.find("Deployment", "rollout-metrics");
    expect(dependsOn.map((on) => on.split(":").slice(-3).filter(Boolean).join(" "))).toEqual([
      "ConfigMap rollout-metrics",
      "ServiceAccount rollout-metrics",
      "Role rollout-metrics",
      "RoleBinding rollout-metrics",
    ]);
    const program = declared.find("ConfigMap", "rollout-metrics").inputs;
    expect(program).toMatchObject({ data: { "rollout.mjs": "// the exporter" }, immutable: true });
    const { metadata } = program as { metadata: { name: string } };
    expect(inputs).toMatchObject({
      spec: { template: { spec: { volumes: [{ configMap: { name: metadata.name } }] } } },
    });
  });

  it("waits for nothing of the rollout, and nothing waits for it", () => {
    expect(declared.names("HTTPRoute")).toEqual([]);
    expect(declared.all.filter(({ dependsOn }) => dependsOn.some((on) => on.includes(":Deployment::")))).toEqual([]);
  });
});
