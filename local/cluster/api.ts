import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../cli/failure.ts";
import { places } from "../places.ts";
import { type RunOptions, run } from "../run.ts";
import { ports } from "./layout.ts";
import { pki } from "./pki.ts";
import { logOf } from "./processes.ts";

/** kubectl on our own cluster. */
export function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run(join(places.bin, "kubectl"), ["--kubeconfig", places.kubeconfig, ...args], options);
}

/** What the API server answers to GET; undefined when nothing listens. */
export async function answer(path: string): Promise<{ status: number; body: string } | undefined> {
  const [ca, cert, key] = await Promise.all([
    readFile(pki.authority),
    readFile(pki.certificate("admin")),
    readFile(pki.key("admin")),
  ]);
  return await new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port: ports.api, path, ca, cert, key, agent: false, timeout: 5000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", reject);
      },
    );
    asked.on("timeout", () => asked.destroy(Object.assign(new Error("no answer in 5 s"), { code: "ETIMEDOUT" })));
    asked.on("error", (error: NodeJS.ErrnoException) => {
      if (["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT"].includes(error.code ?? "")) resolve(undefined);
      else reject(error);
    });
    asked.end();
  });
}

export const isReady = async () => (await answer("/readyz"))?.status === 200;

export async function waitForApi(): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isReady())) {
    if (performance.now() > deadline) {
      throw new Failure(`the API server is not ready after 60 s. See ${logOf("kube-apiserver")} and ${logOf("etcd")}`);
    }
    await sleep(100);
  }
}
