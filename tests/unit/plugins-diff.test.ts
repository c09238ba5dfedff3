import { describe, expect, it } from "vitest";
import { parseConfig } from "../../local/plugins/kubernetes/config.ts";
import { diff, parsePath, propertyPath } from "../../local/plugins/kubernetes/diff.ts";
import { type Properties, Secret, unknown } from "../../local/plugins/rpc/properties.ts";

const config = parseConfig(new Map([["kubernetes:config:enableConfigMapMutable", "true"]]));
const strict = parseConfig(new Map());

const object = (apiVersion: string, kind: string, rest: Properties, metadata: Properties = {}): Properties => ({
  apiVersion,
  kind,
  metadata: { name: "a", namespace: "n", ...metadata },
  ...rest,
});

/** The differences when inputs `before` were applied, the cluster made `live` of them, and the program now says `after`. */
function changed(
  before: Properties,
  after: Properties,
  options: { live?: Properties; ignored?: string[]; config?: typeof config } = {},
) {
  const { live = before, ignored = [] } = options;
  const found = diff({ inputs: before, live }, after, options.config ?? config, ignored);
  return { ...found, changes: Object.fromEntries(found.changes) };
}

const none = { changes: {}, replaces: [], deleteBeforeReplace: false };

describe("a difference", () => {
  const before = object("v1", "ConfigMap", { data: { a: "1", b: "2" } });

  it("is each field that is added, changed or removed", () => {
    const after = object(
      "v1",
      "ConfigMap",
      { data: { a: "9", c: "3" } },
      { labels: { "app.kubernetes.io/name": "x" } },
    );
    expect(changed(before, after).changes).toEqual({
      "data.a": "update",
      "data.b": "delete",
      "data.c": "add",
      "metadata.labels": "add",
    });
  });

  it("is none in what the cluster added of its own", () => {
    const live = {
      ...object("v1", "ConfigMap", { data: { a: "1", b: "2" } }, { uid: "u", resourceVersion: "7" }),
      status: {},
    };
    expect(changed(before, before, { live })).toEqual(none);
  });

  it("is what somebody else changed, against what the program still says", () => {
    const live = object("v1", "ConfigMap", { data: { a: "edited", b: "2" } });
    expect(changed(before, before, { live }).changes).toEqual({ "data.a": "update" });
  });

  it("is none where a quantity is spelled in another way, and one where its amount differs", () => {
    const quota = (memory: string) => object("v1", "ResourceQuota", { spec: { hard: { memory } } });
    expect(changed(quota("1024Mi"), quota("1024Mi"), { live: quota("1Gi") })).toEqual(none);
    expect(changed(quota("1Gi"), quota("1.5Gi")).changes).toEqual({ "spec.hard.memory": "update" });
  });

  it("is none where the server leaves out what is empty", () => {
    const full = object("v1", "ConfigMap", { data: {}, binaryData: {} });
    const live = object("v1", "ConfigMap", {});
    expect(changed(full, full, { live })).toEqual(none);
  });

  it("is none between a Secret's stringData and the data that it became", () => {
    const told = object("v1", "Secret", { stringData: { key: new Secret("value") } });
    const stored = object("v1", "Secret", { data: { key: "dmFsdWU=" } });
    expect(changed(stored, told)).toEqual(none);
  });

  it("is in the one element of a list that changed", () => {
    const route = (weights: readonly number[]) =>
      object("gateway.networking.k8s.io/v1", "HTTPRoute", {
        spec: { rules: [{ backendRefs: weights.map((weight) => ({ name: "x", weight })) }] },
      });
    expect(changed(route([90, 10]), route([90, 50])).changes).toEqual({
      "spec.rules[0].backendRefs[1].weight": "update",
    });
    expect(changed(route([90]), route([90, 10])).changes).toEqual({ "spec.rules[0].backendRefs[1]": "add" });
    expect(changed(route([90, 10]), route([90])).changes).toEqual({ "spec.rules[0].backendRefs[1]": "delete" });
  });

  it("is there where a value is not known yet", () => {
    const after = object("v1", "ConfigMap", { data: { a: unknown, b: "2", c: unknown } });
    expect(changed(before, after).changes).toEqual({ "data.a": "update", "data.c": "add" });
  });

  it("is none in ignored fields", () => {
    const after = object("v1", "ConfigMap", { data: { a: "9", b: "8" } });
    expect(changed(before, after, { ignored: ["data.a"] }).changes).toEqual({ "data.b": "update" });
    expect(changed(before, after, { ignored: ["data"] })).toEqual(none);
    expect(changed(before, after, { ignored: ["data.*"] })).toEqual(none);
  });
});

describe("a replacement", () => {
  it("is made for a ConfigMap's data unless it is declared mutable", () => {
    const before = object("v1", "ConfigMap", { data: { a: "1" } });
    const after = object("v1", "ConfigMap", { data: { a: "2" } });
    expect(changed(before, after, { config: strict })).toEqual({
      changes: { "data.a": "updateReplace" },
      replaces: ["data.a"],
      deleteBeforeReplace: true,
    });
    expect(changed(before, after).replaces).toEqual([]);
    expect(changed({ ...before, immutable: true }, { ...after, immutable: true }).replaces).toEqual(["data.a"]);
  });

  it.each([
    [
      "apps/v1",
      "Deployment",
      { spec: { selector: { matchLabels: { app: "a" } } } },
      { spec: { selector: { matchLabels: { app: "b" } } } },
    ],
    ["apps/v1", "StatefulSet", { spec: { serviceName: "a" } }, { spec: { serviceName: "b" } }],
    [
      "batch/v1",
      "Job",
      { spec: { template: { spec: { containers: [{ image: "a" }] } } } },
      { spec: { template: { spec: { containers: [{ image: "b" }] } } } },
    ],
    ["v1", "PersistentVolumeClaim", { spec: { storageClassName: "a" } }, { spec: { storageClassName: "b" } }],
    ["v1", "Service", { spec: { clusterIP: "None" } }, { spec: { clusterIP: "10.0.0.1" } }],
    ["v1", "Secret", { type: "Opaque" }, { type: "kubernetes.io/tls" }],
    ["rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: { name: "a" } }, { roleRef: { name: "b" } }],
  ] as const)("is made for what cannot change in %s %s", (apiVersion, kind, before, after) => {
    const found = changed(object(apiVersion, kind, before), object(apiVersion, kind, after));
    expect(found.replaces).toHaveLength(1);
    expect(found.deleteBeforeReplace).toBe(true);
  });

  it("is made for a name and a namespace, the new object first", () => {
    const before = object("v1", "ConfigMap", {});
    for (const metadata of [{ name: "b" }, { namespace: "m" }]) {
      const found = changed(before, object("v1", "ConfigMap", {}, metadata));
      expect(found.replaces).toHaveLength(1);
      expect(found.deleteBeforeReplace).toBe(false);
    }
  });

  it("makes the new object first when its name is generated", () => {
    const named = { annotations: { "pulumi.com/autonamed": "true" } };
    const found = changed(
      object("v1", "ConfigMap", { data: { a: "1" } }, named),
      object("v1", "ConfigMap", { data: { a: "2" } }, named),
      {
        config: strict,
      },
    );
    expect(found).toMatchObject({ replaces: ["data.a"], deleteBeforeReplace: false });
  });

  it("is made when a whole around such a field is removed", () => {
    const before = object("v1", "Service", { spec: { clusterIP: "None" } });
    expect(changed(before, object("v1", "Service", {})).replaces).toEqual(["spec"]);
  });

  it("is not made for the replicas, the image or the labels of a Deployment", () => {
    const deployment = (replicas: number, image: string) =>
      object("apps/v1", "Deployment", {
        spec: { replicas, selector: { matchLabels: { app: "a" } }, template: { spec: { containers: [{ image }] } } },
      });
    expect(changed(deployment(1, "a"), deployment(2, "b")).changes).toEqual({
      "spec.replicas": "update",
      "spec.template.spec.containers[0].image": "update",
    });
  });
});

describe("a path", () => {
  it.each([
    [["spec", "rules", 0, "weight"], "spec.rules[0].weight"],
    [["metadata", "labels", "app.kubernetes.io/name"], 'metadata.labels["app.kubernetes.io/name"]'],
  ] as const)("%j is written as the engine writes it, and read back", (path, text) => {
    expect(propertyPath(path)).toBe(text);
    expect(parsePath(text)).toEqual(path);
  });
});
