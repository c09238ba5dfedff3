import process from "node:process";
import { Failure } from "../failure.ts";

/** One repository on GitHub, with the right to write that one job has. */
export class Repository {
  readonly #api: string;
  readonly #path: string;
  readonly #token: string;
  readonly #author: string;

  /**
   * @param options.author whose comments and issues are ours to edit: another's with the same mark stays as it is.
   */
  constructor(options: {
    readonly api: string;
    readonly name: string;
    readonly token: string;
    readonly author: string;
  }) {
    this.#api = options.api;
    this.#path = `/repos/${options.name}`;
    this.#token = options.token;
    this.#author = options.author;
  }

  /** Makes the comment that begins with `mark`, or edits it; a comment that says the same already is left alone. */
  async comment(number: number, mark: string, body: string): Promise<"made" | "edited" | "same"> {
    const comments = await this.#all<Text>(`/issues/${number}/comments?`);
    const own = comments.find((each) => this.#isOurs(each, mark));
    if (own?.body === body) return "same";
    if (own !== undefined) await this.#ask("PATCH", `/issues/comments/${own.id}`, { body });
    else await this.#ask("POST", `/issues/${number}/comments`, { body });
    return own === undefined ? "made" : "edited";
  }

  /** The files that a branch changed since a commit; undefined: too many for GitHub to name them. */
  async changedSince(commit: string, branch: string): Promise<readonly string[] | undefined> {
    const range = `${encodeURIComponent(commit)}...${encodeURIComponent(branch)}`;
    const { files = [] } = (await this.#ask("GET", `/compare/${range}`)) as Comparison;
    if (files.length >= mostFiles) return undefined;
    return files.flatMap(({ filename, previous_filename: before }) => [
      filename,
      ...(before === undefined ? [] : [before]),
    ]);
  }

  /** The commit of the newest run of a workflow on a branch that was green; undefined when there was none. */
  async lastGreen(workflow: string, branch: string): Promise<string | undefined> {
    const query = `branch=${encodeURIComponent(branch)}&status=success&per_page=1`;
    const { workflow_runs: runs = [] } = (await this.#ask(
      "GET",
      `/actions/workflows/${workflow}/runs?${query}`,
    )) as Runs;
    return runs[0]?.head_sha;
  }

  /** Makes or edits the open issue that begins with `mark`. */
  async openIssue(mark: string, title: string, body: string): Promise<"made" | "edited" | "same"> {
    const own = await this.#issue(mark);
    if (own?.body === body && own.title === title) return "same";
    if (own !== undefined) await this.#ask("PATCH", `/issues/${own.number}`, { title, body });
    else await this.#ask("POST", "/issues", { title, body });
    return own === undefined ? "made" : "edited";
  }

  /** Closes the open issue that begins with `mark`, when there is one, and says why. */
  async closeIssue(mark: string, why: string): Promise<"closed" | "none"> {
    const own = await this.#issue(mark);
    if (own === undefined) return "none";
    await this.#ask("POST", `/issues/${own.number}/comments`, { body: why });
    await this.#ask("PATCH", `/issues/${own.number}`, { state: "closed" });
    return "closed";
  }

  async #issue(mark: string): Promise<Issue | undefined> {
    const issues = await this.#all<Issue>("/issues?state=open&");
    return issues.find((each) => this.#isOurs(each, mark));
  }

  #isOurs({ user, body }: Text, mark: string): boolean {
    return user?.login === this.#author && (body ?? "").startsWith(mark);
  }

  async #all<T>(path: string): Promise<readonly T[]> {
    const found: T[] = [];
    for (let page = 1; ; page++) {
      const items = (await this.#ask("GET", `${path}per_page=100&page=${page}`)) as readonly T[];
      found.push(...items);
      if (items.length < 100) return found;
    }
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const what = `${method} ${this.#path}${path.split("?", 1)[0]}`;
    const response = await fetch(`${this.#api}${this.#path}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.#token}`,
        Accept: "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "golive",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error: unknown) => {
      throw new Failure(`GitHub did not answer ${what}: ${error instanceof Error ? error.message : error}`);
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    const refused = response.status === 403 || response.status === 404;
    const next = refused
      ? ". Has the job the permission for it: pull-requests: write, issues: write for drift, contents: read, actions: read?"
      : "";
    throw new Failure(`GitHub answered ${what} with ${response.status}: ${text.slice(0, 300)}${next}`);
  }
}

/** How many files of a comparison GitHub names. */
const mostFiles = 300;

interface Comparison {
  readonly files?: readonly { readonly filename: string; readonly previous_filename?: string }[];
}

interface Runs {
  readonly workflow_runs?: readonly { readonly head_sha: string }[];
}

interface Text {
  readonly id: number;
  readonly body?: string | null;
  readonly user?: { readonly login?: string } | null;
}

interface Issue extends Text {
  readonly number: number;
  readonly title: string;
}

/** The repository that this job belongs to. @throws Failure that names what is not set. */
export function repositoryOf(env: NodeJS.ProcessEnv = process.env): Repository {
  const { GITHUB_API_URL: api, GITHUB_REPOSITORY: name, GITHUB_TOKEN: token } = env;
  const missing = Object.entries({ GITHUB_API_URL: api, GITHUB_REPOSITORY: name, GITHUB_TOKEN: token }).flatMap(
    ([key, value]) => (value === undefined || value === "" ? [key] : []),
  );
  if (!api || !name || !token)
    throw new Failure(`golive delivery: ${missing.join(", ")} must be set, as GitHub sets them for a job`, 2);
  return new Repository({ api, name, token, author: env.GOLIVE_COMMENT_AUTHOR ?? "github-actions[bot]" });
}
