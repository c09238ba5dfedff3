import { everywhere } from "../levels.ts";
import { textOf, treeOf } from "../manifest.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";
import { inTurn } from "../unknown.ts";
import { isReportToCome } from "./report.ts";
import { credentialsInText } from "./settings-text.ts";

/** A ConfigMap is a Secret that everybody may read. */
export const noCredentialsInConfigmaps: ResourceRule = {
  id: "no-credentials-in-configmaps",
  summary: "No ConfigMap holds a credential, by its name, by its form or inside a file of JSON or settings.",
  why: "ConfigMaps are readable for every account that may look at a namespace, and stand in clear in state and previews.",
  severity: "critical",
  sources: [
    "S0-02",
    "S0-43",
    "S4-12",
    "C-0012",
    "kube-linter configmap-with-credentials",
    "Polaris sensitiveConfigmapContent",
  ],
  levels: everywhere,
  example: {
    bad: "kind: ConfigMap\ndata: {REDIS_URL: 'redis://taskflow:…@redis:6379'}",
    good: "kind: Secret\nstringData: {REDIS_URL: …}",
  },
  *judge(subject) {
    if (kindOf(subject) !== "ConfigMap") return;
    const data = treeOf(subject.object.data);
    yield* inTurn(Object.keys(data), (name) =>
      isReportToCome(subject, name) ? [] : problemsOf(`data[${name}]`, name, textOf(data[name]) ?? ""),
    );
    const encoded = treeOf(subject.object.binaryData);
    yield* inTurn(Object.keys(encoded), (name) =>
      problemsOf(`binaryData[${name}]`, name, Buffer.from(textOf(encoded[name]) ?? "", "base64").toString("utf8")),
    );
  },
};

const problemsOf = (path: string, name: string, text: string): readonly Finding[] =>
  credentialsInText(path, name, text).map((sighting) => ({
    ...sighting,
    wanted: "no credential in a ConfigMap",
    fix: "move it into a Secret",
  }));
