import { everywhere } from "../levels.ts";
import { at, textOf, treeOf } from "../manifest.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";
import { inTurn } from "../unknown.ts";
import { credentialsInAnnotations, credentialsInText, type Sighting } from "./settings-text.ts";

/** Operators write what their objects say into files of their pods, where no rule on pods looks; a Gateway sends it on. */
const configuring = [
  ...["Kibana", "Elasticsearch", "Logstash", "Beat"],
  ...["Prometheus", "Alertmanager", "AlertmanagerConfig", "PodMonitor", "Probe", "ScrapeConfig", "ServiceMonitor"],
  ...["Cluster", "ObjectStore", "HTTPRoute"],
];

/** What no-credentials-in-pods reads, and lists of the names of Secrets. */
const readElsewhere =
  /^spec\.(secrets|configSecret|podMetadata|containers|initContainers|((nodeSets\[\d+\]|daemonSet|deployment)\.)?podTemplate)$/;

/** Whoever may list an object reads its annotations and its configuration. */
export const noCredentialsInObjects: ResourceRule = {
  id: "no-credentials-in-objects",
  summary:
    "No annotation of any object holds a credential, and no configuration that an operator or a Gateway takes from its object: Kibana, Elasticsearch, Logstash, Beat, Prometheus, Alertmanager, a Cluster, a route.",
  why: "Fewer people may read Secrets than may list these objects, and what stands in them is in the state and in every preview.",
  severity: "critical",
  sources: ["S0-43", "S4-12", "C-0012"],
  levels: everywhere,
  example: {
    bad: "kind: Kibana\nspec:\n  config: {xpack.security.encryptionKey: …}",
    good: "kind: Kibana\nspec:\n  secureSettings: [{secretName: kibana-keys}]",
  },
  *judge(subject) {
    const kind = kindOf(subject);
    if (kind === undefined) return;
    const parts = [
      () => credentialsInAnnotations("metadata", treeOf(at(subject.object, "metadata", "annotations"))),
      ...(configuring.includes(kind) ? [() => credentialsBelow("spec", "", subject.object.spec)] : []),
    ];
    for (const sighting of inTurn(parts, (part) => part())) yield finding(sighting);
  },
};

/** A value is called by its field; in a list of names and values (`additionalArgs`, headers) by the name beside it. */
function* credentialsBelow(path: string, name: string, value: unknown): Generator<Sighting> {
  if (typeof value === "string") return yield* credentialsInText(path, name, value);
  if (Array.isArray(value))
    return yield* inTurn(value.keys(), (index) => credentialsBelow(`${path}[${index}]`, name, value[index]));
  const tree = treeOf(value);
  yield* inTurn(Object.keys(tree), (field) => {
    const inner = `${path}.${field}`;
    if (readElsewhere.test(inner)) return [];
    const called = field === "value" ? (textOf(tree.name) ?? textOf(tree.key)) : undefined;
    return credentialsBelow(inner, called ?? field, tree[field]);
  });
}

const finding = (sighting: Sighting): Finding => ({
  ...sighting,
  wanted: "a reference to a Secret",
  fix: "put it into a Secret, and name that where the kind asks for one",
});
