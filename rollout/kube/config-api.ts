import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import type { KubeApi } from "./api.ts";
import { exchange } from "./exchange.ts";

const patienceMs = 10_000;

/** The API server of a kubeconfig's current context, as the user that stands there. */
export function kubeApi(config: KubeConfig): KubeApi {
  return {
    async ask(question) {
      const server = config.getCurrentCluster()?.server;
      if (server === undefined) throw new Error(`context "${config.getCurrentContext()}" names no cluster`);
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), patienceMs);
      try {
        const options: RequestOptions = { headers: {}, signal: late.signal };
        // Asked for each time: a login that runs out is renewed.
        await config.applyToHTTPSOptions(options);
        return await exchange(addressOf(server, question.path), question, options);
      } catch (error) {
        if (late.signal.aborted) throw new Error(`no answer within ${patienceMs / 1000} s`, { cause: error });
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** A server behind a proxy has a path of its own before that of the API. */
const addressOf = (server: string, path: string) => new URL(`${server.replace(/\/+$/, "")}${path}`);
