import { readFile } from "node:fs/promises";
import type { KubeApi } from "../rollout/kube/api.ts";
import { exchange } from "../rollout/kube/exchange.ts";

/** How a pod reaches the API server. */
export interface ApiSettings {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** Files that the kubelet keeps fresh: the pod's token, and the authority that signed the server's certificate. */
  readonly token: string;
  readonly authority: string;
}

const patienceMs = 5000;
const account = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Variables that the kubelet gives every pod. */
export const apiVariables = ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] as const;

/** Where the API server is, as every pod is told. */
export function apiSettings(of: (name: (typeof apiVariables)[number]) => string): ApiSettings {
  const host = of("KUBERNETES_SERVICE_HOST");
  return {
    url: `https://${host.includes(":") ? `[${host}]` : host}:${of("KUBERNETES_SERVICE_PORT")}`,
    token: `${account}/token`,
    authority: `${account}/ca.crt`,
  };
}

/** The API server as a pod's ServiceAccount sees it. Each question has a connection of its own: none hangs on a server that is gone. */
export function podApi({ url, token, authority }: ApiSettings): KubeApi {
  return {
    async ask(question) {
      const signal = AbortSignal.timeout(patienceMs);
      try {
        // Read each time: the kubelet writes a new token before the old one ends.
        const [bearer, ca] = await Promise.all([readFile(token, "utf8"), readFile(authority, "utf8")]);
        const headers = { authorization: `Bearer ${bearer.trim()}` };
        // The token goes to a server that proves its name by the cluster's authority; in plain only where a test says so.
        return await exchange(new URL(question.path, url), question, { headers, ca, signal, agent: false });
      } catch (error) {
        if (signal.aborted) throw new Error(`no answer from ${url} within ${patienceMs / 1000} s`, { cause: error });
        throw error;
      }
    },
  };
}
