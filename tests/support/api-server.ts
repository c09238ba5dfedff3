import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PodObject } from "../../rollout/schema/migration-result.ts";
import { deploymentObject, pods } from "./live.ts";

/** Small servers on loopback that answer as an API server would, and kubeconfigs that lead to them. */
export class ApiServers {
  readonly folder = mkdtempSync(join(tmpdir(), "golive-api-server-"));
  readonly #servers: Server[] = [];

  /** Starts a server; its address. */
  async serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the server has no port");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Writes a kubeconfig with these contexts, all of one server; its path. */
  kubeconfig(server: string, contexts: readonly string[] = ["golive-local"]): string {
    const path = join(this.folder, "kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      // The client speaks plain HTTP only to servers whose certificate it need not verify.
      clusters: [{ name: "here", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "admin", user: {} }],
      contexts: contexts.map((name) => ({ name, context: { cluster: "here", user: "admin" } })),
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  /** Stops all servers, with the connections that they never answered. */
  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Removes the kubeconfigs. */
  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export function answerJson(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}

const routePath = "/apis/gateway.networking.k8s.io/v1/namespaces/local/httproutes/taskflow";
export const deploymentsPath = "/apis/apps/v1/namespaces/local/deployments";

const ledgerPath = "/api/v1/namespaces/local/configmaps/taskflow-ledger";
export const schemaPath = "/api/v1/namespaces/local/configmaps/taskflow-schema";
const podsPath = "/api/v1/namespaces/local/pods";

export interface OtherAnswers {
  /** Data of the record of the schema; none: there is no ConfigMap. */
  readonly schema?: Readonly<Record<string, string>>;
  /** The pods of the one Job that there is, and its name. */
  readonly job?: { readonly name: string; readonly pods: readonly PodObject[] };
}

/**
 * Answers the public route with this, and the record of the schema and the pods of a Job as given; blue has two of three
 * pods ready, green has a backend only.
 */
export const routeAnswer =
  (status: number, route: unknown, { schema, job }: OtherAnswers = {}): RequestListener =>
  (request, answer) => {
    const url = new URL(request.url ?? "", "http://here");
    const selector = url.searchParams.get("labelSelector");
    switch (url.pathname) {
      case routePath:
        return answerJson(answer, status, route);
      case ledgerPath:
        return answerJson(answer, 404, noRecord);
      case schemaPath:
        return schema === undefined
          ? answerJson(answer, 404, noRecord)
          : answerJson(answer, 200, { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data: schema });
      case podsPath: {
        const items = job && selector === `batch.kubernetes.io/job-name=${job.name}` ? job.pods : [];
        return answerJson(answer, 200, { apiVersion: "v1", kind: "PodList", metadata: {}, items });
      }
      case deploymentsPath: {
        const items =
          selector === "app=taskflow,version=blue"
            ? pods({ release: "1.0.0-aaaa", replicas: 3, ready: 2 })
            : [deploymentObject("backend", { release: "2.0.0-bbbb" })];
        return answerJson(answer, 200, { apiVersion: "apps/v1", kind: "DeploymentList", metadata: {}, items });
      }
      default:
        return answerJson(answer, 500, { message: `unexpected ${url.pathname}` });
    }
  };

const noRecord = {
  kind: "Status",
  status: "Failure",
  reason: "NotFound",
  code: 404,
  details: { name: "taskflow-schema", kind: "configmaps" },
};

/** What an API server says of a route that does not exist, where it knows routes. */
export const notFound = {
  kind: "Status",
  status: "Failure",
  reason: "NotFound",
  code: 404,
  details: { name: "taskflow", group: "gateway.networking.k8s.io", kind: "httproutes" },
};
