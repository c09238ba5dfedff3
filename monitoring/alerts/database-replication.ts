import { minutes } from "../clock.ts";
import { cloudnativePg } from "../metrics/cloudnative-pg.ts";
import { above, and, equal, fallsBelow, increase, maxBy, of, sumBy } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { stretch, stretches } from "./stories/stretches.ts";
import { counter, series } from "./stories/timeline.ts";

/** Only where there are several servers: CloudNativePG's own metrics, of each instance. */
export const replicationAlerts = (stack: MonitoredStack): readonly Alert[] => [
  replicationLag(stack),
  replicationStopped(stack),
  synchronousStandbysMissing(stack),
  archivingFails(stack),
];

const byPod = ["namespace", "pod"] as const;
const about = { team: "dba", labels: { cause: causes.database } } as const;

/** Labels of one instance in a story. */
const instanceOf = ({ namespace }: MonitoredStack, number: 1 | 2) => ({
  job: "cloudnative-pg",
  instance: `10.0.1.${number}:9187`,
  namespace,
  pod: `postgres-${number}`,
});

function replicationLag(stack: MonitoredStack): Alert {
  const name = "ReplicationLag";
  const { namespace } = stack;
  const [primary, standby] = [instanceOf(stack, 1), instanceOf(stack, 2)];
  return {
    name,
    severity: "warning",
    ...about,
    expr: above(maxBy(byPod, of(cloudnativePg.replicationLag, { namespace })), 30),
    for: minutes(5),
    summary: "A standby is behind its primary.",
    description:
      "{{ $labels.pod }} in {{ $labels.namespace }} is {{ $value | humanizeDuration }} behind: a failover to it would take as long.",
    runbook: runbook("database", name),
    source: "issue 5, replication",
    stories: [
      {
        title: "when a standby falls behind",
        series: {
          ...stretches(cloudnativePg.replicationLag, primary, 0, 0, 0),
          ...stretches(cloudnativePg.replicationLag, standby, 0, 36, 1),
        },
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, pod: standby.pod },
        description: `${standby.pod} in ${namespace} is 36s behind: a failover to it would take as long.`,
      },
      { title: "not for half a minute", series: stretches(cloudnativePg.replicationLag, standby, 30, 30) },
    ],
  };
}

/** Lag does not tell: a standby that receives nothing has replayed all that it received, and its lag is 0. */
function replicationStopped(stack: MonitoredStack): Alert {
  const name = "ReplicationStopped";
  const { namespace } = stack;
  const [primary, standby] = [instanceOf(stack, 1), instanceOf(stack, 2)];
  const receives = maxBy(byPod, of(cloudnativePg.walReceiverUp, { namespace }));
  return {
    name,
    severity: "warning",
    ...about,
    expr: and(equal(receives, 0), equal(maxBy(byPod, of(cloudnativePg.inRecovery, { namespace })), 1)),
    for: minutes(5),
    summary: "A standby receives nothing from its primary.",
    description:
      "{{ $labels.pod }} in {{ $labels.namespace }} is a standby; connections to its primary: {{ $value }}. It cannot take over without loss.",
    runbook: runbook("database", name),
    source: "issue 5, replication",
    stories: [
      {
        title: "when a standby is cut off, although its lag is 0",
        series: {
          ...stretches(cloudnativePg.inRecovery, primary, 0, 0, 0),
          ...stretches(cloudnativePg.walReceiverUp, primary, 0, 0, 0),
          ...stretches(cloudnativePg.inRecovery, standby, 1, 1, 1),
          ...stretches(cloudnativePg.walReceiverUp, standby, 1, 0, 1),
          ...stretches(cloudnativePg.replicationLag, standby, 0, 0, 0),
        },
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, pod: standby.pod },
        description: `${standby.pod} in ${namespace} is a standby; connections to its primary: 0. It cannot take over without loss.`,
      },
      {
        title: "not for a primary, which receives nothing ever",
        series: {
          ...stretches(cloudnativePg.inRecovery, primary, 0, 0),
          ...stretches(cloudnativePg.walReceiverUp, primary, 0, 0),
        },
      },
    ],
  };
}

/** `expected` is what a commit waits for (0 where nothing is synchronous): with fewer standbys, every write waits. */
function synchronousStandbysMissing(stack: MonitoredStack): Alert {
  const name = "SynchronousStandbysMissing";
  const { namespace } = stack;
  const [primary, standby] = [instanceOf(stack, 1), instanceOf(stack, 2)];
  const isPrimary = equal(of(cloudnativePg.inRecovery, { namespace }), 0);
  const streaming = maxBy(["namespace"], and(of(cloudnativePg.streamingReplicas, { namespace }), isPrimary));
  const expected = maxBy(["namespace"], of(cloudnativePg.syncReplicas, { namespace, value: "expected" }));
  const story = (needed: number, ...there: readonly number[]) => ({
    ...stretches(cloudnativePg.inRecovery, primary, ...there.map(() => 0)),
    ...stretches(cloudnativePg.inRecovery, standby, ...there.map(() => 1)),
    ...stretches(cloudnativePg.streamingReplicas, primary, ...there),
    // A standby may have followers of its own; no commit waits for them.
    ...stretches(cloudnativePg.streamingReplicas, standby, ...there.map(() => 1)),
    ...stretches(cloudnativePg.syncReplicas, { ...primary, value: "expected" }, ...there.map(() => needed)),
    ...stretches(cloudnativePg.syncReplicas, { ...primary, value: "max" }, ...there.map(() => 2)),
  });
  return {
    name,
    severity: "critical",
    ...about,
    expr: fallsBelow(streaming, expected),
    for: minutes(2),
    summary: "Writes wait for a standby that is not there.",
    description:
      "{{ $value }} standbys of {{ $labels.namespace }} receive from the primary, fewer than a commit waits for: nothing can be written.",
    runbook: runbook("database", name),
    source: "issue 5, replication; components/database/cloudnative-pg.ts: dataDurability required",
    covers: [{ kind: "Cluster", name: "postgres" }],
    stories: [
      {
        title: "when the last standby is gone",
        series: story(1, 2, 0, 1),
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace },
        description: `0 standbys of ${namespace} receive from the primary, fewer than a commit waits for: nothing can be written.`,
      },
      { title: "not while one of two is left", series: story(1, 2, 1) },
      { title: "not where no commit waits for anybody", series: story(0, 0, 0) },
    ],
  };
}

/** What is not archived stays on the server's volume, until that is full and the server stops. */
function archivingFails(stack: MonitoredStack): Alert {
  const name = "WalArchivingFails";
  const { namespace } = stack;
  const window = minutes(15);
  const failed = series(cloudnativePg.archiveFailures.name, instanceOf(stack, 1));
  const from = stretch;
  return {
    name,
    severity: "warning",
    team: "dba",
    labels: { cause: causes.backup },
    expr: above(sumBy(["namespace"], increase(of(cloudnativePg.archiveFailures, { namespace }), window)), 0),
    for: minutes(15),
    summary: "The write-ahead log cannot be archived.",
    description:
      "{{ $value | humanize }} attempts to archive the log of {{ $labels.namespace }} failed within 15 minutes; what is newer " +
      "than the last good one cannot be restored, and the log fills the server's volume.",
    runbook: runbook("database", name),
    source: "issue 5, backups",
    stories: [
      {
        title: "when the object store refuses",
        series: { [failed]: counter([0, from], [1 / 15, stretch], [0, stretch]) },
        begins: from + 15,
        resolved: from + stretch + window,
        labels: { namespace },
      },
      {
        title: "not for one attempt that was repeated",
        series: { [failed]: counter([0, from], [1 / 15, 15], [0, stretch]) },
      },
    ],
  };
}
