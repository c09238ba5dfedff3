import { days, hours, minutes } from "../clock.ts";
import { kubelet } from "../metrics/kubelet.ts";
import { above, and, below, divide, maxBy, minBy, of, or, predictLinear } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { ownNamespaces } from "./namespaces.ts";
import { runbook } from "./runbook.ts";
import { nodeOf, stretch, stretches } from "./stories/stretches.ts";
import { sampled, series } from "./stories/timeline.ts";

/** Room on the volumes of a stack's claims. Volumes of the kind hostPath are not measured. */
export const volumeAlerts = (stack: MonitoredStack): readonly Alert[] => [volumeFillingUp(stack), volumeFull(stack)];

const byClaim = ["namespace", "persistentvolumeclaim"] as const;
const claim = "data-postgres-0";
const description =
  "{{ $value | humanizePercentage }} of the volume of claim {{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} is left";

/** The share of each volume that is left. */
function left(stack: MonitoredStack) {
  const which = { namespace: ownNamespaces(stack) };
  const available = of(kubelet.volumeAvailable, which);
  const capacity = above(maxBy(byClaim, of(kubelet.volumeCapacity, which)), 0);
  return { available, free: divide(maxBy(byClaim, available), capacity) };
}

const labelsOf = ({ namespace }: MonitoredStack) => ({
  ...nodeOf("kubelet"),
  namespace,
  persistentvolumeclaim: claim,
});

const story = (stack: MonitoredStack, ...percent: readonly number[]) => ({
  ...stretches(kubelet.volumeAvailable, labelsOf(stack), ...percent),
  ...stretches(kubelet.volumeCapacity, labelsOf(stack), ...percent.map(() => 100)),
});

/** What is left, or what will be in four days: the second only of a volume that is nearly full, else it is noise. */
function volumeFillingUp(stack: MonitoredStack): Alert {
  const name = "VolumeFillingUp";
  const { namespace } = stack;
  const { available, free } = left(stack);
  const ahead = days(4);
  const soon = below(minBy(byClaim, predictLinear(available, hours(6), ahead)), 0);
  const labels = { namespace, persistentvolumeclaim: claim };
  // A thousandth of a percent each 15 s is 23 % in four days.
  const shrinking = (from: number, step: number) => ({
    [series(kubelet.volumeAvailable.name, labelsOf(stack))]: `${from}-${step}x${stretch / sampled}`,
    [series(kubelet.volumeCapacity.name, labelsOf(stack))]: `100x${stretch / sampled}`,
  });
  return {
    name,
    severity: "warning",
    team: "devops",
    labels: { cause: causes.volume },
    expr: or(below(free, 0.1), and(below(free, 0.15), soon)),
    for: minutes(15),
    summary: "A volume is filling up.",
    description: `${description}, or it will be full within four days.`,
    runbook: runbook("node", name),
    source: "S1-58, S1-70 (disk space)",
    covers: [{ kind: "PersistentVolumeClaim" }],
    stories: [
      {
        title: "until there is room again",
        series: story(stack, 50, 9, 50),
        begins: stretch,
        resolved: 2 * stretch,
        labels,
        description: `9% of the volume of claim ${claim} in ${namespace} is left, or it will be full within four days.`,
      },
      { title: "when it will be full in three days", series: shrinking(14.9, 0.001), begins: sampled, labels },
      { title: "when it stays nearly full", series: story(stack, 9, 9), begins: 0, labels },
      { title: "not when there is room, whatever is to come", series: shrinking(18, 0.001) },
      { title: "not when it stays as full as it is", series: story(stack, 12, 12, 12) },
      {
        title: "not for a volume of somebody else",
        series: stretches(kubelet.volumeAvailable, { ...labelsOf(stack), namespace: "elsewhere" }, 0),
      },
    ],
  };
}

function volumeFull(stack: MonitoredStack): Alert {
  const name = "VolumeFull";
  const { namespace } = stack;
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.volume },
    expr: below(left(stack).free, 0.03),
    for: minutes(1),
    summary: "A volume is full.",
    description: `${description}: what is on it stops.`,
    runbook: runbook("node", name),
    source: "S1-58, S1-70 (disk space)",
    covers: [{ kind: "PersistentVolumeClaim" }],
    stories: [
      {
        title: "until there is room again",
        series: story(stack, 50, 2.5, 50),
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, persistentvolumeclaim: claim },
        description: `2.5% of the volume of claim ${claim} in ${namespace} is left: what is on it stops.`,
      },
      { title: "not at the bound", series: story(stack, 3, 3) },
    ],
  };
}
