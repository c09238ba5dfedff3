import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withName, withOldName } from "../../local/plugins/kubernetes/autoname.ts";
import { check } from "../../local/plugins/kubernetes/check.ts";
import { configProblems, diffConfig, parseConfig } from "../../local/plugins/kubernetes/config.ts";
import { kindOfType } from "../../local/plugins/kubernetes/kinds.ts";
import { connection } from "../../local/plugins/kubernetes/kubeconfig.ts";
import { keepIgnored, takeOver } from "../../local/plugins/kubernetes/managed-fields.ts";
import { sameQuantity } from "../../local/plugins/kubernetes/quantity.ts";
import { markSecrets } from "../../local/plugins/kubernetes/secrets.ts";
import { outcome } from "../../local/plugins/language/program.ts";
import { generate, type Recipe, recipeProblems } from "../../local/plugins/random/password.ts";
import { checkInputs } from "../../local/plugins/random/resource.ts";
import {
  containsSecret,
  containsUnknown,
  fromStruct,
  reveal,
  Secret,
  toStruct,
  unknown,
  type Value,
} from "../../local/plugins/rpc/properties.ts";
import { nameOf, typeOf } from "../../local/plugins/rpc/urn.ts";

describe("properties", () => {
  it("come through the engine's messages as they are, secrets and unknown values included", () => {
    // The SDK's own message classes lose a key __proto__ on the way: no property is called that.
    const json = fc
      .jsonValue({ maxDepth: 3 })
      .filter((value) => !JSON.stringify(value).includes('"__proto__"')) as fc.Arbitrary<Value>;
    const value = fc.oneof(
      json,
      json.map((it) => new Secret(it)),
      fc.constant(unknown),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), value), (properties) => {
        // A double has no negative zero on this wire.
        const plain = JSON.parse(JSON.stringify(properties), (_, it) => (Object.is(it, -0) ? 0 : it));
        const back = fromStruct(toStruct(properties));
        expect(JSON.parse(JSON.stringify(back), (_, it) => (Object.is(it, -0) ? 0 : it))).toEqual(plain);
        expect(containsSecret(back)).toBe(containsSecret(properties));
        expect(containsUnknown(back)).toBe(containsUnknown(properties));
        expect(containsSecret(reveal(back))).toBe(false);
      }),
    );
  });

  it("are secret in the outputs where they are in the inputs, a list as a whole", () => {
    const outputs = { spec: { env: [{ value: "x" }], image: "i" }, status: 1 };
    const inputs = { spec: { env: [{ value: new Secret("x") }], image: "i" } };
    expect(markSecrets(outputs, inputs)).toEqual({
      spec: { env: new Secret([{ value: "x" }]), image: "i" },
      status: 1,
    });
  });

  it("of a Secret are secret, whatever the inputs say", () => {
    expect(markSecrets({ kind: "Secret", data: { a: "MQ==" } }, {})).toEqual({
      kind: "Secret",
      data: new Secret({ a: "MQ==" }),
    });
  });
});

describe("a check", () => {
  const context = {
    resourceName: "web",
    naming: { proposed: undefined, disabled: false, seed: new Uint8Array([1]) },
    namespace: async () => "usual" as string | undefined,
  };

  it("names what has no name after its resource, always the same for one seed, and says so", () => {
    const named = withName({}, "web", context.naming);
    expect(named).toEqual(withName({}, "web", context.naming));
    expect(named).toMatchObject({
      metadata: { name: expect.stringMatching(/^web-[0-9a-f]{8}$/), annotations: { "pulumi.com/autonamed": "true" } },
    });
    expect(withOldName({}, named)).toEqual(named);
    expect(withName({ metadata: { name: unknown } }, "web", context.naming)).toEqual({ metadata: { name: unknown } });
  });

  it("takes the engine's own proposal, and refuses where names are to be given", () => {
    expect(withName({}, "web", { ...context.naming, proposed: "mine" })).toMatchObject({ metadata: { name: "mine" } });
    expect(() => withName({}, "web", { ...context.naming, disabled: true })).toThrow("give metadata.name");
  });

  it("puts an object into the usual namespace unless it names one", async () => {
    const named = (metadata: Value) => ({ apiVersion: "v1", kind: "ConfigMap", metadata });
    expect(await check({}, named({ name: "a" }), context)).toMatchObject({ metadata: { namespace: "usual" } });
    expect(await check({}, named({ name: "a", namespace: "own" }), context)).toMatchObject({
      metadata: { namespace: "own" },
    });
    expect(await check({}, named({ name: "a" }), { ...context, namespace: async () => undefined })).toEqual(
      named({ name: "a" }),
    );
  });

  it("turns a Secret's stringData into secret data, and leaves out nulls and read-only fields", async () => {
    const told = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a", namespace: "n", labels: null, uid: "u" },
      stringData: new Secret({ key: "value" }),
    };
    expect(await check({}, told, context)).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a", namespace: "n" },
      data: new Secret({ key: "dmFsdWU=" }),
    });
  });
});

describe("a type", () => {
  it("is a built-in kind or a custom resource", () => {
    expect(kindOfType("kubernetes:apps/v1:Deployment")).toMatchObject({
      apiVersion: "apps/v1",
      plural: "deployments",
      namespaced: true,
    });
    expect(kindOfType("kubernetes:core/v1:Namespace")).toMatchObject({ apiVersion: "v1", namespaced: false });
    expect(kindOfType("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute")).toEqual({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      plural: undefined,
      namespaced: undefined,
    });
  });

  it.each([
    "kubernetes:core/v1:Endpoints",
    "kubernetes:networking.k8s.io/v1:Ingress",
    "kubernetes:core/v1:ConfigMapPatch",
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:yaml:ConfigFile",
  ])("is refused by name when it is %s", (type) => {
    expect(() => kindOfType(type)).toThrow(
      `the stand-in for the kubernetes plugin has no type ${type}; it has ConfigMap`,
    );
  });

  it("and a name are read from a urn", () => {
    const urn = "urn:pulumi:dev::p::golive:release:Colour$kubernetes:core/v1:ConfigMap::blue::settings";
    expect([typeOf(urn), nameOf(urn)]).toEqual(["kubernetes:core/v1:ConfigMap", "blue::settings"]);
  });
});

describe("a quantity", () => {
  it.each([
    ["1000m", "1", true],
    ["1Gi", "1024Mi", true],
    ["0.5", "500m", true],
    [5, "5", true],
    ["1G", "1Gi", false],
    ["x", "x", false],
  ] as const)("%j and %j are the same amount: %j", (left, right, same) => {
    expect(sameQuantity(left, right)).toBe(same);
  });
});

describe("the provider's arguments", () => {
  it("that the stand-in would have to ignore are refused, each by name", () => {
    const problems = configProblems({
      context: "a",
      renderYamlToDirectory: "x",
      kubeClientSettings: "{}",
      version: "4.34.2",
    });
    expect(problems.map(({ property }) => property)).toEqual(["renderYamlToDirectory", "kubeClientSettings"]);
    expect(configProblems({ enableServerSideApply: "false" })).toHaveLength(1);
    expect(configProblems({ enableServerSideApply: "true" })).toEqual([]);
  });

  it("are read from the engine's variables", () => {
    const variables = {
      context: "golive-local",
      enableSecretMutable: "true",
      upsertExistingObjects: "false",
      namespace: "",
    };
    const config = parseConfig(
      new Map(Object.entries(variables).map(([name, value]) => [`kubernetes:config:${name}`, value])),
    );
    expect(config).toMatchObject({ context: "golive-local", secretMutable: true, upsert: false, namespace: undefined });
  });

  it("mean another cluster when the identifier differs, and only then where there is one", () => {
    const here = { clusterIdentifier: "a", kubeconfig: "/x" };
    expect(diffConfig(here, { clusterIdentifier: "a", kubeconfig: "/y" })).toEqual({
      diffs: ["kubeconfig"],
      replaces: [],
    });
    expect(diffConfig(here, { clusterIdentifier: "b", kubeconfig: "/x" }).replaces).toEqual(["clusterIdentifier"]);
  });

  it("mean another cluster when the kubeconfig names another server", () => {
    const kubeconfig = (server: string, token: string) =>
      JSON.stringify({
        clusters: [{ name: "c", cluster: { server } }],
        users: [{ name: "u", user: { token } }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      });
    const before = { kubeconfig: kubeconfig("https://a", "1") };
    expect(diffConfig(before, { kubeconfig: kubeconfig("https://a", "2") }).replaces).toEqual([]);
    expect(diffConfig(before, { kubeconfig: kubeconfig("https://b", "1") }).replaces).toEqual(["kubeconfig"]);
    expect(() => connection({ kubeconfig: kubeconfig("https://a", "1"), context: "y", cluster: undefined })).toThrow(
      'the given kubeconfig has no context "y"; it has: x',
    );
  });
});

describe("managed fields", () => {
  const entry = (manager: string, operation: string, fieldsV1: Value, more: object = {}) => ({
    manager,
    operation,
    fieldsV1,
    ...more,
  });
  const live = (...managedFields: readonly Value[]) => ({
    metadata: { resourceVersion: "7", managedFields },
    data: { a: "live", b: "live" },
  });

  it("of our create and of kubectl are taken over by the first update, once", () => {
    const theirs = entry("guard", "Apply", { "f:data": { "f:c": {} } });
    const made = live(
      entry("pulumi-kubernetes", "Update", { "f:data": { "f:a": {} } }),
      entry("kubectl-edit", "Update", { "f:data": { "f:b": {} } }),
      theirs,
      entry("kubectl-edit", "Update", { "f:status": {} }, { subresource: "status" }),
    );
    const patch = takeOver(made, "ours");
    expect(patch).toEqual([
      {
        op: "replace",
        path: "/metadata/managedFields",
        value: [
          entry("ours", "Apply", { "f:data": { "f:a": {}, "f:b": {} } }),
          theirs,
          entry("kubectl-edit", "Update", { "f:status": {} }, { subresource: "status" }),
        ],
      },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
    ]);
    expect(takeOver(live(entry("ours", "Apply", {}), theirs), "ours")).toBeUndefined();
  });

  it("decide what becomes of an ignored field: another's is left alone, ours keeps its live value", () => {
    const object = live(
      entry("ours", "Apply", { "f:data": { "f:a": {} } }),
      entry("hpa", "Update", { "f:data": { "f:b": {} } }),
    );
    expect(keepIgnored({ data: { a: "new", b: "new" } }, object, "ours", ["data.a", "data.b"])).toEqual({
      data: { a: "live" },
    });
  });
});

describe("a generated string", () => {
  const recipe: Recipe = {
    length: 16,
    lower: true,
    upper: true,
    numeric: true,
    special: true,
    minLower: 0,
    minUpper: 0,
    minNumeric: 0,
    minSpecial: 0,
    overrideSpecial: undefined,
  };

  it("has the length, the kinds and the least numbers of characters that are asked for", () => {
    const least = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(fc.record({ minLower: least, minUpper: least, minNumeric: least, minSpecial: least }), (minima) => {
        const text = generate({ ...recipe, ...minima, overrideSpecial: "-_" });
        const count = (pattern: RegExp) => [...text.matchAll(pattern)].length;
        expect(text).toHaveLength(16);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(count(/[a-z]/g)).toBeGreaterThanOrEqual(minima.minLower);
        expect(count(/[A-Z]/g)).toBeGreaterThanOrEqual(minima.minUpper);
        expect(count(/[0-9]/g)).toBeGreaterThanOrEqual(minima.minNumeric);
        expect(count(/[-_]/g)).toBeGreaterThanOrEqual(minima.minSpecial);
      }),
    );
  });

  it("leaves out what is turned off", () => {
    expect(generate({ ...recipe, length: 200, upper: false, special: false })).toMatch(/^[a-z0-9]{200}$/);
  });

  it("is refused where it cannot be made", () => {
    expect(recipeProblems({ ...recipe, length: 3, minLower: 4 })[0]?.reason).toContain("at least 4");
    expect(recipeProblems({ ...recipe, lower: false, upper: false, numeric: false, special: false })[0]?.property).toBe(
      "lower",
    );
    expect(checkInputs({ length: 8, lenght: 9 }).problems).toEqual([
      { property: "lenght", reason: expect.stringContaining("unknown property") },
    ]);
  });
});

describe("the end of a program", () => {
  it("is an error of its own unless the program has told the user itself", () => {
    expect(outcome(0, null)).toEqual({ error: "", bail: false });
    expect(outcome(32, null)).toEqual({ error: "", bail: true });
    expect(outcome(1, null)).toEqual({ error: "the program ended with exit code 1", bail: false });
    expect(outcome(null, "SIGKILL")).toEqual({ error: "the program was ended by SIGKILL", bail: false });
  });
});
