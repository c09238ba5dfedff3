import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import {
  type Program,
  programAccount,
  programBinding,
  programConfigMap,
  programDeployment,
  programRole,
} from "./program.ts";

/** Deployment, ServiceAccount, Role, and the label `component` of its pod. */
export const rolloutMetricsName = "rollout-metrics";

const program: Program = { name: rolloutMetricsName, file: "rollout.mjs", replicas: 1, cpu: "10m" };

export const bundleConfigMap = (settings: Settings, bundle: string) => programConfigMap(settings, program, bundle);

export const routeReaderAccount = (settings: Settings) => programAccount(settings, program);

/** May read one object: the application's public route. */
export function routeReaderRole(settings: Settings): types.input.rbac.v1.Role {
  return programRole(settings, program, [
    {
      apiGroups: ["gateway.networking.k8s.io"],
      resources: ["httproutes"],
      resourceNames: [settings.application.name],
      verbs: ["get"],
    },
  ]);
}

export const routeReaderBinding = (settings: Settings) => programBinding(settings, program);

/** The pod that reads the route; `configMap` is the name of the one with the bundle. */
export const rolloutMetricsDeployment = (settings: Settings, configMap: string) =>
  programDeployment(settings, program, configMap);
