import { type Colour, otherColour } from "../../../applications/application.ts";
import { rollout } from "../../metrics/rollout.ts";
import type { MonitoredStack } from "../../stack.ts";
import { gauge, type Phase, series } from "./timeline.ts";

/** Labels of the pod that reads the route, in a story. */
export const readerOf = ({ application: { name }, namespace }: MonitoredStack) => ({
  job: "rollout",
  instance: "10.0.0.9:9189",
  namespace,
  pod: `${name}-rollout-metrics-5c4b`,
  application: name,
});

/** What the route says while the candidate has these shares of the traffic, each for some real seconds. */
export function weights(
  stack: MonitoredStack,
  candidate: Colour,
  ...phases: readonly (readonly [percent: number, seconds: number])[]
): Readonly<Record<string, string>> {
  const reader = readerOf(stack);
  const asked = gauge(...phases);
  const rest = gauge(...phases.map(([percent, seconds]): Phase => [100 - percent, seconds]));
  return {
    [series(rollout.candidateTraffic.name, { ...reader, candidate })]: asked,
    [series(rollout.weight.name, { ...reader, colour: candidate })]: asked,
    [series(rollout.weight.name, { ...reader, colour: otherColour(candidate) })]: rest,
  };
}
