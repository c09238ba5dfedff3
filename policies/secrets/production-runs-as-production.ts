import { inProduction } from "../levels.ts";
import { at, nameOf, namespaceOf, textOf, treeOf } from "../manifest.ts";
import { type ContainerView, podsOf } from "../pod.ts";
import type { Finding, StackRule, Subject } from "../rule.ts";
import { isRelease, ofKind } from "../stack.ts";

/** What stands where no reviewer reads it. */
const elsewhere = "a value from elsewhere";
const chatty = ["debug", "trace", "silly", "verbose", "all", elsewhere];

/** Frameworks print stack traces, queries and tokens when they believe that a developer reads them. */
export const productionRunsAsProduction: StackRule = {
  id: "production-runs-as-production",
  summary: "Every container of a release in production has NODE_ENV=production, no debug log level and no DEBUG.",
  why: "In another mode, errors show users the inside of the program, and logs hold what users typed.",
  severity: "high",
  sources: ["S1-28"],
  levels: inProduction,
  example: {
    bad: "data: {NODE_ENV: staging, LOG_LEVEL: debug}",
    good: "data: {NODE_ENV: production, LOG_LEVEL: info}",
  },
  judgeStack: (subjects) =>
    subjects.filter(isRelease).flatMap((subject) =>
      podsOf(subject).flatMap(({ containers }) =>
        containers
          .filter(({ list }) => list === "containers")
          .flatMap((container) => problemsOf(container, environmentOf(container, namespaceOf(subject), subjects)))
          .map((finding) => ({ subject, finding })),
      ),
    ),
};

/** A container's variables in clear: of its ConfigMaps, then its own. */
function environmentOf({ object }: ContainerView, namespace: string, subjects: readonly Subject[]) {
  const maps = ofKind(subjects, "ConfigMap").filter((map) => namespaceOf(map) === namespace);
  const dataOf = (wanted: string | undefined) =>
    maps.filter((map) => nameOf(map) === wanted).flatMap((map) => Object.entries(treeOf(at(map.object, "data"))));
  const shared = (object.envFrom ?? []).flatMap(({ prefix = "", configMapRef }) =>
    dataOf(configMapRef?.name).map(([name, value]) => [`${prefix}${name}`, value] as const),
  );
  const own = (object.env ?? []).map(({ name, value, valueFrom }) => {
    if (valueFrom === undefined) return [name, value] as const;
    const { configMapKeyRef } = valueFrom;
    const [, found = elsewhere] = dataOf(configMapKeyRef?.name).find(([key]) => key === configMapKeyRef?.key) ?? [];
    return [name, found] as const;
  });
  return new Map<string, unknown>([...shared, ...own]);
}

function problemsOf({ path }: ContainerView, environment: ReadonlyMap<string, unknown>): readonly Finding[] {
  const found = (name: string, wanted: string): Finding => ({
    path: `${path}.env[${name}]`,
    found: textOf(environment.get(name)) ?? "nothing",
    wanted,
    fix: `set ${name} in the colour's ConfigMap: ${wanted}`,
  });
  const level = textOf(environment.get("LOG_LEVEL")) ?? "info";
  return [
    ...(environment.get("NODE_ENV") === "production" ? [] : [found("NODE_ENV", "production")]),
    ...(chatty.includes(level.toLowerCase()) ? [found("LOG_LEVEL", "info")] : []),
    ...((environment.get("DEBUG") ?? "") === "" ? [] : [found("DEBUG", "nothing")]),
  ];
}
