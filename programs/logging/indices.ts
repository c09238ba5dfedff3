import { type IncomingMessage, request as plain } from "node:http";
import { request as secure } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeeperSettings } from "./settings.ts";

export interface Patience {
  /** Milliseconds between two tries, and until the first answer must be there. */
  readonly pause: number;
  readonly most: number;
}

/** Elasticsearch takes minutes to start the first time, and then some more until it knows its users. */
const patient: Patience = { pause: 3000, most: 10 * 60_000 };

/**
 * Puts everything that Elasticsearch must know before the first line. Doing so again changes nothing.
 * @throws Error when it refuses something, or was not there in time.
 */
export async function keepIndices(
  settings: KeeperSettings,
  log: (line: string) => void,
  { pause, most }: Patience = patient,
): Promise<void> {
  const deadline = Date.now() + most;
  let said = "";
  for (const [path, body] of Object.entries(settings.requests)) {
    for (;;) {
      const outcome = await put(settings, path, body);
      if (outcome.kind === "done") break;
      if (outcome.kind === "refused") throw new Error(`${path}: Elasticsearch refuses it: ${outcome.text}`);
      if (Date.now() > deadline) throw new Error(`${path}: not done after ${most / 1000} s: ${outcome.text}`);
      if (outcome.text !== said) log(`waiting: ${outcome.text}`);
      said = outcome.text;
      await sleep(pause);
    }
    log(`${path} is as it should be`);
  }
}

type Outcome =
  | { readonly kind: "done" }
  /** What is wrong stays wrong, and what may pass. */
  | { readonly kind: "refused" | "not yet"; readonly text: string };

async function put(settings: KeeperSettings, path: string, body: object): Promise<Outcome> {
  try {
    const { status, text } = await send(settings, path, JSON.stringify(body));
    if (status === 200) return { kind: "done" };
    const answered = `${status} ${text.slice(0, 500)}`;
    return { kind: status === 400 || status === 404 || status === 405 ? "refused" : "not yet", text: answered };
  } catch (error) {
    return { kind: "not yet", text: error instanceof Error ? error.message : String(error) };
  }
}

async function send({ url, authority, user, password }: KeeperSettings, path: string, body: string) {
  const target = new URL(path, `${url}/`);
  const options = {
    method: "PUT",
    auth: `${user}:${password}`,
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    signal: AbortSignal.timeout(30_000),
    agent: false as const,
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request =
      target.protocol === "http:"
        ? plain(target, options, resolve)
        : secure(target, { ...options, ca: authority }, resolve);
    request.on("error", reject);
    request.end(body);
  });
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, text };
}
