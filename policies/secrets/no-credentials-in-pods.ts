import { everywhere } from "../levels.ts";
import { treeOf } from "../manifest.ts";
import { type ContainerView, type PodView, podsOf } from "../pod.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { inTurn } from "../unknown.ts";
import { credentialIn, namesCredential } from "./credential.ts";
import { credentialsInAnnotations, type Sighting } from "./settings-text.ts";

/** Everybody who may read a pod reads its environment, its arguments and its annotations. */
export const noCredentialsInPods: ResourceRule = {
  id: "no-credentials-in-pods",
  summary:
    "No environment variable, argument, probe, hook or annotation of a pod holds a credential: pods refer to Secrets.",
  why: "What stands in a pod's template is in the state, in every preview and in the hands of all who may list pods.",
  severity: "critical",
  sources: [
    "S0-43",
    "S4-12",
    "S1-28",
    "C-0012",
    "CKV_K8S_35",
    "kube-linter env-var-secret",
    "Polaris sensitiveContainerEnvVar",
  ],
  levels: everywhere,
  example: {
    bad: "env:\n  - {name: DB_PASSWORD, value: …}",
    good: "env:\n  - name: DB_PASSWORD\n    valueFrom: {secretKeyRef: {name: taskflow-green, key: DB_PASSWORD}}",
  },
  *judge(subject) {
    const parts = podsOf(subject).flatMap((pod) => [
      () => annotationProblems(pod),
      ...pod.containers.flatMap((container) =>
        [variableProblems, wordProblems, headerProblems].map((problems) => () => problems(container)),
      ),
    ]);
    yield* inTurn(parts, (part) => part());
  },
};

/** A Pod's own are those of any object: no-credentials-in-objects reads them. */
function* annotationProblems({ path, metadata, operated }: PodView): Generator<Finding> {
  if (path === "" && !operated) return;
  const where = path === "" ? "spec.podMetadata" : `${path}.metadata`;
  for (const sighting of credentialsInAnnotations(where, treeOf(metadata.annotations))) yield finding(sighting);
}

/** A variable may take its value from another one, or from where everybody reads it: its name says what it is. */
function variableProblems({ path, object }: ContainerView): Iterable<Finding> {
  const variables = object.env ?? [];
  return inTurn(variables, ({ name, value, valueFrom }) => {
    const open = valueFrom?.configMapKeyRef !== undefined || valueFrom?.fieldRef !== undefined;
    if (open && namesCredential(name))
      return [finding({ path: `${path}.env[${name}].valueFrom`, found: "what a Secret does not hold" })];
    const [, other] = /^\$\(([\w.-]+)\)$/.exec(value ?? "") ?? [];
    const meant = variables.find((each) => each.name === other)?.value ?? value;
    return meant === undefined ? [] : problemOf(`${path}.env[${name}].value`, name, meant);
  });
}

/** `--password=x`, `--token x`: the word after a flag is its value. The kubelet runs what probes and hooks say, too. */
function wordProblems({ path, object }: ContainerView): Iterable<Finding> {
  const lists = [
    [`${path}.command`, object.command] as const,
    [`${path}.args`, object.args] as const,
    ...handlersOf(object).map(([where, handler]) => [`${path}.${where}.exec.command`, handler.exec?.command] as const),
  ];
  return inTurn(lists, ([where, words = []]) =>
    words.flatMap((word, index) => {
      const [, flag, value] = /^--?([A-Za-z0-9_.-]+)=(.*)$/s.exec(word) ?? [];
      const before = /^--?([A-Za-z0-9_.-]+)$/.exec(words[index - 1] ?? "")?.[1];
      return problemOf(`${where}[${index}]`, flag ?? before ?? "", value ?? word);
    }),
  );
}

/** A probe over HTTP sends headers as they stand here. */
const headerProblems = ({ path, object }: ContainerView): Iterable<Finding> =>
  handlersOf(object).flatMap(([where, { httpGet }]) =>
    (httpGet?.httpHeaders ?? []).flatMap(({ name, value }) =>
      problemOf(`${path}.${where}.httpGet.httpHeaders[${name}]`, name, value),
    ),
  );

const handlersOf = ({ startupProbe, readinessProbe, livenessProbe, lifecycle }: ContainerView["object"]) =>
  Object.entries({
    ...{ startupProbe, readinessProbe, livenessProbe },
    ...{ "lifecycle.postStart": lifecycle?.postStart, "lifecycle.preStop": lifecycle?.preStop },
  }).flatMap(([where, handler]) => (handler === undefined ? [] : [[where, handler] as const]));

function problemOf(path: string, name: string, value: string): readonly Finding[] {
  const found = credentialIn(name, value);
  return found === undefined ? [] : [finding({ path, found })];
}

const finding = (sighting: Sighting): Finding => ({
  ...sighting,
  wanted: "a reference to a Secret",
  fix: "put it into a Secret, and refer to it by valueFrom or a volume",
});
