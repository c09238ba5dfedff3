import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { type AnsweredColour, colours, type Kind, type LoadRecord } from "./records.ts";
import type { FailureNote } from "./sample.ts";

/** One request's record, and why it failed if it did. */
export interface Outcome {
  readonly record: LoadRecord;
  readonly failure?: FailureNote;
}

export interface Visitor {
  readonly origin: { readonly host: string; readonly port: number };
  readonly hostname: string;
  readonly slowMs: number;
  /** Milliseconds since the load began. */
  now(): number;
  done(outcome: Outcome): void;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const bodyLimit = 1024 * 1024;
const assetPattern = /\bsrc="(\/[^"]+\.js)"/;

/** Connections that are kept and used again, first in first out, so that none stays idle for long. */
export const keptConnections = (): Agent => new Agent({ keepAlive: true, scheduling: "fifo", maxFreeSockets: 256 });

/** One request, whole answer included; rejects on a reset, on anything unfinished, and after `slowMs`. No retry. */
function get(visitor: Visitor, path: string, agent: Agent | undefined): Promise<Answer> {
  const { origin, hostname, slowMs } = visitor;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: origin.host,
        port: origin.port,
        path,
        // Without an agent the request gets a connection of its own, which ends with it.
        agent: agent ?? false,
        headers: { host: `${hostname}:${origin.port}`, "user-agent": "golive-load" },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > bodyLimit) outgoing.destroy(new Error(`answer larger than ${bodyLimit} bytes`));
          else chunks.push(chunk);
        });
        incoming.on("error", reject);
        incoming.on("end", () => {
          const body = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
        });
      },
    );
    const slow = setTimeout(() => outgoing.destroy(new Error(`slower than ${slowMs} ms`)), slowMs);
    outgoing.on("error", reject);
    outgoing.on("close", () => {
      clearTimeout(slow);
      reject(new Error("closed before the end of the answer"));
    });
    outgoing.end();
  });
}

function colourOf(headers: IncomingHttpHeaders): AnsweredColour {
  const named = headers["x-taskflow-colour"];
  return colours.find((colour) => colour === named) ?? "none";
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? `${error.code} ` : "";
  return `${code}${error.message}`;
}

/** Sends one request, judges its answer, and reports it. The answer, when it was a good one. */
async function ask(
  visitor: Visitor,
  kind: Kind,
  path: string,
  agent: Agent | undefined,
  judge: (answer: Answer) => string | undefined = () => undefined,
): Promise<Answer | undefined> {
  const at = visitor.now();
  let answer: Answer | undefined;
  let reason: string | undefined;
  try {
    answer = await get(visitor, path, agent);
    reason = answer.status >= 200 && answer.status < 300 ? judge(answer) : `status ${answer.status}`;
  } catch (error) {
    reason = reasonOf(error);
  }
  const colour = answer ? colourOf(answer.headers) : "none";
  const record = { at, ms: visitor.now() - at, ok: reason === undefined, colour, kind };
  if (reason === undefined) {
    visitor.done({ record });
    return answer;
  }
  visitor.done({ record, failure: { at, kind, colour, reason: `${kind}: ${reason}` } });
  return undefined;
}

const releaseOf = ({ headers }: Answer) => `${headers["x-taskflow-colour"]} ${headers["x-taskflow-version"]}`;

const judgePage = ({ headers, body }: Answer): string | undefined => {
  if (colourOf(headers) === "none") return "no x-taskflow-colour";
  return assetPattern.test(body) ? undefined : "the page names no asset";
};

/** What one user does: the page, the asset that it names, then the API. A failed page has no asset to ask for. */
export async function visit(visitor: Visitor, agent: Agent | undefined): Promise<void> {
  const page = await ask(visitor, "page", "/", agent, judgePage);
  const asset = page && assetPattern.exec(page.body)?.[1];
  if (asset) {
    await ask(visitor, "asset", asset, agent, (answer) => {
      const [wanted, got] = [releaseOf(page), releaseOf(answer)];
      return got === wanted ? undefined : `from ${got}, its page from ${wanted}`;
    });
  }
  await ask(visitor, "api", "/api/version", agent, ({ headers }) =>
    colourOf(headers) === "none" ? "no x-taskflow-colour" : undefined,
  );
}
