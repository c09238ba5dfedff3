import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../cli/failure.ts";
import { type Account, logIn } from "./accounts.ts";
import { type Answer, fieldsOf, isSuccess, keptConnections, reasonOf, type Site, send } from "./request.ts";

export interface TaskName {
  readonly id: number;
  readonly title: string;
}

/** A task whose creation was answered with success. */
export interface WrittenTask extends TaskName {
  /** Which of the load's accounts wrote it. */
  readonly account: number;
}

const attempts = 5;
const pauseMs = 1_000;

/**
 * The tasks of those written that their own account does not find, or finds changed. It asks again when there is no
 * good answer: the load is over, and what counts now is what is stored.
 * @throws Failure when the tasks cannot be read.
 */
export async function lostTasks(
  site: Site,
  accounts: readonly Account[],
  written: readonly WrittenTask[],
): Promise<readonly WrittenTask[]> {
  const lost: WrittenTask[] = [];
  for (const [index, account] of accounts.entries()) {
    const own = written.filter((task) => task.account === index);
    if (own.length === 0) continue;
    const found = await titlesOf(site, account);
    lost.push(...own.filter(({ id, title }) => found.get(id) !== title));
  }
  return lost;
}

/** The titles of all tasks that an account sees, by id. */
async function titlesOf(site: Site, account: Account): Promise<ReadonlyMap<number, string>> {
  const { token } = await untilDone(() => logIn(site, account));
  const agent = keptConnections();
  const titles = new Map<number, string>();
  try {
    let before: number | undefined;
    for (;;) {
      const path = `/api/tasks?limit=100${before === undefined ? "" : `&before=${before}`}`;
      const page = await untilDone(async () => tasksOf(await send(site, { path, agent, token })));
      for (const { id, title } of page) titles.set(id, title);
      before = page.at(-1)?.id;
      if (before === undefined) return titles;
    }
  } finally {
    agent.destroy();
  }
}

/** The tasks of an answer to `GET /api/tasks`. @throws Failure when it is another answer. */
export function tasksOf(answer: Answer): readonly TaskName[] {
  if (!isSuccess(answer)) throw new Failure(`GET /api/tasks: status ${answer.status}`);
  const { tasks } = fieldsOf(answer);
  if (Array.isArray(tasks)) return tasks;
  throw new Failure("GET /api/tasks: no list of tasks in the answer");
}

async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts)
        throw new Failure(`what the load wrote cannot be read: ${reasonOf(error)}`, 1, { cause: error });
      await sleep(pauseMs);
    }
  }
}
