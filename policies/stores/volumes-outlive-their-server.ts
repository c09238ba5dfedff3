import { at, listOf, textOf } from "../manifest.ts";
import type { Finding, ResourceRule, Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** Controllers and operators delete volumes by themselves when they are told to. */
export const volumesOutliveTheirServer: ResourceRule = {
  id: "volumes-outlive-their-server",
  summary: "Volumes stay when the server that made them is deleted or scaled down.",
  why: "A replaced StatefulSet, or a restored Cluster, would otherwise start on an empty disk.",
  severity: "critical",
  sources: ["S4-29", "S4-74"],
  levels: { local: "disabled", staging: "mandatory", production: "mandatory" },
  example: {
    bad: "persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}",
    good: "persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}",
  },
  judge(subject) {
    switch (kindOf(subject)) {
      case "StatefulSet":
        return listOf(at(subject.object, "spec", "volumeClaimTemplates")).length === 0 ? [] : retained(subject);
      case "Prometheus":
      case "Alertmanager":
        return at(subject.object, "spec", "storage") === undefined ? [] : retained(subject);
      case "Elasticsearch": {
        const policy = textOf(at(subject.object, "spec", "volumeClaimDeletePolicy"));
        return policy === "DeleteOnScaledownOnly"
          ? []
          : [
              {
                path: "spec.volumeClaimDeletePolicy",
                found: policy ?? "none, which deletes them",
                wanted: "DeleteOnScaledownOnly",
                fix: "write volumeClaimDeletePolicy: DeleteOnScaledownOnly",
              },
            ];
      }
      default:
        return [];
    }
  },
};

const retained = (subject: Subject): readonly Finding[] =>
  ["whenDeleted", "whenScaled"].flatMap((field) => {
    // Kubernetes retains where nothing is said.
    const policy = textOf(at(subject.object, "spec", "persistentVolumeClaimRetentionPolicy", field)) ?? "Retain";
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`;
    return policy === "Retain" ? [] : [{ path, found: policy, wanted: "Retain", fix: `write ${field}: Retain` }];
  });
