import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeText {
  id: number;
  number: number;
  title: string;
  body: string;
  state: string;
  user: { login: string };
}

/** A GitHub of one repository: its comments, issues and what a branch changed, over HTTP, a hundred to a page. */
export class FakeGitHub {
  readonly comments: FakeText[] = [];
  readonly issues: FakeText[] = [];
  changed: readonly { readonly filename: string; readonly previous_filename?: string }[] = [];
  /** Every request that wrote. */
  readonly writes: string[] = [];
  /** Set: the answer to everything. */
  refuses: { readonly status: number; readonly message: string } | undefined;
  readonly token = "job-token";
  #server = createServer((request, response) => void this.#answer(request, response));
  #last = 0;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  add(list: FakeText[], login: string, body: string, title = ""): FakeText {
    this.#last += 1;
    const made = { id: this.#last, number: this.#last, title, body, state: "open", user: { login } };
    list.push(made);
    return made;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += chunk;
    const say = (status: number, value: unknown) => response.writeHead(status).end(JSON.stringify(value));
    if (this.refuses !== undefined) return void say(this.refuses.status, { message: this.refuses.message });
    if (request.headers.authorization !== `Bearer ${this.token}`) return void say(401, { message: "Bad credentials" });
    const url = new URL(request.url ?? "/", "http://localhost");
    const path = url.pathname.replace("/repos/golive/app", "");
    if (request.method !== "GET") this.writes.push(`${request.method} ${path}`);
    const found = this.#find(request.method ?? "", path, text === "" ? {} : JSON.parse(text), url.searchParams);
    say(found === undefined ? 404 : 200, found ?? { message: "Not Found" });
  }

  #find(method: string, path: string, sent: Partial<FakeText>, query: URLSearchParams): unknown {
    const page = (list: readonly FakeText[]) => {
      const [size, number] = [Number(query.get("per_page")), Number(query.get("page"))];
      return list.slice(size * (number - 1), size * number);
    };
    if (path.startsWith("/compare/")) return { files: this.changed };
    if (path === "/issues")
      return method === "GET"
        ? page(this.issues.filter(({ state }) => state === query.get("state")))
        : this.add(this.issues, "github-actions[bot]", sent.body ?? "", sent.title);
    if (path.endsWith("/comments"))
      return method === "GET" ? page(this.comments) : this.add(this.comments, "github-actions[bot]", sent.body ?? "");
    const id = Number(path.slice(path.lastIndexOf("/") + 1));
    const list = path.startsWith("/issues/comments/") ? this.comments : this.issues;
    const one = list.find((each) => each.id === id);
    return one && Object.assign(one, sent);
  }
}
