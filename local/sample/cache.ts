import { randomUUID } from "node:crypto";
import { createClient } from "redis";
import { errorFields, type Log } from "./log.ts";
import type { BackendMetrics } from "./metrics.ts";
import type { BackendSettings } from "./settings.ts";

/** How long an answer may take before the database is asked instead. */
const deadlineMs = 250;
const pauseMs = 1_000;
/** How long a list may be served from the cache. */
const listSeconds = 30;
const generationSeconds = 3_600;
const tasksCreatedKey = "taskflow:tasks-created";

/**
 * Lists of tasks in Redis. A list's shape may change between releases, so its key carries the release version; that a
 * list is out of date must be known to both colours, so each user has a generation that does not: a write replaces that
 * of everyone who sees what was written, and every list is stored under the generation that was read before the list
 * was. A generation is a random text and not a number, because Redis may evict it, and a number that starts again would
 * bring an old list back.
 *
 * Redis is a help, never a need: when it does not answer, the database does.
 */
export class Cache {
  readonly #client: ReturnType<typeof connect>;
  readonly #version: string;
  readonly #log: Log;
  readonly #metrics: BackendMetrics;
  #reachable = true;
  #pausedUntil = 0;

  constructor(settings: BackendSettings, log: Log, metrics: BackendMetrics) {
    this.#version = settings.identity.version;
    this.#log = log;
    this.#metrics = metrics;
    this.#client = connect(settings.redisUrl);
    this.#client.on("error", (error: unknown) => this.#lost(error));
    this.#client.on("ready", () => this.#found());
  }

  /** Begins to connect, and keeps trying for as long as the process lives. */
  start(): void {
    this.#client.connect().catch((error: unknown) => this.#lost(error));
  }

  /** A user's list from the cache, else from `load`; `which` tells their lists apart. */
  async list<T>(user: string, which: string, load: () => Promise<T>): Promise<{ value: T; cached: boolean }> {
    const generation = await this.#ask(() => this.#generation(user));
    if (generation === undefined) {
      this.#metrics.cacheReads.inc({ result: "error" });
      return { value: await load(), cached: false };
    }
    const key = `taskflow:${this.#version}:tasks:${user}:${generation}:${which}`;
    const stored = await this.#ask(() => this.#client.get(key));
    if (typeof stored === "string") {
      this.#metrics.cacheReads.inc({ result: "hit" });
      return { value: JSON.parse(stored) as T, cached: true };
    }
    this.#metrics.cacheReads.inc({ result: "miss" });
    const value = await load();
    await this.#ask(() =>
      this.#client.set(key, JSON.stringify(value), { expiration: { type: "EX", value: listSeconds } }),
    );
    return { value, cached: false };
  }

  /** Makes every cached list of these users out of date, in both colours. */
  async outdate(users: readonly string[]): Promise<void> {
    if (users.length === 0) return;
    await this.#ask(() => this.#outdating(users).exec());
  }

  /** The same, and counts a task that was created: how many both colours created, or undefined when Redis does not answer. */
  async taskCreated(users: readonly string[]): Promise<number | undefined> {
    const answers = await this.#ask(() => this.#outdating(users).incr(tasksCreatedKey).exec());
    const created = answers?.at(-1);
    return typeof created === "number" ? created : undefined;
  }

  #outdating(users: readonly string[]) {
    const commands = this.#client.multi();
    const expiration = { type: "EX", value: generationSeconds } as const;
    for (const user of users) commands.set(generationKey(user), randomUUID(), { expiration });
    return commands;
  }

  async close(): Promise<void> {
    // Nothing that it could still have to say is worth waiting for.
    if (this.#client.isOpen) this.#client.destroy();
  }

  async #generation(user: string): Promise<string> {
    const known = await this.#client.get(generationKey(user));
    if (known !== null) return known;
    const fresh = randomUUID();
    // Someone else may have been first: then what is stored under ours is never read again, which is only a miss.
    await this.#client.set(generationKey(user), fresh, {
      condition: "NX",
      expiration: { type: "EX", value: generationSeconds },
    });
    return fresh;
  }

  /** What Redis answers, or undefined when it does not, or not soon enough. */
  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!this.#client.isReady || performance.now() < this.#pausedUntil) return undefined;
    try {
      const answer = await withinDeadline(question());
      if (!this.#reachable) this.#found();
      return answer;
    } catch (error) {
      // A Redis that hangs would cost each request the whole deadline: leave it alone for a moment.
      this.#pausedUntil = performance.now() + pauseMs;
      this.#lost(error);
      return undefined;
    }
  }

  // One line for each outage, not one for each request.
  #lost(error: unknown): void {
    if (this.#reachable) this.#log.warn("redis lost; the database answers instead", errorFields(error));
    this.#reachable = false;
  }

  #found(): void {
    this.#log.info("redis connected");
    this.#reachable = true;
  }
}

/** The client's own command timeout ends when the command is sent; a Redis that accepts and never answers needs this one. */
async function withinDeadline<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([answer, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

const generationKey = (user: string) => `taskflow:generation:${user}`;

function connect(url: string) {
  return createClient({
    url,
    // Nothing but AUTH, PING, GET, SET, INCR, MULTI and EXEC: that is all that the ACL has to allow.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: "disabled",
    // Fail at once instead of keeping commands for a Redis that may come back.
    disableOfflineQueue: true,
    // A connection that went away without a word is given up when two pings stay unanswered.
    pingInterval: 4_000,
    socket: {
      connectTimeout: 1_000,
      socketTimeout: 10_000,
      reconnectStrategy: (retries: number) => Math.min(100 * 2 ** retries, 2_000),
    },
  });
}
