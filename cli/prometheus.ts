import type { IncomingMessage, RequestOptions } from "node:http";
import { request } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { Failure } from "./failure.ts";

/** One series of an answer, at one moment. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const patienceMs = 10_000;

/** A Prometheus inside a cluster, asked through the API server: no port has to be opened. */
export class Prometheus {
  readonly #config = new KubeConfig();
  readonly #path: string;

  /** @param service Name and port, such as `prometheus:9090`. */
  constructor(kubeconfig: string, namespace: string, service = "prometheus:9090") {
    this.#config.loadFromFile(kubeconfig);
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
    const server = new URL(this.#config.getCurrentCluster()?.server ?? "");
    const options: RequestOptions = { host: server.hostname, port: server.port, path: `${this.#path}${path}` };
    await this.#config.applyToHTTPSOptions(options);
    const { status, body } = await ask(options, `Prometheus behind ${server.host}`);
    const parsed = status === 200 ? parse(body) : undefined;
    if (parsed === undefined)
      throw new Failure(`Prometheus behind ${server.host} answered ${status}: ${body.slice(0, 300)}`);
    return parsed;
  }
}

function ask(options: RequestOptions, who: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, timeout: patienceMs }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
    asked.on("error", (error) => reject(new Failure(`${who}: ${error.message}`, 1, { cause: error })));
    asked.end();
  });
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
