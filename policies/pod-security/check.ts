import { everywhere } from "../levels.ts";
import { type ContainerView, type PodView, podsOf } from "../pod.ts";
import type { Finding, ResourceRule, RuleText } from "../rule.ts";
import { inTurn } from "../unknown.ts";
import type { EffectiveSecurity, Setting } from "./effective.ts";

/** The versions of the Pod Security Standards that the rules know, as minor versions of Kubernetes 1. */
export const oldestMinor = 30;
export const newestMinor = 37;

/** One check of the Pod Security Standards. */
export interface Check extends Pick<RuleText, "summary" | "why" | "severity" | "example"> {
  /** Kubernetes' own id of it. */
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** The first minor version that has it. Default: older than all that are known here. */
  readonly since?: number;
  find(pod: PodView, minor: number): Iterable<Finding>;
}

/** A check as a rule on every resource that makes pods. */
export function podSecurityRule({ id, level, since = 0, find, ...text }: Check): ResourceRule {
  return {
    id,
    ...text,
    sources: [`Pod Security Standards, ${level}: ${id}`, "S1-36", "S2-22"],
    levels: everywhere,
    *judge(subject, { podSecurityMinor: minor = newestMinor }) {
      if (minor < since) return;
      yield* inTurn(podsOf(subject), (pod) => find(pod, minor));
    },
  };
}

/** What a check says of each container, whichever list it stands in. */
export function eachContainer(pod: PodView, find: (container: ContainerView) => Iterable<Finding>) {
  return inTurn(pod.containers, find);
}

/**
 * Every place of a pod that sets a field: the pod itself, also when all containers say otherwise, since the next container inherits
 * it; and each container that does.
 */
export function* placesOf<K extends PodLevel>(pod: PodView, key: K): Generator<Said<K>, void> {
  const path = `${pod.specPath}.securityContext.${key}`;
  const shared = pod.spec.securityContext?.[key] ?? undefined;
  if (shared !== undefined) yield { value: shared as Said<K>["value"], path };
  yield* inTurn(pod.containers, function* ({ security }) {
    const { [key]: effective } = security as { readonly [P in PodLevel]: Setting<Said<P>["value"]> };
    if (effective.value !== undefined && effective.path !== path) {
      yield { value: effective.value, path: effective.path } as Said<K>;
    }
  });
}

type PodLevel =
  | "appArmorProfile"
  | "runAsNonRoot"
  | "runAsUser"
  | "seLinuxOptions"
  | "seccompProfile"
  | "windowsOptions";

interface Said<K extends PodLevel> {
  readonly value: NonNullable<EffectiveSecurity[K]["value"]>;
  readonly path: string;
}

/** Pods for Windows have no Linux security context to be restricted: the API server refuses one on them. */
export const isForWindows = ({ spec }: PodView): boolean => spec.os?.name === "windows";

/** Since 1.35: root in a pod that has a user namespace of its own is nobody on the machine. */
export const hasOwnUsers = ({ spec }: PodView, minor: number): boolean => minor >= 35 && spec.hostUsers === false;
