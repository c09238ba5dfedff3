import type { KubeAnswer, KubeApi, KubeRequest } from "../../rollout/kube/api.ts";
import type { LedgerPage } from "../../rollout/ledger/pages.ts";
import { readPages } from "../../rollout/ledger/store.ts";

export const place = { namespace: "production", application: "taskflow" } as const;

interface ConfigMap {
  metadata: { name: string; annotations: Record<string, string>; labels?: Record<string, string> };
  data: Record<string, string>;
  version: number;
}

/** An API server that knows ConfigMaps only, with their versions, and a clock that a test sets. */
export class LedgerApi implements KubeApi {
  readonly maps = new Map<string, ConfigMap>();
  readonly asked: KubeRequest[] = [];
  now = new Date("2026-11-21T12:00:00.000Z");
  /** Called before each request is answered: what others do meanwhile. What it returns is the answer instead. */
  before: (request: KubeRequest) => Promise<KubeAnswer | undefined> = async () => undefined;
  /** Called after each request was carried out: a throw loses its answer. */
  after: (request: KubeRequest) => void = () => {};

  async ask(request: KubeRequest): Promise<KubeAnswer> {
    this.asked.push(request);
    const answer = (await this.before(request)) ?? this.#answer(request);
    this.after(request);
    return answer;
  }

  /** Seconds go by. */
  wait(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1000);
  }

  /** The data of a page, to break by hand. */
  data(name = "taskflow-ledger"): Record<string, string> {
    const map = this.maps.get(name);
    if (map === undefined) throw new Error(`there is no ConfigMap ${name}`);
    return map.data;
  }

  async pages(): Promise<readonly LedgerPage[]> {
    return (await readPages(this, place)).pages;
  }

  readonly writes = () => this.asked.filter(({ method }) => method !== "GET");

  #answer({ method, path, body }: KubeRequest): KubeAnswer {
    const base = `/api/v1/namespaces/${place.namespace}/configmaps`;
    if (!path.startsWith(base)) return this.#say(404, { message: `the server has no ${path}` });
    const name = path.slice(base.length + 1);
    const sent = body as { metadata: ConfigMap["metadata"] & { resourceVersion?: string }; data: ConfigMap["data"] };
    if (method === "POST") {
      if (this.maps.has(sent.metadata.name)) return this.#say(409, { message: "it already exists" });
      this.maps.set(sent.metadata.name, { ...structuredClone(sent), version: 1 });
      return this.#say(201, sent);
    }
    const map = this.maps.get(name);
    if (map === undefined) return this.#say(404, { message: `configmaps "${name}" not found` });
    if (method === "PATCH") {
      if (sent.metadata.resourceVersion !== String(map.version))
        return this.#say(409, { message: "the object has been modified" });
      Object.assign(map.metadata.annotations, sent.metadata.annotations);
      Object.assign(map.data, sent.data);
      map.version++;
    }
    return this.#say(200, { ...map, metadata: { ...map.metadata, resourceVersion: String(map.version) } });
  }

  #say = (status: number, body: unknown): KubeAnswer => ({ status, body: JSON.stringify(body), at: this.now });
}
