/** One answer of an API server. */
export interface KubeAnswer {
  readonly status: number;
  readonly body: string;
  /** The server's clock, from its Date header: everything is timed by the cluster, not by whoever asks. */
  readonly at: Date;
}

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the first slash, with the query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: `application/json`. */
  readonly contentType?: string;
}

/** Asks an API server, as a person with a kubeconfig or as a pod with a token. */
export interface KubeApi {
  /** @throws Error that says why there was no answer within its patience. An answer of any status is none. */
  ask(request: KubeRequest): Promise<KubeAnswer>;
}
