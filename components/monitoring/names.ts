import type { Settings } from "../../settings.ts";

/** Names of Services in the namespace of the monitoring (S4-61, S4-62), and the label `component` of their pods. */
export const prometheusName = "prometheus";
export const alertmanagerName = "alertmanager";
export const grafanaName = "grafana";
export const nodeExporterName = "node-exporter";

/** Port of Prometheus and of Alertmanager, by the name that the operator gives it. */
export const webPort = "web";
export const prometheusPort = 9090;
export const alertmanagerPort = 9093;
export const grafanaPort = 3000;

/** The user of pods that have no files of their own: `nobody` everywhere. */
export const nobody = 65534;

/** Where node_exporter is, and nothing else: it sees the whole machine, which no other pod may. */
export const nodesNamespace = ({ monitoring }: Settings) => `${monitoring.namespace}-nodes`;

/** Objects that are not in a namespace have the namespace in their name: two stacks on one cluster do not meet. */
export const clusterWideName = ({ monitoring }: Settings, what: string) => `golive:${monitoring.namespace}:${what}`;
