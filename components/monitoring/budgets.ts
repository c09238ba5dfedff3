import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";

/** Keeps one of two pods through node drains; undefined where one is all there is, since it would block every drain. */
export function serverBudget(settings: Settings, name: string): types.input.policy.v1.PodDisruptionBudget | undefined {
  const { namespace, replicas } = settings.monitoring;
  if (replicas < 2) return undefined;
  const labels = labelsOf(settings, name);
  return { metadata: { name, namespace, labels }, spec: { maxUnavailable: 1, selector: { matchLabels: labels } } };
}
