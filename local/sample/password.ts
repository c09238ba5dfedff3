import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import bcrypt from "bcryptjs";
import { Refusal } from "./http.ts";

/** S0-43. A hash takes about 0.1 s of a processor: in a thread of its own, so that logins slow nobody else's answers down. */
const cost = 10;
const queueLimit = 10;
/** bcrypt reads no more of a password than this. */
export const passwordBytes = 72;
/** Stands in for the hash of a user who does not exist; it is nobody's. */
const nobodysHash = `$2b$${cost}$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234`;

interface Question {
  readonly password: string;
  /** The hash to check against; undefined: make one. */
  readonly hash: string | undefined;
}

const threadName = "passwords";
let thread: Worker | undefined;
let queued = 0;
let last: Promise<unknown> = Promise.resolve();

/** A password as it is stored. */
export async function hashPassword(password: string): Promise<string> {
  return String(await inTurn({ password, hash: undefined }));
}

/**
 * Whether a password fits a stored hash. Without a stored hash (no such user) it takes as long and is false, so that
 * the time of an answer does not tell which addresses have an account.
 */
export async function checkPassword(password: string, stored: string | undefined): Promise<boolean> {
  const fits = (await inTurn({ password, hash: stored ?? nobodysHash })) === true;
  return fits && stored !== undefined;
}

/** One hash at a time: the thread would do no more anyhow, and so each caller knows which answer is theirs. */
function inTurn(question: Question): Promise<unknown> {
  if (queued >= queueLimit) throw new Refusal(429, "too many logins at once; try again", { "retry-after": "1" });
  queued += 1;
  const mine = last.then(() => ask(question));
  // The next one waits for this one, however it ends; its caller hears about the error.
  last = mine.then(
    () => (queued -= 1),
    () => (queued -= 1),
  );
  return mine;
}

async function ask(question: Question): Promise<unknown> {
  thread ??= startThread();
  thread.postMessage(question);
  const [answer] = await once(thread, "message");
  return answer;
}

/** This file, in a thread; in an image the whole service is one file, which does nothing else in a thread. */
function startThread(): Worker {
  const started = new Worker(new URL(import.meta.url), { workerData: threadName });
  started.unref();
  // Whoever waits for an answer is told; the next one gets another thread.
  started.once("error", () => {
    thread = undefined;
  });
  return started;
}

if (!isMainThread && workerData === threadName) {
  parentPort?.on("message", ({ password, hash }: Question) => {
    parentPort?.postMessage(hash === undefined ? bcrypt.hashSync(password, cost) : bcrypt.compareSync(password, hash));
  });
}
