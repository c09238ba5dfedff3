import { describe, expect, it } from "vitest";
import { bindingsStayInside } from "../../policies/access/bindings-stay-inside.ts";
import { noEscalation } from "../../policies/access/no-escalation.ts";
import { noSecretReads } from "../../policies/access/no-secret-reads.ts";
import { noWildcards } from "../../policies/access/no-wildcards.ts";
import { tokensOnlyWhereNeeded } from "../../policies/access/tokens-only-where-needed.ts";
import { writesNameTheirObjects } from "../../policies/access/writes-name-their-objects.ts";
import { object, objections, workload } from "../support/policy-cases.ts";

const role = (resources: readonly string[], verbs: readonly string[], more = {}) =>
  object("Role", "one", { rules: [{ apiGroups: [""], resources, verbs, ...more }] });
const allRights = [noWildcards, noEscalation, noSecretReads, writesNameTheirObjects];

describe("the rules on roles", () => {
  it("let a role watch what it needs, and change one object by its name", () => {
    const good = [
      role(["pods"], ["list", "watch"]),
      role(["httproutes"], ["get", "patch"], { resourceNames: ["shop"] }),
    ];
    expect(allRights.flatMap((rule) => objections(rule, good))).toEqual([]);
  });

  it("object to a wildcard in every field", () => {
    const wild = [
      role(["*"], ["list"]),
      role(["pods"], ["*"], { resourceNames: ["a"] }),
      role(["pods"], ["list"], { apiGroups: ["*"] }),
      role(["pods/*"], ["list"]),
    ];
    expect(objections(noWildcards, wild)).toMatchInlineSnapshot(`
      [
        "Role/production/one rules[0].resources: found *; wanted names. Fix: list what it needs, one by one",
        "Role/production/one rules[0].verbs: found *; wanted names. Fix: list what it needs, one by one",
        "Role/production/one rules[0].apiGroups: found *; wanted names. Fix: list what it needs, one by one",
        "Role/production/one rules[0].resources: found *; wanted names. Fix: list what it needs, one by one",
      ]
    `);
  });

  it.each([
    ["roles", "escalate"],
    ["clusterroles", "bind"],
    ["serviceaccounts", "impersonate"],
    ["rolebindings", "create"],
    ["pods/exec", "create"],
    ["pods/attach", "get"],
    ["nodes/proxy", "get"],
    ["serviceaccounts/token", "create"],
    ["deployments", "patch"],
    ["certificatesigningrequests/approval", "update"],
    ["mutatingwebhookconfigurations", "patch"],
  ])("object to %s with %s: it leads to more rights than are written", (resource, verb) => {
    expect(objections(noEscalation, [role([resource], [verb])])).toHaveLength(1);
  });

  it("say where an escalation leads", () => {
    expect(objections(noEscalation, [role(["pods"], ["create"])])).toMatchInlineSnapshot(`
      [
        "Role/production/one rules[0]: found one of create, patch, update on one of pods, deployments, statefulsets, daemonsets, replicasets, jobs, cronjobs, replicationcontrollers, podtemplates, persistentvolumes: it leads to any account and any Secret of the namespace, by a pod that it writes; wanted none of these. Fix: take the verb or the resource out",
      ]
    `);
  });

  it("object to any right on Secrets, and to changes without a name", () => {
    expect(objections(noSecretReads, [role(["secrets"], ["list"])])).toMatchInlineSnapshot(`
      [
        "Role/production/one rules[0]: found list on secrets; wanted no right on Secrets. Fix: mount the Secret into the pod instead",
      ]
    `);
    expect(objections(noSecretReads, [role(["secrets"], ["get"], { resourceNames: ["one"] })])).toHaveLength(1);
    expect(objections(writesNameTheirObjects, [role(["httproutes"], ["patch"])])).toMatchInlineSnapshot(`
      [
        "Role/production/one rules[0].resourceNames: found patch on any of httproutes; wanted the names of the objects. Fix: write resourceNames",
      ]
    `);
  });
});

describe("bindings-stay-inside", () => {
  const account = object("ServiceAccount", "guard");
  const guard = object("Role", "guard", { rules: [] });
  const bind = (roleRef: object, ...subjects: readonly object[]) =>
    object("RoleBinding", "guard", { roleRef, subjects });
  const own = { kind: "ServiceAccount", name: "guard", namespace: "production" };

  it("objects to a role or somebody from outside of the stack", () => {
    const stack = [account, guard];
    expect(objections(bindingsStayInside, [...stack, bind({ kind: "Role", name: "guard" }, own)])).toEqual([]);
    const bad = bind({ kind: "ClusterRole", name: "cluster-admin" }, own, {
      kind: "Group",
      name: "system:authenticated",
    });
    expect(objections(bindingsStayInside, [...stack, bad])).toMatchInlineSnapshot(`
      [
        "RoleBinding/production/guard roleRef: found ClusterRole cluster-admin, which the stack does not declare; wanted a role of the stack. Fix: declare a role with the few rights that are needed",
        "RoleBinding/production/guard subjects[1]: found Group system:authenticated, which the stack does not declare; wanted a ServiceAccount of the stack. Fix: bind the account of the pod that needs it",
      ]
    `);
  });
});

describe("tokens-only-where-needed", () => {
  it("lets a pod refuse the token, or take that of an account of its own", () => {
    const good = [
      workload("none", { pod: { automountServiceAccountToken: false } }),
      workload("own", { pod: { automountServiceAccountToken: true, serviceAccountName: "own" } }),
      object("ServiceAccount", "own", { automountServiceAccountToken: false }),
    ];
    expect(objections(tokensOnlyWhereNeeded, good)).toEqual([]);
  });

  it("objects to the token that nobody asked for", () => {
    const bad = [
      workload("silent"),
      workload("default", { pod: { automountServiceAccountToken: true } }),
      object("ServiceAccount", "own"),
    ];
    expect(objections(tokensOnlyWhereNeeded, bad)).toMatchInlineSnapshot(`
      [
        "Deployment/production/silent spec.template.spec.automountServiceAccountToken: found the token of account default, by default; wanted false, or true with a serviceAccountName of its own. Fix: write automountServiceAccountToken: false",
        "Deployment/production/default spec.template.spec.automountServiceAccountToken: found the token of account default; wanted false, or true with a serviceAccountName of its own. Fix: write automountServiceAccountToken: false",
        "ServiceAccount/production/own automountServiceAccountToken: found every pod of this account gets its token; wanted false. Fix: write automountServiceAccountToken: false here, and true on the pod that needs it",
      ]
    `);
  });
});
