import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { componentPolicies, denyPolicies, type PolicyManifest } from "../../components/network/policies.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { stackSettings } from "../support/platform.ts";

const namespace = "golive-test-network";

/** The same policy under a name of its own in the test's namespace. */
const here = (stack: string, { metadata, spec }: PolicyManifest) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { ...metadata, name: `${stack}-${metadata.namespace}-${metadata.name}`, namespace },
  spec,
});

const stacks = ["local", "staging", "production"] as const;
const ranges = ["10.9.0.0/16", "fd00:9::/64"];
const network = { apiServer: { addresses: ranges }, nodes: ranges, outside: ranges, internet: ranges };
const settings = [
  ...stacks.map((stack) => [stack, stackSettings(stack)] as const),
  ["ranges", stackSettings("production", { network })] as const,
];

describe("the NetworkPolicies of every stack", () => {
  beforeAll(async () => {
    await kubectl(["create", "namespace", namespace]);
  });
  afterAll(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found"]);
  });

  it("are taken by a real API server, which reads each of them as it was meant", async () => {
    const items = settings.flatMap(([name, each]) =>
      [...componentPolicies(each), ...denyPolicies(each)].map((policy) => here(name, policy)),
    );
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await kubectl(["apply", "--server-side", "--validate=strict", "--filename=-"], { input: list });
    const stored: { items: readonly { metadata: { name: string }; spec: object }[] } = JSON.parse(
      await kubectl(["get", "networkpolicies", "--namespace", namespace, "--output=json"]),
    );
    const specs = (policies: typeof stored.items) =>
      Object.fromEntries(policies.map(({ metadata, spec }) => [metadata.name, spec]));
    expect(specs(stored.items)).toEqual(specs(items));
  });
});
