import type { Agent, IncomingHttpHeaders } from "node:http";
import { type AnsweredColour, colours, type Kind, type LoadRecord } from "./records.ts";
import { type Answer, fieldsOf, isSuccess, reasonOf, type Site, send } from "./request.ts";
import type { FailureNote } from "./sample.ts";
import { type TaskName, tasksOf } from "./written.ts";

/** One request's record, and why it failed if it did. */
export interface Outcome {
  readonly record: LoadRecord;
  readonly failure?: FailureNote;
}

export interface Visitor extends Site {
  /** Milliseconds since the load began. */
  now(): number;
  done(outcome: Outcome): void;
}

/** A visitor who is logged in, and what they do with tasks beside looking at the page. */
export interface User {
  /** A token that is good now. */
  token(): Promise<string>;
  /** The title of the task to write in this visit; undefined: none. */
  readonly title: string | undefined;
  /** A task that the user wrote before; undefined: none yet. */
  latest(): TaskName | undefined;
  /** Hears about each task whose creation was answered with success. */
  wrote(task: TaskName): void;
}

const assetPattern = /\bsrc="(\/[^"]+\.js)"/;

function colourOf(headers: IncomingHttpHeaders): AnsweredColour {
  const named = headers["x-taskflow-colour"];
  return colours.find((colour) => colour === named) ?? "none";
}

/** Gets an answer, judges it, and reports it. The answer, when it was a good one. */
async function ask(
  visitor: Visitor,
  kind: Kind,
  get: () => Promise<Answer>,
  judge: (answer: Answer) => string | undefined,
): Promise<Answer | undefined> {
  const at = visitor.now();
  let answer: Answer | undefined;
  let reason: string | undefined;
  try {
    answer = await get();
    reason = isSuccess(answer) ? judge(answer) : `status ${answer.status}`;
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

const judgeColour = ({ headers }: Answer): string | undefined =>
  colourOf(headers) === "none" ? "no x-taskflow-colour" : undefined;

const judgePage = (answer: Answer): string | undefined =>
  judgeColour(answer) ?? (assetPattern.test(answer.body) ? undefined : "the page names no asset");

const idOf = (answer: Answer): number | undefined => {
  const { id } = fieldsOf(answer);
  return typeof id === "number" ? id : undefined;
};

/**
 * What one user does: the page, the asset that it names, the API; one who is logged in then lists tasks, and writes one
 * or reads the one written last. A failed page has no asset to ask for.
 */
export async function visit(visitor: Visitor, agent: Agent | undefined, user?: User): Promise<void> {
  const page = await ask(visitor, "page", () => send(visitor, { path: "/", agent }), judgePage);
  const asset = page && assetPattern.exec(page.body)?.[1];
  if (asset) {
    await ask(
      visitor,
      "asset",
      () => send(visitor, { path: asset, agent }),
      (answer) => {
        const [wanted, got] = [releaseOf(page), releaseOf(answer)];
        return got === wanted ? undefined : `from ${got}, its page from ${wanted}`;
      },
    );
  }
  await ask(visitor, "api", () => send(visitor, { path: "/api/version", agent }), judgeColour);
  if (!user) return;
  await listTasks(visitor, agent, user);
  const latest = user.latest();
  if (user.title !== undefined) await writeTask(visitor, agent, user, user.title);
  else if (latest) await readTask(visitor, agent, user, latest);
  else await listTasks(visitor, agent, user);
}

async function listTasks(visitor: Visitor, agent: Agent | undefined, user: User): Promise<void> {
  const get = async () => await send(visitor, { path: "/api/tasks?limit=20", agent, token: await user.token() });
  await ask(visitor, "read", get, (answer) => {
    tasksOf(answer);
    return judgeColour(answer);
  });
}

/** What one colour wrote is there for the other one at once. */
async function readTask(visitor: Visitor, agent: Agent | undefined, user: User, task: TaskName): Promise<void> {
  const get = async () => await send(visitor, { path: `/api/tasks/${task.id}`, agent, token: await user.token() });
  await ask(visitor, "read", get, (answer) => {
    const { title } = fieldsOf(answer);
    return judgeColour(answer) ?? (title === task.title ? undefined : "another title than was written");
  });
}

async function writeTask(visitor: Visitor, agent: Agent | undefined, user: User, title: string): Promise<void> {
  const get = async () =>
    await send(visitor, { path: "/api/tasks", agent, token: await user.token(), body: { title } });
  const answer = await ask(
    visitor,
    "write",
    get,
    (got) => judgeColour(got) ?? (idOf(got) === undefined ? "no id of a task in the answer" : undefined),
  );
  const id = answer && idOf(answer);
  if (id !== undefined) user.wrote({ id, title });
}
