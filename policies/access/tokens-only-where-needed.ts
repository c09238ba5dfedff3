import { everywhere } from "../levels.ts";
import { podsOf } from "../pod.ts";
import type { ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** Kubernetes mounts a token for its API into every pod that does not refuse it. */
export const tokensOnlyWhereNeeded: ResourceRule = {
  id: "tokens-only-where-needed",
  summary:
    "A pod refuses the token for the API server, or names an account of its own; no account hands its token out by itself, and no Secret keeps one.",
  why: "A token that nobody uses is a login to the cluster for whoever breaks into the pod.",
  severity: "medium",
  sources: ["S2-22", "CKV_K8S_38", "CKV_K8S_41", "KSV036", "C-0034", "kube-linter default-service-account"],
  levels: everywhere,
  example: {
    bad: "spec:\n  containers: […]",
    good: "spec:\n  automountServiceAccountToken: false\n  containers: […]",
  },
  judge(subject) {
    if (kindOf(subject) === "ServiceAccount") {
      const { automountServiceAccountToken: handsOut = true } = subject.object;
      return handsOut === false
        ? []
        : [
            {
              path: "automountServiceAccountToken",
              found: "every pod of this account gets its token",
              wanted: "false",
              fix: "write automountServiceAccountToken: false here, and true on the pod that needs it",
            },
          ];
    }
    // Such a Secret is filled with a token that never ends.
    if (kindOf(subject) === "Secret" && subject.object.type === "kubernetes.io/service-account-token")
      return [
        {
          path: "type",
          found: "a token without an end",
          wanted: "a token that a pod gets and that ends with it",
          fix: "remove the Secret, and name the account in the pod that needs it",
        },
      ];
    return podsOf(subject).flatMap(({ spec, specPath }) => {
      const account = spec.serviceAccountName ?? "default";
      if (account === "default")
        for (const { name, projected } of spec.volumes ?? [])
          if ((projected?.sources ?? []).some(({ serviceAccountToken }) => serviceAccountToken !== undefined))
            return [
              {
                path: `${specPath}.volumes[${name}].projected`,
                found: "the token of account default",
                wanted: "no token, or a serviceAccountName of its own",
                fix: "take the token out of the volume",
              },
            ];
      if (spec.automountServiceAccountToken === false) return [];
      if (spec.automountServiceAccountToken === true && account !== "default") return [];
      return [
        {
          path: `${specPath}.automountServiceAccountToken`,
          found: `the token of account ${account}${spec.automountServiceAccountToken === true ? "" : ", by default"}`,
          wanted: "false, or true with a serviceAccountName of its own",
          fix: "write automountServiceAccountToken: false",
        },
      ];
    });
  },
};
