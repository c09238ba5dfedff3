import type { types } from "@pulumi/kubernetes";
import type { guardVariables } from "../../programs/guard/settings.ts";
import { prometheusVariable } from "../../programs/guard/settings.ts";
import { guardName } from "../../rollout/gate/guard-name.ts";
import { ledgerVerbs, pageNames } from "../../rollout/ledger/pages.ts";
import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";
import {
  type Program,
  programAccount,
  programBinding,
  programConfigMap,
  programDeployment,
  programMetadata,
  programPort,
  programRole,
} from "./program.ts";

/** One of them is there while a node is drained, or the other one starts anew. */
const replicas = 2;

/** Variables that the guard has beside those of every program. */
type OwnVariable = Exclude<(typeof guardVariables)[number], "APPLICATION" | "NAMESPACE" | "PORT">;

const guard = { name: guardName, file: "guard.mjs" } as const;

export const guardConfigMap = (settings: Settings, bundle: string) => programConfigMap(settings, guard, bundle);

export const guardAccount = (settings: Settings) => programAccount(settings, guard);

/**
 * What a guard that somebody took over could do: give the public route other weights, read the endpoints of the
 * namespace's Services, add to the ledger, and make ConfigMaps and Events in the application's namespace (what is created cannot be
 * granted by name). It reads no Secret, and nothing in another namespace.
 */
export function guardRole(settings: Settings): types.input.rbac.v1.Role {
  const { name } = settings.application;
  return programRole(settings, guard, [
    {
      apiGroups: ["gateway.networking.k8s.io"],
      resources: ["httproutes"],
      resourceNames: [name],
      verbs: ["get", "patch"],
    },
    // Addresses and whether they are ready: what belongs to a Service is found by its label, not by a name.
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
    { apiGroups: [""], resources: ["configmaps"], resourceNames: [...pageNames(name)], verbs: [...ledgerVerbs] },
    { apiGroups: [""], resources: ["configmaps", "events"], verbs: ["create"] },
  ]);
}

export const guardBinding = (settings: Settings) => programBinding(settings, guard);

/** The pods that watch the candidate; `configMap` is the name of the one with the bundle. */
export function guardDeployment(settings: Settings, configMap: string): types.input.apps.v1.Deployment {
  const { gate, monitoring } = settings;
  const of = (name: OwnVariable | typeof prometheusVariable, value: string) => ({ name, value });
  const pod: OwnVariable = "POD";
  const program: Program = {
    ...guard,
    replicas,
    cpu: "20m",
    env: [
      { name: pod, valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      of("GATEWAY", `_${programPort.name}._tcp.${gatewayServiceName(settings)}.${settings.gateway.namespace}`),
      of("SPEED", String(monitoring.speed)),
      ...(gate.prometheus === undefined ? [] : [of(prometheusVariable, addressOf(gate.prometheus))]),
    ],
  };
  return programDeployment(settings, program, configMap);
}

/** `prometheus:9090` in `monitoring`: by its Service, not through the API server, whose proxy would be one more right. */
const addressOf = ({ namespace, service }: NonNullable<Settings["gate"]["prometheus"]>): string => {
  const [name, port] = service.split(":");
  return `http://${name}.${namespace}.svc:${port}`;
};

export function guardBudget(settings: Settings): types.input.policy.v1.PodDisruptionBudget {
  return {
    metadata: programMetadata(settings, guard),
    spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(settings, guardName) } },
  };
}

/** Two stacks of one cluster may share a Gateway. */
export const gatewayServiceName = ({ namespace, application }: Settings) => `golive-${namespace}-${application.name}`;

/**
 * Has DNS say where the pods of the Gateway's proxy have their metrics. It stands beside them, in a namespace that is not
 * ours: a Service selects only there. The guard then needs no right in it at all, where a list of the pods would show it all
 * that stands in them.
 */
export function gatewayPodsService(settings: Settings): types.input.core.v1.Service {
  const { podLabels, port } = settings.monitoring.gateway;
  return {
    metadata: {
      name: gatewayServiceName(settings),
      namespace: settings.gateway.namespace,
      labels: labelsOf(settings, guardName),
      // It is no way to reach anything, and may select pods that are not there yet.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: {
      clusterIP: "None",
      selector: podLabels,
      // A pod that is not ready may still send requests on.
      publishNotReadyAddresses: true,
      ports: [{ ...programPort, targetPort: port }],
    },
  };
}
