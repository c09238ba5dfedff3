import type { types } from "@pulumi/kubernetes";
import { dashboards } from "../../monitoring/dashboards/dashboards.ts";
import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";
import { grafanaName } from "./names.ts";
import { monitoredStack } from "./rules.ts";
import { clockOf } from "./scrape.ts";

/** Name of the ConfigMap with all dashboards of an application, a file each. */
export const dashboardsName = ({ application }: Settings) => `${application.name}-dashboards`;

/**
 * The dashboards as files. In the namespace of our own Grafana they are mounted; else the label has the sidecar of somebody
 * else's find them. Never both: Grafana would have each twice.
 */
export function dashboardsConfigMap(settings: Settings): types.input.core.v1.ConfigMap {
  const data = Object.fromEntries(
    dashboards(monitoredStack(settings), clockOf(settings)).map(({ name, json }) => [`${name}.json`, json]),
  );
  const own = settings.monitoring.kind === "stack";
  return {
    metadata: {
      name: dashboardsName(settings),
      namespace: own ? settings.monitoring.namespace : settings.namespace,
      labels: { ...labelsOf(settings, grafanaName), ...(own ? {} : { grafana_dashboard: "1" }) },
    },
    data,
  };
}
