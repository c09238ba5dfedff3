import { everywhere } from "../levels.ts";
import { textsOf } from "../manifest.ts";
import type { ResourceRule } from "../rule.ts";
import { allows, grantsOf } from "./grants.ts";

/** A pod gets its Secrets from the kubelet: its account needs to read none. */
export const noSecretReads: ResourceRule = {
  id: "no-secret-reads",
  summary: "No role reads, lists or writes Secrets.",
  why: "Listing Secrets is reading all passwords of the namespace at once.",
  severity: "critical",
  sources: ["S1-36", "CKV2_K8S_5", "KSV041", "KSV113", "kube-linter access-to-secrets", "C-0015"],
  levels: everywhere,
  example: {
    bad: 'rules:\n  - {apiGroups: [""], resources: [secrets], verbs: [list]}',
    good: "volumes:\n  - {name: password, secret: {secretName: grafana}}",
  },
  judge: (subject) =>
    grantsOf(subject).flatMap(({ path, grant }) =>
      allows(grant, textsOf(grant.verbs), ["secrets"])
        ? [
            {
              path,
              found: `${textsOf(grant.verbs).join(", ")} on secrets`,
              wanted: "no right on Secrets",
              fix: "mount the Secret into the pod instead",
            },
          ]
        : [],
    ),
};
