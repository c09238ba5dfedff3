import { KubeConfig } from "@kubernetes/client-node";
import { RunError } from "@pulumi/pulumi";
import { colours } from "../applications/application.ts";
import type { KubeAnswer, KubeApi } from "./kube/api.ts";
import { kubeApi } from "./kube/config-api.ts";
import { routePath } from "./kube/public-route.ts";
import type { DeploymentObject, Observed, RouteObject } from "./observed.ts";
import { readColour, readRoute } from "./observed.ts";
import { rotationsOf } from "./rotation.ts";
import { type MigrationResult, type PodObject, resultOf } from "./schema/migration-result.ts";
import { readRecord, recordName, type SchemaRecord } from "./schema/schema-record.ts";

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
   * The moment is the API server's: how late it is on this machine does not matter.
   * @throws RunError that names the cluster when it does not answer within 10 s, the CRD that it lacks, or what somebody
   * made of the record of the schema.
   */
  observe(): Promise<Observed>;
}

export interface LiveCluster extends Observer {
  /** The kubeconfig with the stack's context: for the port-forward to the database. */
  readonly config: KubeConfig;
  /** Its API server, as that context's user. */
  readonly api: KubeApi;
  /**
   * What the migrations Job of this name did, in the words of its pod that succeeded; undefined: that pod is gone.
   * @throws RunError when the pod says something else, or the cluster does not answer within 10 s.
   */
  migrationResult(job: string): Promise<MigrationResult | undefined>;
}

const routes = { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes" } as const;

/**
 * Opens the cluster that a stack names. Nothing is read before `observe`.
 * @throws RunError when the kubeconfig or the context in it does not exist.
 */
export function openCluster(target: Target): LiveCluster {
  const config = loadConfig(target);
  const server = config.getCurrentCluster()?.server ?? "unknown server";
  const api = kubeApi(config);
  const { namespace, application } = target;
  const get = (path: string) => api.ask({ method: "GET", path });

  const readPublicRoute = async (): Promise<{ readonly route: RouteObject | undefined; readonly at: Date }> => {
    const answer = await get(routePath(target));
    const { at } = answer;
    if (answer.status !== 404) return { route: read<RouteObject>(answer), at };
    if (isMissingRoute(answer.body)) return { route: undefined, at };
    throw new RunError(
      `cluster "${target.context}" (${server}) does not know ${routes.plural}.${routes.group}/${routes.version}: ` +
        "install the Gateway API CRDs (standard channel, v1.0 or newer) and a controller for them",
    );
  };

  const readSchema = async (): Promise<SchemaRecord | undefined> => {
    const name = recordName(application);
    const answer = await get(`/api/v1/namespaces/${namespace}/configmaps/${name}`);
    // Also where there is no namespace yet: the first run.
    if (answer.status === 404) return undefined;
    const { data = {} } = read<{ readonly data?: Readonly<Record<string, string>> }>(answer);
    return readRecord(data, `ConfigMap ${name} in namespace ${namespace}`);
  };

  const list = async <T>(path: string, labels: string): Promise<readonly T[]> => {
    const answer = await get(`${path}?labelSelector=${encodeURIComponent(labels)}`);
    return read<{ readonly items?: readonly T[] }>(answer).items ?? [];
  };
  const deployments = (colour: string) =>
    list<DeploymentObject>(`/apis/apps/v1/namespaces/${namespace}/deployments`, `app=${application},version=${colour}`);

  const answered = <T>(work: Promise<T>, what: string, next: string): Promise<T> =>
    work.catch((error: unknown) => {
      if (error instanceof RunError) throw error;
      throw new RunError(`cannot read ${what} in cluster "${target.context}" (${server}): ${reason(error)}\n${next}`);
    });

  return {
    config,
    api,
    async observe() {
      const work = Promise.all([readPublicRoute(), readSchema(), ...colours.map(deployments)] as const);
      const [{ route, at }, schema, blue = [], green = []] = await answered(
        work,
        "what is live",
        "Nothing was touched. Is the cluster up, and may this kubeconfig read HTTPRoutes, Deployments and ConfigMaps?",
      );
      return {
        route: route && readRoute(route),
        colours: { blue: readColour(blue), green: readColour(green) },
        rotations: rotationsOf([...blue, ...green]),
        schema,
        at,
      };
    },
    async migrationResult(job) {
      const pods = await answered(
        list<PodObject>(`/api/v1/namespaces/${namespace}/pods`, `batch.kubernetes.io/job-name=${job}`),
        `the result of Job ${job}`,
        "The migrations are applied. Is the cluster up, and may this kubeconfig read Pods? Then `pulumi up` again.",
      );
      return resultOf(pods, namespace);
    },
  };
}

/** What an API server sent. @throws Error when it sent something else. */
function read<T>({ status, body }: KubeAnswer): T {
  if (status !== 200) throw new Error(`it answered ${status}: ${body.slice(0, 300)}`);
  return JSON.parse(body) as T;
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
const isMissingRoute = (body: string) =>
  /"reason":\s*"NotFound"/.test(body) && new RegExp(`"kind":\\s*"${routes.plural}"`).test(body);

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
