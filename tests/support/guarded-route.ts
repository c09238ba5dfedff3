import { randomBytes } from "node:crypto";
import type { Colour } from "../../applications/application.ts";
import { namespaceLabels } from "../../components/namespace/namespace.ts";
import {
  gatewayPodsService,
  gatewayServiceName,
  guardAccount,
  guardBinding,
  guardConfigMap,
  guardDeployment,
  guardRole,
} from "../../components/traffic/guard-manifests.ts";
import { publicRoute } from "../../components/traffic/http-route.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { fetchPublicRoute } from "../../rollout/kube/public-route.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import type { LedgerRecord } from "../../rollout/ledger/record.ts";
import { type LiveRoute, readRoute } from "../../rollout/observed.ts";
import { weightsOf } from "../../rollout/told.ts";
import type { Settings } from "../../settings.ts";
import { type Answered, faultyPods, underLoad } from "./faulty-pods.ts";
import { told } from "./live.ts";
import { stackSettings } from "./platform.ts";
import { config, core } from "./tools-namespace.ts";
import { until } from "./until.ts";

/** The guard as the component declares it, beside a real route on the real gateway, with pods that fail on demand. */
export class GuardedRoute {
  readonly name = `guard-${randomBytes(3).toString("hex")}`;
  readonly place = { namespace: this.name, application: "taskflow" };
  readonly within = ["--namespace", this.name];
  readonly api = kubeApi(config);
  readonly #settings: Settings;

  private constructor() {
    const settings = stackSettings("local", { gate: { mode: "on" } });
    this.#settings = {
      ...settings,
      namespace: this.name,
      hostname: `${this.name}.invalid`,
      gate: { ...settings.gate, prometheus: { namespace: this.name, service: "prometheus:9090" } },
    };
  }

  /** In a namespace of its own, with the candidate at 0. */
  static async open(): Promise<GuardedRoute> {
    const it = new GuardedRoute();
    const local = it.#settings;
    const labels = { ...namespaceLabels("taskflow"), ...runLabels() };
    await core.createNamespace({ body: { metadata: { name: it.name, labels } } });
    for (const each of faultyPods(local)) await apply(each);
    await it.step(0);
    const program = guardConfigMap(local, (await bundlePrograms()).guard);
    await apply({ apiVersion: "v1", kind: "ConfigMap", ...program });
    await apply({ apiVersion: "v1", kind: "ServiceAccount", ...guardAccount(local) });
    await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", ...guardRole(local) });
    await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", ...guardBinding(local) });
    await apply({ apiVersion: "v1", kind: "Service", ...gatewayPodsService(local) });
    await apply({ apiVersion: "apps/v1", kind: "Deployment", ...guardDeployment(local, program.metadata.name) });
    for (const { kind, metadata } of faultyPods(local) as { kind: string; metadata: { name: string } }[])
      if (kind === "Deployment") await it.rolledOut(metadata.name);
    await it.rolledOut("guard");
    return it;
  }

  async close(): Promise<void> {
    const service = gatewayServiceName(this.#settings);
    await kubectl(["--namespace", this.#settings.gateway.namespace, "delete", "service", service]);
    await core.deleteNamespace({ name: this.name, gracePeriodSeconds: 0 });
  }

  /** Writes the route as a run that was told so would. */
  async step(candidateTraffic: number, release = "2.0.0-bbbb"): Promise<void> {
    const said = told({ candidateTraffic, paths: ["/api", "/"], releases: { blue: "1.0.0-aaaa", green: release } });
    const { metadata, spec } = publicRoute(this.#settings, weightsOf("green", candidateTraffic), said);
    await apply({ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata, spec });
  }

  async live(): Promise<LiveRoute> {
    return readRoute((await fetchPublicRoute(this.api, this.place)).object);
  }

  readonly tripped = async (): Promise<boolean> => (await this.live()).exposure.green === 0;

  records(): Promise<readonly LedgerRecord[]> {
    return readLedger(this.api, this.place);
  }

  /** Has so many percent of a colour's requests fail from now on. */
  async fail(colour: Colour, percent: number): Promise<void> {
    await this.#askPods(`component=backend,version=${colour}`, 3000, `/fail?percent=${percent}`);
  }

  /** What each pod of the guard tells Prometheus. */
  guards(): Promise<readonly string[]> {
    return this.#askPods("component=guard", 9189, "/metrics");
  }

  async bothSay(text: string): Promise<boolean> {
    const answers = await this.guards();
    return answers.length === 2 && answers.every((answer) => answer.includes(text));
  }

  async armed(value: 0 | 1): Promise<void> {
    const line = `golive_guard_armed{application="taskflow"} ${value}`;
    await until(`both guards armed: ${value}`, () => this.bothSay(line), 60);
  }

  /** Load for as long as `during` takes: its answers. */
  underLoad(during: (answers: readonly Answered[]) => Promise<void>, perSecond = 200): Promise<readonly Answered[]> {
    return underLoad(this.#settings.hostname, perSecond, during);
  }

  async scale(deployment: string, replicas: number): Promise<void> {
    await kubectl([...this.within, "scale", `deployment/${deployment}`, `--replicas=${replicas}`]);
    await this.rolledOut(deployment);
  }

  async rolledOut(deployment: string): Promise<void> {
    await kubectl([...this.within, "rollout", "status", `deployment/${deployment}`, "--timeout=120s"]);
  }

  /** Asks pods through the API server. */
  async #askPods(labelSelector: string, port: number, path: string): Promise<readonly string[]> {
    const { items } = await core.listNamespacedPod({ namespace: this.name, labelSelector });
    return Promise.all(
      items.map(({ metadata }) =>
        kubectl(["get", "--raw", `/api/v1/namespaces/${this.name}/pods/${metadata?.name}:${port}/proxy${path}`]),
      ),
    );
  }
}

const apply = (manifest: object) =>
  kubectl(["apply", "--server-side", "--force-conflicts", "--filename=-"], { input: JSON.stringify(manifest) });
