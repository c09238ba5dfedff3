import type { Application, Environment, RungSpec } from "../applications/application.ts";

/** What rules, alerts and dashboards must know of the stack that they watch. */
export interface MonitoredStack {
  readonly application: Application;
  readonly environment: Environment;
  readonly namespace: string;
  readonly hostname: string;
  /** Name of its PostgreSQL database; undefined without one. */
  readonly database: string | undefined;
  readonly databaseKind: "statefulset" | "external" | "cloudnative-pg";
  readonly ladder: readonly RungSpec[];
  /** A guard watches its candidates. Default: none does. */
  readonly guarded?: boolean;
  /** Namespaces of its own Prometheus, exporters and the like. Default: none. */
  readonly monitoringNamespaces?: readonly string[];
}
