import { setTimeout as sleep } from "node:timers/promises";
import type { Value } from "../rpc/properties.ts";
import { ApiError, type Call, type Client } from "./client.ts";
import { apiVersionOf, type KubeObject, kindOf, listAt, objectName, objectNamespace, textAt, withAt } from "./json.ts";
import type { Kind } from "./kinds.ts";

/** The API server does not know a kind: its CustomResourceDefinition is not installed. */
export class KindMissing extends Error {
  constructor(apiVersion: string, kind: string) {
    super(`the cluster does not know ${kind} of ${apiVersion}: install its CustomResourceDefinition first`);
    this.name = "KindMissing";
  }
}

interface ServedKind {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The objects of one cluster: what Kubernetes can do with them, by object and not by path. */
export class Cluster {
  readonly client: Client;
  /** Custom resources by `apiVersion`, asked for once. */
  readonly #served = new Map<string, Promise<ReadonlyMap<string, ServedKind>>>();

  constructor(client: Client) {
    this.client = client;
  }

  /** Where a kind is served; fails with KindMissing for a custom resource that is not installed. */
  async served(kind: Kind): Promise<ServedKind> {
    if (kind.plural !== undefined && kind.namespaced !== undefined) {
      return { plural: kind.plural, namespaced: kind.namespaced };
    }
    let asked = this.#served.get(kind.apiVersion);
    if (asked === undefined) {
      asked = this.#discover(kind.apiVersion);
      this.#served.set(kind.apiVersion, asked);
    }
    const found = (await asked).get(kind.kind);
    if (found !== undefined) return found;
    // It may be installed in a moment: the next question is a new one.
    this.#served.delete(kind.apiVersion);
    throw new KindMissing(kind.apiVersion, kind.kind);
  }

  async #discover(apiVersion: string): Promise<ReadonlyMap<string, ServedKind>> {
    try {
      const answer = await this.client.send({ method: "GET", path: `/apis/${apiVersion}` });
      return new Map(
        listAt(answer, "resources")
          .filter((it) => !textAt(it, "name").includes("/"))
          .map((it) => [
            textAt(it, "kind"),
            { plural: textAt(it, "name"), namespaced: (it as { namespaced?: boolean }).namespaced === true },
          ]),
      );
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return new Map();
      throw error;
    }
  }

  /** The request path of a kind's objects; in the namespace "default" when it is of one and none is named. */
  async listPath(kind: Kind, namespace: string): Promise<string> {
    const { plural, namespaced } = await this.served(kind);
    const root = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
    return namespaced
      ? `${root}/namespaces/${namespace === "" ? "default" : namespace}/${plural}`
      : `${root}/${plural}`;
  }

  async #path(kind: Kind, namespace: string, name: string): Promise<string> {
    return `${await this.listPath(kind, namespace)}/${encodeURIComponent(name)}`;
  }

  async get(kind: Kind, namespace: string, name: string, signal?: AbortSignal): Promise<KubeObject> {
    return asObject(await this.#send({ method: "GET", path: await this.#path(kind, namespace, name) }, signal), kind);
  }

  async create(kind: Kind, object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    const path = await this.listPath(kind, objectNamespace(object));
    return asObject(
      await this.#send({ method: "POST", path, query: query(options), body: object }, options.signal),
      kind,
    );
  }

  /** Server-side apply. */
  async apply(
    kind: Kind,
    object: KubeObject,
    options: WriteOptions & { readonly force: boolean },
  ): Promise<KubeObject> {
    const path = await this.#path(kind, objectNamespace(object), objectName(object));
    const call: Call = {
      method: "PATCH",
      path,
      query: { ...query(options), force: String(options.force) },
      body: object,
      contentType: "application/apply-patch+yaml",
    };
    return asObject(await this.#send(call, options.signal), kind);
  }

  /** A JSON patch (RFC 6902). */
  async patch(kind: Kind, object: KubeObject, operations: readonly Value[], signal?: AbortSignal): Promise<KubeObject> {
    const path = await this.#path(kind, objectNamespace(object), objectName(object));
    const call: Call = { method: "PATCH", path, body: operations, contentType: "application/json-patch+json" };
    return asObject(await this.#send(call, signal), kind);
  }

  async remove(kind: Kind, namespace: string, name: string, policy: string, signal?: AbortSignal): Promise<void> {
    const path = await this.#path(kind, namespace, name);
    await this.#send({ method: "DELETE", path, body: { propagationPolicy: policy } }, signal);
  }

  async list(
    kind: Kind,
    namespace: string,
    query: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Value> {
    return this.#send({ method: "GET", path: await this.listPath(kind, namespace), query }, signal);
  }

  /**
   * Follows one object: its present state first, then each change; undefined once it is gone.
   * Watches end now and then, and are taken up again.
   */
  async *follow(
    kind: Kind,
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): AsyncGenerator<KubeObject | undefined> {
    const path = await this.listPath(kind, namespace);
    const fieldSelector = `metadata.name=${name}`;
    while (!signal.aborted) {
      const list = await this.list(kind, namespace, { fieldSelector }, signal);
      const present = listAt(list, "items")[0];
      yield present === undefined ? undefined : asObject(present, kind);
      const from = {
        fieldSelector,
        resourceVersion: textAt(list, "metadata", "resourceVersion"),
        timeoutSeconds: "300",
      };
      for await (const { type, object } of this.client.watch(path, from, signal)) {
        if (type === "ERROR") break;
        if (type !== "BOOKMARK") yield type === "DELETED" ? undefined : asObject(object, kind);
      }
    }
  }

  // A busy API server asks to come back; a few tries are the client's part of its flow control.
  async #send(call: Call, signal?: AbortSignal): Promise<Value> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.client.send(signal === undefined ? call : { ...call, signal });
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 429 && tries < 5)) throw error;
        await sleep(tries * 500, undefined, signal === undefined ? {} : { signal });
      }
    }
  }
}

export interface WriteOptions {
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly signal?: AbortSignal;
}

function query({ fieldManager, dryRun }: WriteOptions): Readonly<Record<string, string>> {
  return { fieldManager, ...(dryRun ? { dryRun: "All" } : {}) };
}

// Items of a list carry neither kind nor version.
function asObject(value: Value, kind: Kind): KubeObject {
  const object = value as KubeObject;
  return apiVersionOf(object) !== "" && kindOf(object) !== ""
    ? object
    : { apiVersion: kind.apiVersion, kind: kind.kind, ...object };
}

/** The object as it is kept in the state: its managed fields would be half of it, and nothing reads them from there. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  return withAt(object, ["metadata", "managedFields"], undefined);
}
