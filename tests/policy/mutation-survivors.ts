/** Mutations that no rule catches, and why none must. One that no mutation needs any more is a failure. */
export interface Survivor {
  /** Of the line `<Kind>/<namespace>/<name> <field> <what stands there now>`. */
  readonly mutation: RegExp;
  readonly reason: string;
}

export const survivors: readonly Survivor[] = [
  {
    mutation: / \S*securityContext\.runAsUser removed$/,
    reason:
      "runAsNonRoot stands, and the kubelet starts no image as root under it; Filebeat's user is exempt as a whole",
  },
  {
    mutation: / \S*securityContext\.fsGroup(ChangePolicy)? removed$/,
    reason: "without it a program cannot write its volume, or waits for it: it loses rights, and gets none",
  },
  {
    mutation: /^(CronJob|Deployment|Job|Logstash|StatefulSet)\/\S+ \S*volumeMounts\.\d+\.readOnly removed$/,
    reason:
      "the kubelet mounts ConfigMaps and Secrets read-only by itself, and the other volumes are the pod's own; a machine's directory has a rule",
  },
  {
    mutation: /^HTTPRoute\/\S+-(internal|assets)-(blue|green) spec\.rules\.\d+\.backendRefs\.0\.weight removed$/,
    reason: "one backend gets all requests, whatever its weight",
  },
  {
    mutation: /^Namespace\/(monitoring|logging)-nodes metadata\.labels\.pod-security\.kubernetes\.io\/enforce removed$/,
    reason: "these namespaces are exempt: no level is what `privileged` is",
  },
  {
    mutation:
      /^Logstash\/logging\/logstash \S+\.containers\.0\.securityContext\.readOnlyRootFilesystem (true|removed)$/,
    reason: "Logstash is exempt, and true would be better",
  },
  {
    mutation: /^DaemonSet\/monitoring-nodes\/node-exporter \S+\.hostPort 80$/,
    reason: "its port is a port of the machine, whichever it is: exempt",
  },
  {
    mutation: /^Service\/gateway\/\S+ spec\.(selector|ports)/,
    reason: "its pods are the Gateway's: they are not of this stack, and the guard says when it sees none",
  },
  {
    mutation: /^PodMonitor\/production\/taskflow-gateway spec\.(selector|podMetricsEndpoints)/,
    reason: "its pods are the Gateway's: an alert says when they are not measured",
  },
  {
    mutation: /^NetworkPolicy\/\S+ spec\.policyTypes \["(Egress|Ingress)"\]$/,
    reason:
      "the default-deny of the namespace still isolates the pods in both directions, and the policy allows none in this one",
  },
  {
    mutation: /^NetworkPolicy\/\S+ spec\.egress\.\d+\.ports removed$/,
    reason: "the policy on the other side names its ports: a connection needs both",
  },
  {
    mutation: /^NetworkPolicy\/monitoring-nodes\/default-deny spec\.(in|e)gress \[\{\}\]$/,
    reason:
      "node-exporter stands in the machine's own network, which no NetworkPolicy reaches; no other pod runs there",
  },
];
