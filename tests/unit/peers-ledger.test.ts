import { describe, expect, it } from "vitest";
import { objectName, type PeerFinding } from "../support/peers/finding.ts";
import { type Accepted, reconcile } from "../support/peers/ledger.ts";

const finding = (changes: Partial<PeerFinding> = {}): PeerFinding => ({
  judge: "kube-score",
  check: "deployment-replicas",
  environment: "staging",
  object: "Deployment/<environment>/web",
  said: "few replicas",
  ...changes,
});

const entry = (changes: Partial<Accepted> = {}): Accepted => ({
  judge: "kube-score",
  check: "deployment-replicas",
  objects: ["Deployment/<environment>/web"],
  reason: "one is enough",
  ...changes,
});

describe("the ledger of what peers find and what stays", () => {
  it("lets pass what it names, in any stack", () => {
    const both = [finding(), finding({ environment: "production" })];
    expect(reconcile(both, [entry()])).toEqual({ open: [], stale: [] });
    expect(reconcile(both, [entry({ objects: "all" })])).toEqual({ open: [], stale: [] });
  });

  it.each([
    ["object", { object: "Deployment/<environment>/other" }],
    ["check", { check: "deployment-strategy" }],
    ["judge", { judge: "checkov" }],
  ] as const)("excuses no other %s", (_what, changes) => {
    const { open } = reconcile([finding(), finding(changes)], [entry()]);
    expect(open).toHaveLength(1);
  });

  it("excuses only the words that it names of a check that has several", () => {
    const said = "CPU limit is not set";
    const { open } = reconcile(
      [finding({ said: `web: ${said}` }), finding({ said: "web: Memory limit is not set" })],
      [entry({ said })],
    );
    expect(open).toEqual(["kube-score deployment-replicas Deployment/<environment>/web: web: Memory limit is not set"]);
  });

  it("tells what is in it and found no more, each object by name", () => {
    const ledger = [
      entry({ objects: ["Deployment/<environment>/web", "Deployment/<environment>/gone"] }),
      entry({ check: "service-type", objects: "all" }),
    ];
    expect(reconcile([finding()], ledger)).toEqual({
      open: [],
      stale: ["kube-score deployment-replicas Deployment/<environment>/gone", "kube-score service-type"],
    });
  });

  it("knows one object by one name in every stack, whatever its content", () => {
    expect(objectName("Job", "staging", "taskflow-migrate-781c826576", "staging")).toBe(
      objectName("Job", "production", "taskflow-migrate-5a627854f6", "production"),
    );
    expect(objectName("Service", "gateway", "golive-staging-taskflow", "staging")).toBe(
      "Service/gateway/golive-<environment>-taskflow",
    );
  });
});
