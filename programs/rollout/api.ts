import { readFile } from "node:fs/promises";
import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import type { RouteObject } from "../../rollout/observed.ts";
import type { ApiSettings } from "./settings.ts";

const patienceMs = 5000;

/**
 * Reads an HTTPRoute as the pod's ServiceAccount.
 * @throws Error that says what the API server answered, or why it did not.
 */
export async function fetchRoute(api: ApiSettings, namespace: string, name: string): Promise<RouteObject> {
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes/${name}`;
  const { status, body } = await ask(api, path);
  if (status === 404) throw new Error(`there is no HTTPRoute ${name} in namespace ${namespace}`);
  if (status !== 200)
    throw new Error(`asked for HTTPRoute ${name}, the API server answered ${status}: ${messageOf(body)}`);
  return JSON.parse(body) as RouteObject;
}

/** Both files are read each time: the kubelet writes a new token before the old one ends. */
async function ask(api: ApiSettings, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const [token, ca] = await Promise.all([readFile(api.token, "utf8"), readFile(api.authority, "utf8")]);
  const headers = { authorization: `Bearer ${token.trim()}`, accept: "application/json" };
  const signal = AbortSignal.timeout(patienceMs);
  const url = new URL(path, api.url);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // In plain only where a test says so; the token goes to a server that proves its name by the cluster's authority.
      const request =
        url.protocol === "http:"
          ? getPlain(url, { headers, signal, agent: false }, resolve)
          : getSecure(url, { headers, signal, ca, agent: false }, resolve);
      request.on("error", reject);
    });
    response.setEncoding("utf8");
    let body = "";
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode ?? 0, body };
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer from ${api.url} within ${patienceMs / 1000} s`, { cause: error });
    throw error;
  }
}

/** The message of a Status; the beginning of anything else. */
function messageOf(body: string): string {
  const said = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body);
  return (said ? String(JSON.parse(`"${said[1]}"`)) : body).slice(0, 300);
}
