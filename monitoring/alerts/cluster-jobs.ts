import { days, hours, minutes } from "../clock.ts";
import { kubeStateMetrics } from "../metrics/kube-state-metrics.ts";
import { above, from, maxBy, of } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { databaseJobs } from "./database-backups.ts";
import { failedJobFor, failedJobStories, failedJobs } from "./failed-jobs.ts";
import { ownNamespaces } from "./namespaces.ts";
import { runbook } from "./runbook.ts";
import { objectsTarget } from "./stories/stretches.ts";
import { gauge, series } from "./stories/timeline.ts";

/** Whether what runs now and then ran, and ended well. */
export const jobAlerts = (stack: MonitoredStack): readonly Alert[] => [jobFailed(stack), cronJobLate(stack)];

function jobFailed(stack: MonitoredStack): Alert {
  const name = "JobFailed";
  // Those of the database have alerts of their own, and another team.
  const others = Object.values(databaseJobs(stack) ?? {}).join("|");
  const stories = failedJobStories(stack, "cleanup-29385570", "postgres-backup-29385570");
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: failedJobs(stack, { unlike: others }),
    for: failedJobFor,
    summary: "A Job failed.",
    description:
      "Job {{ $labels.job_name }} in {{ $labels.namespace }}, begun {{ $value | humanizeDuration }} ago, failed.",
    runbook: runbook("node", name),
    source: "S4-79",
    covers: [{ kind: "Job" }, { kind: "CronJob" }],
    stories,
  };
}

/** A CronJob that is suspended is never due. */
function cronJobLate(stack: MonitoredStack): Alert {
  const name = "CronJobLate";
  const { namespace } = stack;
  const due = maxBy(["namespace", "cronjob"], of(kubeStateMetrics.cronJobNext, { namespace: ownNamespaces(stack) }));
  const late = hours(1);
  const next = series(kubeStateMetrics.cronJobNext.name, { ...objectsTarget, namespace, cronjob: "postgres-backup" });
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: above(from("time()", due), { seconds: late }),
    for: minutes(5),
    summary: "A CronJob did not run when it should have.",
    description: "CronJob {{ $labels.cronjob }} in {{ $labels.namespace }} is {{ $value | humanizeDuration }} late.",
    runbook: runbook("node", name),
    source: "S4-79, issue 5",
    covers: [{ kind: "CronJob" }],
    stories: [
      {
        title: "until it runs",
        // promtool's time begins at 0, which is when it was due.
        series: { [next]: gauge([0, late + minutes(20)], [days(1), minutes(20)]) },
        begins: late + 15,
        resolved: late + minutes(20),
        labels: { namespace, cronjob: "postgres-backup" },
      },
      { title: "not for one that is due tomorrow", series: { [next]: gauge([days(1), late + minutes(40)]) } },
    ],
  };
}
