import { request } from "node:http";
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import type { Colour } from "../../applications/application.ts";
import { gateway } from "../../local/gateway.ts";
import { places } from "../../local/places.ts";
import type { RouteObject } from "../../rollout/observed.ts";

export { until } from "./until.ts";

/** The throw-away cluster as a person with kubectl sees it: what the live tests do behind golive's back. */
const config = new KubeConfig();
config.loadFromFile(places.kubeconfig);
export const core = config.makeApiClient(CoreV1Api);
export const apps = config.makeApiClient(AppsV1Api);
const custom = config.makeApiClient(CustomObjectsApi);

export const namespace = "local";
const route = { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes", namespace, name: "taskflow" };
const jsonPatch = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);
const mergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

export async function liveRoute(): Promise<RouteObject> {
  return custom.getNamespacedCustomObject(route);
}

/** Weights of both colours in each rule, as `path: blue/green`. */
export async function liveWeights(): Promise<readonly string[]> {
  const { spec } = await liveRoute();
  return (spec?.rules ?? []).map((rule) => {
    const weight = (colour: Colour) => rule.backendRefs?.find(({ name }) => name.endsWith(colour))?.weight;
    return `${rule.matches?.[0]?.path?.value}: ${weight("blue")}/${weight("green")}`;
  });
}

/** Sets the weights of one or all rules by hand, as `kubectl edit` would. */
export async function editWeights(blue: number, green: number, rules?: readonly number[]): Promise<void> {
  const { spec } = await liveRoute();
  const all = (spec?.rules ?? []).map((_, index) => index);
  const body = (rules ?? all).flatMap((index) => [
    { op: "replace", path: `/spec/rules/${index}/backendRefs/0/weight`, value: blue },
    { op: "replace", path: `/spec/rules/${index}/backendRefs/1/weight`, value: green },
  ]);
  await custom.patchNamespacedCustomObject({ ...route, body }, jsonPatch);
}

/** Deletes one rule of the route by hand. */
export async function removeRule(index: number): Promise<void> {
  const body = [{ op: "remove", path: `/spec/rules/${index}` }];
  await custom.patchNamespacedCustomObject({ ...route, body }, jsonPatch);
}

/** Writes or removes an annotation of the route by hand. */
export async function annotateRoute(name: string, value: string | null): Promise<void> {
  const body = { metadata: { annotations: { [name]: value } } };
  await custom.patchNamespacedCustomObject({ ...route, body }, mergePatch);
}

/** Scales a StatefulSet or a Deployment by hand. */
export async function scale(kind: "statefulset" | "deployment", name: string, replicas: number): Promise<void> {
  const body = { spec: { replicas } };
  if (kind === "statefulset") await apps.patchNamespacedStatefulSet({ name, namespace, body }, mergePatch);
  else await apps.patchNamespacedDeployment({ name, namespace, body }, mergePatch);
}

export async function deletePods(labelSelector: string): Promise<void> {
  await core.deleteCollectionNamespacedPod({ namespace, labelSelector, gracePeriodSeconds: 0 });
}

export async function readyPods(labelSelector: string): Promise<number> {
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  return items.filter((pod) =>
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  ).length;
}

/** Restarts of the containers of some pods, added up: a crash loop counts up. */
export async function restarts(labelSelector: string): Promise<number> {
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  return items
    .flatMap((pod) => pod.status?.containerStatuses ?? [])
    .reduce((total, status) => total + status.restartCount, 0);
}

export async function namespaceExists(name: string): Promise<boolean> {
  return core.readNamespace({ name }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ApiException && error.code === 404) return false;
      throw error;
    },
  );
}

/** Whether the gateway answers a host name on one of its loopback ports with this colour. */
export async function answersAs(port: number, hostname: string, colour: Colour): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      { host: gateway.host, port, path: "/api/version", headers: { host: hostname }, agent: false, timeout: 2000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200 && response.headers["x-taskflow-colour"] === colour);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer within 2 s")));
    asked.on("error", () => resolve(false));
    asked.end();
  });
}
