import type { Application, Colour } from "../../applications/application.ts";
import { taskflow } from "../../applications/taskflow.ts";
import { Clock } from "../../monitoring/clock.ts";
import { Gateway } from "../../programs/guard/gateway.ts";
import { Guard } from "../../programs/guard/guard.ts";
import type { AskPrometheus } from "../../rollout/gate/measure.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";
import type { KubeAnswer, KubeApi, KubeRequest } from "../../rollout/kube/api.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import type { LedgerRecord } from "../../rollout/ledger/record.ts";
import { type LiveRoute, type RouteObject, readRoute } from "../../rollout/observed.ts";
import { LedgerApi, place } from "./ledger-api.ts";
import { type RouteOptions, routeObject, told } from "./live.ts";

const routePath = `/apis/gateway.networking.k8s.io/v1/namespaces/${place.namespace}/httproutes/${place.application}`;
const deployments = `/apis/apps/v1/namespaces/${place.namespace}/deployments/`;
const endpoints = `/apis/discovery.k8s.io/v1/namespaces/${place.namespace}/endpointslices?labelSelector=`;
const events = `/api/v1/namespaces/${place.namespace}/events`;

/** A Service's slices: one endpoint that is not ready, and so many that are. */
export const endpointsOf = (ready: number) => ({
  items: [
    { endpoints: [{ conditions: { ready: false } }, ...Array<object>(ready).fill({ conditions: { ready: true } })] },
    { endpoints: null },
  ],
});

/** An API server that knows one public route, Deployments and Services of the same names by what is ready, Events, and a ledger; with the ledger's clock. */
export class GuardedCluster implements KubeApi {
  readonly ledger = new LedgerApi();
  readonly events: { readonly reason: string; readonly message: string; readonly involvedObject: object }[] = [];
  /** Ready pods of a Deployment, and endpoints of its Service; one where nothing is said. */
  readonly ready: Record<string, number> = {};
  readonly managers: string[] = [];
  /** Answered instead; a throw is no answer. */
  before: (request: KubeRequest) => KubeAnswer | undefined = () => undefined;
  #route: RouteObject;
  #version = 1;

  constructor(route: RouteOptions = { told: told({ candidateTraffic: 10 }), hoursAgo: 0 }) {
    this.#route = routeObject(route);
  }

  get route(): LiveRoute {
    return readRoute(this.#route);
  }

  /** Somebody else writes the route. */
  write(route: RouteOptions): void {
    this.#route = routeObject(route);
    this.#version += 1;
  }

  records = (): Promise<readonly LedgerRecord[]> => readLedger(this.ledger, place);

  say = (status: number, body: unknown): KubeAnswer => ({ status, body: JSON.stringify(body), at: this.ledger.now });

  async ask(request: KubeRequest): Promise<KubeAnswer> {
    const instead = this.before(request);
    if (instead) return instead;
    const { method, path, body } = request;
    if (path.startsWith(routePath)) return method === "PATCH" ? this.#patch(path, body) : this.say(200, this.#object());
    if (path.startsWith(deployments))
      return this.say(200, { status: { readyReplicas: this.ready[path.slice(deployments.length)] ?? 1 } });
    if (path.startsWith(endpoints)) {
      const service = decodeURIComponent(path.slice(endpoints.length)).replace("kubernetes.io/service-name=", "");
      return this.say(200, endpointsOf(this.ready[service] ?? 1));
    }
    if (path === events) {
      this.events.push(body as GuardedCluster["events"][number]);
      return this.say(201, body);
    }
    return this.ledger.ask(request);
  }

  #object(): object {
    return { ...this.#route, metadata: { ...this.#route.metadata, uid: "a-uid", resourceVersion: `${this.#version}` } };
  }

  #patch(path: string, body: unknown): KubeAnswer {
    const { metadata, spec } = body as RouteObject & { readonly metadata: { readonly resourceVersion?: string } };
    if (metadata.resourceVersion !== `${this.#version}`)
      return this.say(409, { message: "the object has been modified" });
    this.managers.push(new URL(path, "http://here").searchParams.get("fieldManager") ?? "");
    const annotations = { ...this.#route.metadata?.annotations, ...metadata.annotations };
    this.#route = { metadata: { ...this.#route.metadata, annotations }, spec: { ...this.#route.spec, ...spec } };
    this.#version += 1;
    return this.say(200, this.#object());
  }
}

/** Requests of one second to one colour, and how many of them fail. */
export interface Load {
  readonly requests: number;
  readonly errors: number;
}

export const load = (requests: number, errorRatio = 0): Load => ({
  requests,
  errors: Math.round(requests * errorRatio),
});
export const quiet = load(0);

/** A pod of a gateway, whose counters a test makes grow; it can be silent. */
export class CountingPod {
  silent = false;
  readonly #totals = new Map<string, number>();

  /** One second of traffic to a service. */
  count(service: string, loads: Partial<Record<Colour, Load>>): void {
    for (const [colour, { requests, errors }] of Object.entries(loads)) {
      this.#add(service, colour, "200", requests - errors);
      this.#add(service, colour, "502", errors);
    }
  }

  /** Started anew: it has counted nothing. */
  restart(): void {
    this.#totals.clear();
  }

  /** As Traefik writes it. */
  text(): string {
    return [...this.#totals].map(([labels, total]) => `traefik_service_requests_total{${labels}} ${total}`).join("\n");
  }

  #add(service: string, colour: string, code: string, more: number): void {
    if (more === 0) return;
    const name = `${place.namespace}-taskflow-${service}-${colour}-http-80@kubernetesgateway`;
    const labels = `code="${code}",method="GET",protocol="http",service="${name}"`;
    this.#totals.set(labels, (this.#totals.get(labels) ?? 0) + more);
  }
}

export interface GuardedOptions {
  readonly application?: Application;
  readonly prometheus?: AskPrometheus;
  readonly pods?: readonly CountingPod[];
  readonly name?: string;
  /** Whether DNS answers. Default: always. */
  readonly dns?: () => boolean;
}

/** A guard before a cluster and a gateway, with a clock that goes on by a second with each look. */
export function guarding(cluster: KubeApi, options: GuardedOptions = {}) {
  const {
    application = taskflow,
    prometheus,
    pods = [new CountingPod()],
    name = "guard-1",
    dns = () => true,
  } = options;
  const lines: string[] = [];
  let now = 0;
  const seconds = () => now;
  const log = (_: string, message: string, fields: object = {}) =>
    void lines.push([message, ...Object.values(fields)].join(": "));
  const gateway = new Gateway({
    ...{ whose: { application, namespace: place.namespace }, seconds, log },
    find: async () => {
      if (!dns()) throw new Error("queryResolveSrv ETIMEOUT");
      return pods.map((_, index) => `pod-${index}`);
    },
    read: async (pod) => {
      const found = pods[Number(pod.slice("pod-".length))];
      if (!found || found.silent) throw new Error(`${pod} is silent`);
      return found.text();
    },
  });
  const guard = new Guard({
    ...{ application, namespace: place.namespace, pod: name, api: cluster, gateway, prometheus, seconds, log },
    thresholds: thresholdsOf(application, new Clock()),
  });
  /** Looks once a second, each after a second of this traffic to the backend. */
  const look = async (times: number, loads: Partial<Record<Colour, Load>> = {}) => {
    for (let time = 0; time < times; time++) {
      for (const pod of pods) pod.count("backend", loads);
      now += 1;
      await guard.look();
    }
    await guard.stop();
  };
  return { guard, pods, lines, look };
}
