import { Worker } from "node:worker_threads";
import { Failure } from "../../cli/failure.ts";
import { type Account, openAccounts } from "./accounts.ts";
import { fieldsPerRecord, Records } from "./records.ts";
import type { Site } from "./request.ts";
import { type FailureNote, type Sample, sampleOf } from "./sample.ts";
import type { FromWorker, ToWorker, WorkerInput } from "./worker.ts";
import { lostTasks, type WrittenTask } from "./written.ts";

/** Failures whose reason is kept. Each failure is counted; when all goes wrong, the first ten thousand say why. */
const noteLimit = 10_000;
const defaultAccounts = 4;

export type { LoadRecord } from "./records.ts";
export { type Colour, percentile, type Sample, type Settling, settleSeconds, shareOf } from "./sample.ts";

export interface LoadOptions {
  /** Where to connect: loopback only. */
  readonly origin: { readonly host: "127.0.0.1"; readonly port: number };
  /** The public name that is asked for. */
  readonly hostname: string;
  /** 5 to 2000; five requests are one visit: page, its asset, the API, and two of tasks, of which every fourth writes. */
  readonly requestsPerSecond: number;
  /** 1 to 600: after that the load ends by itself. */
  readonly seconds: number;
  /** Part of the visits whose every request opens a connection of its own, 0 to 1; default 0.2. */
  readonly newConnectionShare?: number;
  /** A request that takes longer has failed; default 2000. */
  readonly slowMs?: number;
  /** Accounts that are registered before the load and read and write tasks in it, 0 to 16; default 4. 0: visits without tasks. */
  readonly accounts?: number;
}

/** Everything a load saw, and what became of what it wrote. */
export interface WholeSample extends Sample {
  /** Tasks whose creation was answered with success. */
  readonly written: number;
  /** Of those, how many were not there as they were written when the load was over. */
  readonly lost: number;
}

/** Unbroken load on one origin. All times are milliseconds since it began. */
export interface Load {
  now(): number;
  /** What a span saw, the past too; waits for the requests in flight (at most five times `slowMs`) when it is not over yet. */
  sample(from: number, to: number): Promise<Sample>;
  /** Stops sending, waits for the requests in flight, sums up everything, and looks for every task that was written. */
  stop(): Promise<WholeSample>;
}

function checkOptions({
  origin,
  requestsPerSecond,
  seconds,
  newConnectionShare = 0.2,
  slowMs = 2_000,
  accounts = defaultAccounts,
}: LoadOptions): void {
  const problems: string[] = [];
  const check = (name: string, value: number, min: number, max: number) => {
    if (!(value >= min && value <= max)) problems.push(`${name}: got ${value}; ${min} to ${max} is allowed`);
  };
  // As a string: the type says it already, but what comes from JSON or a command line has no type.
  if ((origin.host as string) !== "127.0.0.1")
    problems.push(`origin.host: got "${origin.host}"; only 127.0.0.1 is allowed`);
  check("origin.port", origin.port, 1, 65_535);
  check("requestsPerSecond", requestsPerSecond, 5, 2_000);
  check("seconds", seconds, 1, 600);
  check("newConnectionShare", newConnectionShare, 0, 1);
  check("slowMs", slowMs, 10, 10_000);
  check("accounts", accounts, 0, 16);
  if (problems.length > 0) throw new Failure(`the load cannot be put:\n  ${problems.join("\n  ")}`, 2);
}

/**
 * Opens accounts, then begins to put load on a gateway, from a thread of its own, so that the caller's work neither
 * thins it out nor slows it down. Throws a Failure for anything but loopback, beyond the bounds, and without accounts.
 */
export async function startLoad(options: LoadOptions): Promise<Load> {
  checkOptions(options);
  const { origin, hostname, slowMs = 2_000, newConnectionShare = 0.2, requestsPerSecond, seconds } = options;
  const site: Site = { origin, hostname, slowMs };
  const accounts = await openAccounts(site, options.accounts ?? defaultAccounts);
  const sessions = accounts.map(({ session }) => session);
  const epochNs = process.hrtime.bigint();
  const input: WorkerInput = { ...site, requestsPerSecond, seconds, newConnectionShare, sessions, epochNs };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: input });
  const running = new RunningLoad(worker, epochNs, site, accounts);
  await running.started;
  return running;
}

interface Waiting {
  readonly until: number;
  resolve(): void;
  reject(error: Error): void;
}

class RunningLoad implements Load {
  readonly started: Promise<void>;
  readonly #worker: Worker;
  readonly #epochNs: bigint;
  readonly #site: Site;
  readonly #accounts: readonly Account[];
  readonly #records = new Records();
  readonly #failures: FailureNote[] = [];
  readonly #written: WrittenTask[] = [];
  #waiting: Waiting[] = [];
  #completeUntil = 0;
  #over = false;
  #failure: Failure | undefined;
  #whole: Promise<WholeSample> | undefined;

  constructor(worker: Worker, epochNs: bigint, site: Site, accounts: readonly Account[]) {
    this.#worker = worker;
    this.#epochNs = epochNs;
    this.#site = site;
    this.#accounts = accounts;
    worker.on("message", (message: FromWorker) => this.#take(message));
    worker.on("error", (error: Error) => this.#fail(error.message, error));
    worker.on("exit", (code) => {
      if (!this.#over) this.#fail(`its thread ended with code ${code}`);
    });
    this.started = this.#until(Number.MIN_VALUE);
  }

  now(): number {
    return Number(process.hrtime.bigint() - this.#epochNs) / 1e6;
  }

  async sample(from: number, to: number): Promise<Sample> {
    await this.#until(to);
    const notes = this.#failures.filter(({ at }) => at >= from && at < to);
    return sampleOf({ from, to }, this.#records.between(from, to), notes);
  }

  stop(): Promise<WholeSample> {
    this.#whole ??= this.#end();
    return this.#whole;
  }

  async #end(): Promise<WholeSample> {
    this.#worker.postMessage({ type: "stop" } satisfies ToWorker);
    if (!this.#over) await this.#until(Number.POSITIVE_INFINITY);
    if (this.#failure) throw this.#failure;
    const span = { from: 0, to: this.#completeUntil };
    const all = sampleOf(span, this.#records.between(0, Number.POSITIVE_INFINITY), this.#failures);
    const lost = await lostTasks(this.#site, this.#accounts, this.#written);
    return { ...all, written: this.#written.length, lost: lost.length };
  }

  /** Waits until every request that was sent before `time` is here. */
  async #until(time: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#completeUntil >= time) return;
    if (this.#over) throw tooShort(this.#completeUntil, time);
    await new Promise<void>((resolve, reject) => this.#waiting.push({ until: time, resolve, reject }));
  }

  #take({ records, failures, written, completeUntil, over }: FromWorker): void {
    for (let index = 0; index + fieldsPerRecord <= records.length; index += fieldsPerRecord) {
      this.#records.add(records[index] ?? 0, records[index + 1] ?? 0, records[index + 2] ?? 0);
    }
    this.#failures.push(...failures.slice(0, Math.max(0, noteLimit - this.#failures.length)));
    this.#written.push(...written);
    this.#completeUntil = completeUntil;
    this.#over = over;
    const isDone = ({ until }: Waiting) => until <= completeUntil || (over && until === Number.POSITIVE_INFINITY);
    for (const each of this.#waiting.filter(isDone)) each.resolve();
    this.#waiting = this.#waiting.filter((each) => !isDone(each));
    if (!over) return;
    for (const each of this.#waiting) each.reject(tooShort(completeUntil, each.until));
    this.#waiting = [];
  }

  #fail(message: string, cause?: Error): void {
    this.#failure ??= new Failure(`the load generator failed: ${message}`, 1, { cause });
    for (const each of this.#waiting) each.reject(this.#failure);
    this.#waiting = [];
  }
}

function tooShort(ended: number, wanted: number): Failure {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return new Failure(
    `the load ended after ${seconds(ended)} s, before the span that ends at ${seconds(wanted)} s; start it with more seconds`,
  );
}
