import { KubeConfig } from "@kubernetes/client-node";
import type { KubeApi } from "../rollout/kube/api.ts";
import { kubeApi } from "../rollout/kube/config-api.ts";
import { Failure } from "./failure.ts";

/** One series of an answer, at one moment. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus inside a cluster, asked through the API server: no port has to be opened. */
export class Prometheus {
  readonly #api: KubeApi;
  readonly #who: string;
  readonly #path: string;

  /** @param service Name and port, such as `prometheus:9090`. */
  constructor(kubeconfig: string, namespace: string, service = "prometheus:9090") {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#api = kubeApi(config);
    this.#who = `Prometheus behind ${new URL(config.getCurrentCluster()?.server ?? "").host}`;
    this.#path = `/api/v1/namespaces/${namespace}/services/${service}/proxy`;
  }

  /** What an expression is at a moment. Default: now. @throws Failure when Prometheus does not answer, or refuses the expression. */
  async query(promql: string, at?: Date): Promise<readonly Sample[]> {
    const time = at === undefined ? "" : `&time=${at.getTime() / 1000}`;
    const answer = await this.get(`/api/v1/query?query=${encodeURIComponent(promql)}${time}`);
    return samplesOf(answer, promql);
  }

  /** The `data` of any answer of its HTTP API. */
  async get(path: string): Promise<unknown> {
    const { status, body } = await this.#api
      .ask({ method: "GET", path: `${this.#path}${path}` })
      .catch((error: unknown) => {
        throw new Failure(`${this.#who}: ${error instanceof Error ? error.message : String(error)}`, 1, {
          cause: error,
        });
      });
    const parsed = status === 200 ? parse(body) : undefined;
    if (parsed === undefined) throw new Failure(`${this.#who} answered ${status}: ${body.slice(0, 300)}`);
    return parsed;
  }
}

/** The `data` of an answer that says `success`, or undefined. */
function parse(body: string): unknown {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== "object" || answer === null || Reflect.get(answer, "status") !== "success") return undefined;
    return Reflect.get(answer, "data");
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function samplesOf(data: unknown, promql: string): readonly Sample[] {
  const { resultType, result } = data as { readonly resultType?: unknown; readonly result?: unknown };
  if (resultType !== "vector" || !Array.isArray(result))
    throw new Failure(`${promql} gives ${String(resultType)}; an instant vector is needed`);
  return result.map((each: { metric: Record<string, string>; value: [number, string] }) => ({
    labels: each.metric,
    value: Number(each.value[1]),
  }));
}
