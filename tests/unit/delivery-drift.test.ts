import { describe, expect, it } from "vitest";
import { driftIn, driftText } from "../../cli/delivery/drift.ts";

const event = (op: string, type: string, name: string, fields: readonly string[] = [], custom = true) =>
  JSON.stringify({
    resOutputsEvent: {
      metadata: {
        op,
        type,
        urn: `urn:pulumi:production::golive::golive:release:Colour$${type}::${name}`,
        detailedDiff: Object.fromEntries(fields.map((field) => [field, { diffKind: "update", inputDiff: false }])),
        old: { custom, inputs: { data: { password: "hunter2" } } },
      },
    },
  });

const log = [
  JSON.stringify({ resourcePreEvent: { metadata: { op: "refresh", urn: "urn:pulumi:s::p::t::n" } } }),
  event("update", "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "taskflow", [
    "spec.rules[0]",
    "metadata.labels.a",
  ]),
  event("same", "kubernetes:core/v1:Service", "taskflow-backend-blue"),
  event("delete", "kubernetes:core/v1:ConfigMap", "taskflow-blue"),
  "",
].join("\n");

describe("drift", () => {
  it("is each resource that differs or is gone, by its fields, in the order of names", () => {
    expect(driftIn(log)).toEqual([
      { resource: "ConfigMap taskflow-blue", gone: true, fields: [] },
      { resource: "HTTPRoute taskflow", gone: false, fields: ["metadata.labels.a", "spec.rules[0]"] },
    ]);
  });

  it("is not what only the program has: the stack, its providers and components", () => {
    const own = [
      event("update", "pulumi:pulumi:Stack", "golive-production", [], false),
      event("update", "pulumi:providers:kubernetes", "cluster"),
      event("update", "golive:release:Colour", "taskflow-blue", [], false),
    ];
    expect(driftIn(own.join("\n"))).toEqual([]);
  });

  it("is told without a value, which may be a secret", () => {
    const text = driftText("production", driftIn(log));
    expect(text).toContain(
      "- **ConfigMap taskflow-blue is gone**\n- HTTPRoute taskflow: `metadata.labels.a`, `spec.rules[0]`",
    );
    expect(text).not.toContain("hunter2");
  });

  it("that is none makes no report", () => {
    expect(driftText("production", driftIn(event("same", "kubernetes:core/v1:Service", "x")))).toBe("");
  });
});
