import type { types } from "@pulumi/kubernetes";
import { pageNames } from "../../rollout/ledger/pages.ts";
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

/** May read the application's public route and the pages of its ledger, by their names, and nothing else. */
export function routeReaderRole(settings: Settings): types.input.rbac.v1.Role {
  const { name } = settings.application;
  return programRole(settings, program, [
    {
      apiGroups: ["gateway.networking.k8s.io"],
      resources: ["httproutes"],
      resourceNames: [name],
      verbs: ["get"],
    },
    { apiGroups: [""], resources: ["configmaps"], resourceNames: [...pageNames(name)], verbs: ["get"] },
  ]);
}

export const routeReaderBinding = (settings: Settings) => programBinding(settings, program);

/** The pod that reads the route; `configMap` is the name of the one with the bundle. */
export const rolloutMetricsDeployment = (settings: Settings, configMap: string) =>
  programDeployment(settings, program, configMap);
