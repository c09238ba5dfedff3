import { everywhere } from "../levels.ts";
import { leavesOf, textOf, treeOf } from "../manifest.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";
import { inTurn } from "../unknown.ts";
import { credentialForm, credentialIn } from "./credential.ts";
import { isReportToCome } from "./report.ts";

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

function problemsOf(path: string, name: string, text: string): readonly Finding[] {
  const json = jsonOf(text);
  if (json !== undefined)
    return leavesOf(json).flatMap((leaf) => valueProblems(`${path}.${leaf.path}`, leaf.key, leaf.text));
  if (!text.includes("\n")) return valueProblems(path, name, text);
  const form = credentialForm(text);
  // A program names passwords that it is given: only lines of settings (`password: x`, `PASSWORD=x`) are read by name.
  const lines = /\.(mjs|js|ts|sql)$/.test(name) ? [] : text.split("\n");
  const named = lines.flatMap((line, index) => {
    const [, key = "", value = ""] = setting.exec(line) ?? pair.exec(line) ?? [];
    return valueProblems(`${path} line ${index + 1}`, key, value, line);
  });
  return form === undefined ? named : [finding(path, form), ...named];
}

/** `password: x`, `- password: x`, `export PASSWORD=x`. */
const setting = /^\s*(?:-\s+)?(?:export\s+)?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^"'\s]*)/;
/** `requirepass x`: a line of two words, as Redis and others have them. */
const pair = /^\s*([\w.-]+)\s+["']?([^"'\s]+)["']?\s*$/;

function valueProblems(path: string, key: string, value: string, among?: string): readonly Finding[] {
  const found = credentialIn(key, value, among);
  return found === undefined ? [] : [finding(path, found)];
}

const finding = (path: string, found: string): Finding => ({
  path,
  found,
  wanted: "no credential in a ConfigMap",
  fix: "move it into a Secret",
});

/** The text as JSON, when it is an object or a list of it. */
function jsonOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
