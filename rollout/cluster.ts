import { ApiException, AppsV1Api, CoreV1Api, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { RunError } from "@pulumi/pulumi";
import { colours } from "../applications/application.ts";
import { type MigrationResult, resultOf } from "./migration-result.ts";
import type { DeploymentObject, Observed, RouteObject } from "./observed.ts";
import { readColour, readRoute } from "./observed.ts";
import { rotationsOf } from "./rotation.ts";
import { readRecord, recordName, type SchemaRecord } from "./schema-record.ts";

/** Which cluster, and whose route, Deployments and schema in it. */
export interface Target {
  readonly context: string;
  /** Path of the kubeconfig; undefined: `$KUBECONFIG` or `~/.kube/config`. */
  readonly kubeconfig: string | undefined;
  readonly namespace: string;
  /** Name of the public HTTPRoute and value of the label `app`. */
  readonly application: string;
}

/** Reads what is live. */
export interface Observer {
  /**
   * @throws RunError that names the cluster when it does not answer within 10 s, the CRD that it lacks, or what somebody
   * made of the record of the schema.
   */
  observe(): Promise<Observed>;
}

export interface LiveCluster extends Observer {
  /** The kubeconfig with the stack's context: for the port-forward to the database. */
  readonly config: KubeConfig;
  /**
   * What the migrations Job of this name did, in the words of its pod that succeeded; undefined: that pod is gone.
   * @throws RunError when the pod says something else, or the cluster does not answer within 10 s.
   */
  migrationResult(job: string): Promise<MigrationResult | undefined>;
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
  const core = config.makeApiClient(CoreV1Api);
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

  const readSchema = async (): Promise<SchemaRecord | undefined> => {
    const name = recordName(application);
    try {
      const { data = {} } = await core.readNamespacedConfigMap({ namespace, name });
      return readRecord(data, `ConfigMap ${name} in namespace ${namespace}`);
    } catch (error) {
      // Also where there is no namespace yet: the first run.
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  };

  const answered = <T>(read: Promise<T>, what: string, next: string): Promise<T> =>
    withinPatience(read).catch((error: unknown) => {
      if (error instanceof RunError) throw error;
      throw new RunError(`cannot read ${what} in cluster "${target.context}" (${server}): ${answerOf(error)}\n${next}`);
    });

  return {
    config,
    async observe() {
      const at = new Date();
      const read = Promise.all([
        readPublicRoute(),
        readSchema(),
        ...colours.map((colour) =>
          apps.listNamespacedDeployment({ namespace, labelSelector: labels(colour) }).then((list) => list.items),
        ),
      ] as const);
      const [route, schema, blue = [], green = []] = await answered(
        read,
        "what is live",
        "Nothing was touched. Is the cluster up, and may this kubeconfig read HTTPRoutes, Deployments and ConfigMaps?",
      );
      const deployments = (list: readonly DeploymentObject[]) => readColour(list);
      return {
        route: route && readRoute(route),
        colours: { blue: deployments(blue), green: deployments(green) },
        rotations: rotationsOf([...blue, ...green]),
        schema,
        at,
      };
    },
    async migrationResult(job) {
      const labelSelector = `batch.kubernetes.io/job-name=${job}`;
      const pods = await answered(
        core.listNamespacedPod({ namespace, labelSelector }),
        `the result of Job ${job}`,
        "The migrations are applied. Is the cluster up, and may this kubeconfig read Pods? Then `pulumi up` again.",
      );
      return resultOf(pods.items, namespace);
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

const answerOf = (error: unknown) =>
  error instanceof ApiException ? `it answered ${error.code}: ${briefly(error.body)}` : reason(error);

const briefly = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body)).slice(0, 300);

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
