import { days, minutes } from "../clock.ts";
import { probe } from "../metrics/probe.ts";
import { below, equal, maxBy, minBy, minus, of } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { gauge, series } from "./stories/timeline.ts";

/** What the probe of the public address finds: the one view that begins where users are. */
export const publicHostAlerts = (stack: MonitoredStack): readonly Alert[] => [
  publicHostDown(stack),
  certificate(stack, {
    name: "CertificateExpiry",
    severity: "warning",
    left: 14,
    summary: "A certificate must be renewed.",
  }),
  certificate(stack, {
    name: "CertificateExpiresSoon",
    severity: "critical",
    left: 3,
    summary: "A certificate is about to expire.",
  }),
];

const target = ({ hostname }: MonitoredStack) => ({ job: "probe", instance: `https://${hostname}/` });

function publicHostDown(stack: MonitoredStack): Alert {
  const name = "PublicHostDown";
  const { instance } = target(stack);
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.availability },
    expr: equal(maxBy(["instance"], of(probe.success)), 0),
    for: minutes(1),
    summary: "The public host does not answer.",
    description:
      "{{ $labels.instance }} was not answered as it should be for a minute; probes that succeed: {{ $value }}.",
    runbook: runbook("application", name),
    source: "S1-74, issue 5",
    covers: [{ kind: "HTTPRoute" }, { kind: "Gateway" }],
    stories: [
      {
        title: "when every probe fails",
        series: {
          [series(probe.success.name, target(stack))]: gauge([1, minutes(5)], [0, minutes(5)], [1, minutes(5)]),
        },
        begins: minutes(5),
        resolved: minutes(10),
        labels: { instance },
        description: `${instance} was not answered as it should be for a minute; probes that succeed: 0.`,
      },
      {
        title: "not for a few probes in a row",
        series: {
          [series(probe.success.name, target(stack))]: gauge([1, minutes(5)], [0, 60], [1, minutes(5)]),
        },
      },
    ],
  };
}

function certificate(
  stack: MonitoredStack,
  { name, severity, left, summary }: Pick<Alert, "name" | "severity" | "summary"> & { readonly left: number },
): Alert {
  const { instance } = target(stack);
  const expiry = series(probe.certificateExpiry.name, target(stack));
  // promtool's time begins at 0: a certificate that was made for so long, and is renewed after a quarter of an hour.
  const renewed = days(90);
  return {
    name,
    severity,
    team: "security",
    labels: { cause: causes.certificate },
    expr: below(minus(minBy(["instance"], of(probe.certificateExpiry)), "time()"), { seconds: days(left) }),
    for: minutes(5),
    summary,
    description: `The certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}; less than ${left} days are left.`,
    runbook: runbook("application", name),
    source: "S1-74, issue 5",
    covers: [{ kind: "Certificate" }],
    stories: [
      {
        title: "until the certificate is renewed",
        series: { [expiry]: gauge([days(left) + minutes(5), minutes(20)], [renewed, minutes(5)]) },
        begins: minutes(5) + 15,
        resolved: minutes(20),
        labels: { instance },
      },
      {
        title: "not for a certificate that is good for longer",
        series: { [expiry]: gauge([days(left) + minutes(30), minutes(25)]) },
      },
    ],
  };
}
