import { everywhere } from "../levels.ts";
import type { ResourceRule } from "../rule.ts";
import { allows, grantsOf } from "./grants.ts";

const writing = ["create", "update", "patch", "delete", "deletecollection"];
const any = ["get", "list", "watch", ...writing];

/** Rights that lead to other rights: what is granted, and what one becomes with it. */
const ways: readonly {
  readonly verbs: readonly string[];
  readonly resources: readonly string[];
  readonly leads: string;
}[] = [
  { verbs: ["escalate", "bind"], resources: ["roles", "clusterroles"], leads: "every right that a role can have" },
  {
    verbs: ["impersonate"],
    resources: ["users", "groups", "serviceaccounts", "userextras/*", "uids"],
    leads: "the rights of anybody",
  },
  {
    verbs: writing,
    resources: ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
    leads: "rights that it gives itself",
  },
  {
    verbs: any,
    resources: [
      "pods/exec",
      "pods/attach",
      "pods/ephemeralcontainers",
      "pods/portforward",
      "pods/proxy",
      "services/proxy",
    ],
    leads: "everything that the pod may and knows",
  },
  { verbs: any, resources: ["nodes/proxy"], leads: "every pod of the machine" },
  { verbs: ["create"], resources: ["serviceaccounts/token"], leads: "the rights of another account" },
  {
    verbs: ["create", "patch", "update"],
    resources: [
      ...["pods", "deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"],
      ...["replicationcontrollers", "podtemplates", "persistentvolumes"],
    ],
    leads: "any account and any Secret of the namespace, by a pod that it writes",
  },
  { verbs: writing, resources: ["namespaces", "networkpolicies"], leads: "pods and connections that were refused" },
  { verbs: ["patch", "update"], resources: ["certificatesigningrequests/approval"], leads: "a login that it approves" },
  {
    verbs: writing,
    resources: [
      ...[
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        "apiservices",
        "customresourcedefinitions",
      ],
      ...["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"],
      ...["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
    ],
    leads: "every request to the API server",
  },
];

/** No account of the stack can become more than it is. */
export const noEscalation: ResourceRule = {
  id: "no-escalation",
  summary:
    "No role may escalate, bind or impersonate, write roles, bindings, workloads, namespaces or NetworkPolicies, enter pods, make tokens, approve certificates or write what judges requests.",
  why: "Who takes over one small program of the stack then has the whole cluster.",
  severity: "critical",
  sources: [
    "S1-36",
    "CKV_K8S_155",
    "CKV_K8S_156",
    "CKV_K8S_157",
    "CKV_K8S_158",
    "CKV2_K8S_2",
    "CKV2_K8S_3",
    "KSV048",
    "KSV053",
  ],
  levels: everywhere,
  example: {
    bad: "rules:\n  - {apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [escalate]}",
    good: "rules:\n  - {apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [get]}",
  },
  judge: (subject) =>
    grantsOf(subject).flatMap(({ path, grant }) =>
      ways
        .filter(({ verbs, resources }) => allows(grant, verbs, resources))
        .map(({ verbs, resources, leads }) => ({
          path,
          found: `one of ${verbs.join(", ")} on one of ${resources.join(", ")}: it leads to ${leads}`,
          wanted: "none of these",
          fix: "take the verb or the resource out",
        })),
    ),
};
