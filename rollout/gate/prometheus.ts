import { messageOf } from "../kube/answer.ts";
import type { KubeAnswer, KubeApi } from "../kube/api.ts";
import { parseJson } from "../parse-json.ts";
import type { AskPrometheus } from "./measure.ts";

/** A Prometheus in a cluster: its namespace, and name and port of its Service, such as `prometheus:9090`. */
export interface PrometheusPlace {
  readonly namespace: string;
  readonly service: string;
}

/** Asks a Prometheus through the API server: no port has to be opened. */
export function askPrometheus(api: KubeApi, { namespace, service }: PrometheusPlace): AskPrometheus {
  const root = `/api/v1/namespaces/${namespace}/services/${service}/proxy/api/v1/query`;
  return async (promql, at) => {
    const path = `${root}?query=${encodeURIComponent(promql)}&time=${at}`;
    return queryValue(await api.ask({ method: "GET", path }), promql, `${service} in ${namespace}`);
  };
}

/**
 * The one number in a Prometheus' answer to an instant query; NaN where there is no series. `who`: which Prometheus.
 * @throws Error when it answered something else.
 */
export function queryValue({ status, body }: Pick<KubeAnswer, "status" | "body">, promql: string, who: string): number {
  const answer = parse(body);
  if (status !== 200 || answer === undefined)
    throw new Error(`Prometheus (${who}) answered ${status}: ${errorOf(body)}`);
  return numberOf(answer, promql);
}

/** The `data` of an answer that says `success`, or undefined. */
function parse(body: string): unknown {
  const answer = parseJson(body);
  return field(answer, "status") === "success" ? field(answer, "data") : undefined;
}

/** Prometheus' own words where it has some; the API server's where it did not come so far. */
function errorOf(body: string): string {
  const error = field(parseJson(body), "error");
  return typeof error === "string" ? error.slice(0, 300) : messageOf(body);
}

/** The one number of an instant vector; NaN of an empty one. */
function numberOf(data: unknown, promql: string): number {
  const [type, result] = [field(data, "resultType"), field(data, "result")];
  if (type !== "vector" || !Array.isArray(result))
    throw new Error(`${promql} gives ${String(type)}; a vector is needed`);
  if (result.length > 1) throw new Error(`${promql} gives ${result.length} series; one is needed`);
  if (result.length === 0) return Number.NaN;
  const value = field(result[0], "value");
  const text: unknown = Array.isArray(value) ? value[1] : undefined;
  if (typeof text !== "string") throw new Error(`${promql} gives a series without a value`);
  return text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
