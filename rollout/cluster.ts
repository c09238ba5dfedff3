import { ApiException, AppsV1Api, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { RunError } from "@pulumi/pulumi";
import { colours } from "../applications/application.ts";
import type { DeploymentObject, Observed, RouteObject } from "./observed.ts";
import { readColour, readRoute } from "./observed.ts";

/** Which cluster, and whose route and Deployments in it. */
export interface Target {
  readonly context: string;
  /** Path of the kubeconfig; undefined: `$KUBECONFIG` or `~/.kube/config`. */
  readonly kubeconfig: string | undefined;
  readonly namespace: string;
  /** Name of the public HTTPRoute and value of the label `app`. */
  readonly application: string;
}

/** Reads what is live. */
export interface LiveCluster {
  /** @throws RunError that names the cluster when it does not answer within 10 s, or the CRD that it lacks. */
  observe(): Promise<Observed>;
}

const patienceMs = 10_000;
const routes = { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes" } as const;

/**
 * Opens the cluster that a stack names. Nothing is read before `observe`.
 * @throws RunError when the kubeconfig or the context in it does not exist.
 */
export function openCluster(target: Target): LiveCluster {
  const config = loadConfig(target);
  const server = config.getCurrentCluster()?.server ?? "unknown server";
  const custom = config.makeApiClient(CustomObjectsApi);
  const apps = config.makeApiClient(AppsV1Api);
  const { namespace, application } = target;
  const labels = (colour: string) => `app=${application},version=${colour}`;

  const readPublicRoute = async (): Promise<RouteObject | undefined> => {
    try {
      return await custom.getNamespacedCustomObject({ ...routes, namespace, name: application });
    } catch (error) {
      if (!(error instanceof ApiException) || error.code !== 404) throw error;
      if (isMissingObject(error)) return undefined;
      throw new RunError(
        `cluster "${target.context}" (${server}) does not know ${routes.plural}.${routes.group}/${routes.version}: ` +
          "install the Gateway API CRDs (standard channel, v1.0 or newer) and a controller for them",
      );
    }
  };

  return {
    async observe() {
      const at = new Date();
      const read = Promise.all([
        readPublicRoute(),
        ...colours.map((colour) =>
          apps.listNamespacedDeployment({ namespace, labelSelector: labels(colour) }).then((list) => list.items),
        ),
      ] as const);
      const [route, blue = [], green = []] = await withinPatience(read).catch((error: unknown) => {
        throw error instanceof RunError ? error : unreachable(target.context, server, error);
      });
      const deployments = (list: readonly DeploymentObject[]) => readColour(list);
      return {
        route: route && readRoute(route),
        colours: { blue: deployments(blue), green: deployments(green) },
        at,
      };
    },
  };
}

function loadConfig({ context, kubeconfig }: Target): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new RunError(
      `cannot read the kubeconfig ${kubeconfig ?? "of $KUBECONFIG or ~/.kube/config"}: ${reason(error)}`,
    );
  }
  const contexts = config.getContexts().map((each) => each.name);
  if (!contexts.includes(context))
    throw new RunError(
      `golive:cluster.context  got ${JSON.stringify(context)}; this kubeconfig has: ${contexts.join(", ") || "no contexts"}`,
    );
  config.setCurrentContext(context);
  return config;
}

/** A missing object has a Status that names it; a missing kind is a bare 404. */
function isMissingObject(error: ApiException<unknown>): boolean {
  const body = typeof error.body === "string" ? error.body : JSON.stringify(error.body);
  return body.includes('"reason":"NotFound"') && body.includes('"kind":"httproutes"');
}

async function withinPatience<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function unreachable(context: string, server: string, error: unknown): RunError {
  const status = error instanceof ApiException ? `it answered ${error.code}: ${briefly(error.body)}` : reason(error);
  return new RunError(
    `cannot read what is live in cluster "${context}" (${server}): ${status}\nNothing was touched. Is the cluster up, and may this kubeconfig read HTTPRoutes and Deployments?`,
  );
}

const briefly = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body)).slice(0, 300);

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
