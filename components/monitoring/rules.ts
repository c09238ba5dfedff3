import { ruleFiles } from "../../monitoring/rules/render.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { nodesNamespace } from "./names.ts";
import { clockOf, selectedBy } from "./scrape.ts";

/** What rules and dashboards must know of a stack. */
export function monitoredStack(settings: Settings): MonitoredStack {
  const { application, environment, namespace, hostname, database, gate, ladder, monitoring } = settings;
  return {
    ...{ application, environment, namespace, hostname },
    database: application.stores.postgresql?.database[environment],
    databaseKind: database.kind,
    ladder: ladder.rungs,
    guarded: gate.mode === "on",
    // Somebody else's Prometheus is somebody else's to watch.
    monitoringNamespaces: monitoring.kind === "stack" ? [monitoring.namespace, nodesNamespace(settings)] : [],
  };
}

/**
 * All rules, in few objects, since each costs every run. Apart is what must go on when the operator refuses an object for one
 * bad expression in it: the Watchdog says whether anything is still watched, and recorded series outlive the alerts on them.
 */
export function ruleManifests(settings: Settings): readonly CustomManifest[] {
  const { name: app } = settings.application;
  const files = ruleFiles(monitoredStack(settings), clockOf(settings));
  const objects = Map.groupBy(files, ({ name }) => objectOf(name, app));
  return [...objects].map(([name, those]) => ({
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name, namespace: settings.namespace, labels: selectedBy(settings) },
    spec: { groups: those.flatMap(({ groups }) => groups) },
  }));
}

function objectOf(file: string, app: string): string {
  switch (file) {
    case `${app}-records`:
    case `${app}-monitoring-alerts`:
      return file;
    case `${app}-alerts`:
    case `${app}-rollout-alerts`:
      return `${app}-alerts`;
    default:
      return `${app}-infrastructure-alerts`;
  }
}
