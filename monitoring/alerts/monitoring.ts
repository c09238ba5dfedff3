import { minutes } from "../clock.ts";
import { alertmanager } from "../metrics/alertmanager.ts";
import { prometheus } from "../metrics/prometheus.ts";
import { podTargets, targets } from "../metrics/targets.ts";
import { above, absent, constant, countBy, equal, increase, of, or, sumBy } from "../promql/expression.ts";
import { httpServices, jobOf } from "../rules/requests.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { expectedJobs } from "./jobs.ts";
import { runbook } from "./runbook.ts";
import { counter, gauge, series } from "./stories/timeline.ts";

/** Whether what watches is well itself. */
export const monitoringAlerts = (stack: MonitoredStack): readonly Alert[] => [
  watchdog(),
  targetMissing(stack),
  targetDown(stack),
  ruleEvaluationFailures(),
  alertsNotDelivered(),
];

/** Fires always: whoever stops hearing of it knows that nothing would be heard of anything else (dead man's switch). */
function watchdog(): Alert {
  const name = "Watchdog";
  return {
    name,
    severity: "info",
    team: "devops",
    expr: constant(1),
    for: 0,
    summary: "Alerts are evaluated and delivered.",
    description: "This alert always fires (value {{ $value }}): when it stops, nothing watches the stack.",
    runbook: runbook("monitoring", name),
    source: "issue 5, dead man's switch",
    stories: [{ title: "always", series: {}, begins: 0 }],
  };
}

const of15Minutes = (
  name: string,
  labels: Readonly<Record<string, string>>,
  ...during: readonly (number | "gone")[]
) => ({
  [series(name, labels)]: gauge(...during.map((value) => [value, minutes(15)] as const)),
});

/** Target labels of one target of a job, in a story. */
const target = (job: string, namespace?: string) => ({
  job,
  instance: "10.0.0.7:9000",
  ...(namespace === undefined ? {} : { namespace, pod: `${job}-0` }),
});

function targetMissing(stack: MonitoredStack): Alert {
  const name = "TargetMissing";
  const { own, shared } = expectedJobs(stack);
  const { namespace } = stack;
  const missing = [
    ...own.map((job) => sumBy(["job"], absent(of(podTargets.up, { job, namespace })))),
    ...shared.map((job) => sumBy(["job"], absent(of(targets.up, { job })))),
  ];
  const gone = "rollout";
  const all = [...own, ...shared].filter((job) => job !== gone);
  const there = all.map((job) =>
    of15Minutes(targets.up.name, target(job, own.includes(job) ? namespace : undefined), 1, 1, 1),
  );
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: missing.reduce((one, other) => or(one, other)),
    for: minutes(5),
    summary: "Nothing is measured where something should be.",
    description: "Job {{ $labels.job }} has no target (value {{ $value }}): no alert on its metrics can fire.",
    runbook: runbook("monitoring", name),
    source: "issue 5, V13, V14",
    stories: [
      {
        title: "when a job has no target any more",
        series: Object.assign({}, ...there, of15Minutes(targets.up.name, target(gone, namespace), 1, "gone", 1)),
        begins: minutes(15),
        resolved: minutes(30),
        labels: { job: gone },
        description: `Job ${gone} has no target (value 1): no alert on its metrics can fire.`,
      },
      {
        title: "when the job is another stack's",
        series: Object.assign({}, ...there, of15Minutes(targets.up.name, target(gone, "elsewhere"), 1, 1)),
        begins: 0,
        labels: { job: gone },
      },
    ],
  };
}

function targetDown(stack: MonitoredStack): Alert {
  const name = "TargetDown";
  const { own, shared } = expectedJobs(stack);
  const services = httpServices(stack.application).map((service) => jobOf(stack.application, service));
  const mine = equal(of(podTargets.up, { job: { like: own.join("|") }, namespace: stack.namespace }), 0);
  const theirs = equal(of(targets.up, { job: { like: shared.join("|") } }), 0);
  const job = services[0] ?? "rollout";
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: or(countBy(["job"], mine), countBy(["job"], theirs)),
    for: minutes(5),
    summary: "A target does not answer.",
    description: "{{ $value }} targets of job {{ $labels.job }} do not answer Prometheus.",
    runbook: runbook("monitoring", name),
    source: "issue 5",
    stories: [
      {
        title: "when one of two pods does not answer",
        series: {
          ...of15Minutes(targets.up.name, target(job, stack.namespace), 1, 0, 1),
          ...of15Minutes(targets.up.name, { ...target(job, stack.namespace), instance: "10.0.0.8:9000" }, 1, 1, 1),
        },
        begins: minutes(15),
        resolved: minutes(30),
        labels: { job },
        description: `1 targets of job ${job} do not answer Prometheus.`,
      },
    ],
  };
}

function ruleEvaluationFailures(): Alert {
  const name = "RuleEvaluationFailures";
  const group = "/etc/prometheus/rules/taskflow.yaml;taskflow-alerts";
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: above(sumBy(["rule_group"], increase(of(prometheus.evaluationFailures), minutes(5))), 0),
    for: minutes(5),
    summary: "Rules cannot be evaluated.",
    description:
      "{{ $value | humanize }} evaluations failed in 5 minutes in {{ $labels.rule_group }}: its alerts may be silent.",
    runbook: runbook("monitoring", name),
    source: "issue 5; prometheus #13226",
    stories: [
      {
        title: "when a group fails each time",
        series: {
          [series(prometheus.evaluationFailures.name, { ...target("prometheus", "monitoring"), rule_group: group })]:
            counter([0, minutes(10)], [1 / 15, minutes(15)], [0, minutes(15)]),
        },
        begins: minutes(10) + 15,
        resolved: minutes(31),
        labels: { rule_group: group },
      },
    ],
  };
}

/** Through whatever receiver still works; when none does, it is the Watchdog that is missed. */
function alertsNotDelivered(): Alert {
  const name = "AlertsNotDelivered";
  const failed = sumBy(["job"], increase(of(alertmanager.notificationsFailed), minutes(5)));
  const dropped = sumBy(["job"], increase(of(prometheus.notificationsDropped), minutes(5)));
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: above(or(failed, dropped), 0),
    for: minutes(5),
    summary: "Alerts do not reach anybody.",
    description: "{{ $value | humanize }} notifications of {{ $labels.job }} were not delivered in 5 minutes.",
    runbook: runbook("monitoring", name),
    source: "issue 5",
    stories: [
      {
        title: "when mails are refused",
        series: {
          [series(alertmanager.notificationsFailed.name, {
            ...target("alertmanager", "monitoring"),
            integration: "email",
          })]: counter([0, minutes(10)], [1 / 15, minutes(15)], [0, minutes(15)]),
        },
        begins: minutes(10) + 15,
        resolved: minutes(31),
        labels: { job: "alertmanager" },
      },
      {
        title: "when no Alertmanager takes them",
        series: {
          [series(prometheus.notificationsDropped.name, target("prometheus", "monitoring"))]: counter(
            [0, minutes(10)],
            [1 / 15, minutes(15)],
          ),
        },
        begins: minutes(10) + 15,
        labels: { job: "prometheus" },
      },
    ],
  };
}
