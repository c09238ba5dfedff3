import { setTimeout as sleep } from "node:timers/promises";
import type { V1Job, V1Pod } from "@kubernetes/client-node";
import { Failure } from "../failure.ts";
import type { Progress } from "../progress.ts";
import type { Session } from "../session.ts";
import { type ToolCluster, Unreachable } from "./cluster.ts";
import { jobFrom, type Task, toolsName } from "./job.ts";
import { parseResult, readLog } from "./log.ts";
import { type PodState, podState } from "./pod.ts";

/** How a command in the cluster ended. */
export interface Finished {
  readonly exitCode: number;
  /** Its last words; empty when there are none, or when they are its result. */
  readonly message: string;
  /** What it found or did; undefined when it ended before it could tell. */
  readonly result: Readonly<Record<string, unknown>> | undefined;
}

export interface TaskOptions {
  readonly namespace: string;
  readonly session: Session;
  readonly progress: Progress;
  /** How long a pod may be kept from running, or the cluster be silent, before that counts as a failure. Default: 120 s. */
  readonly patienceSeconds?: number;
  /** Default: 1000. */
  readonly everyMs?: number;
  /** What must be done with the outcome before anything else can fail. Default: nothing. */
  readonly settle?: (finished: Finished) => Promise<void>;
}

/**
 * Runs one command of the database programs as a Job in the cluster, next to the data, and tells its lines as it prints them.
 * The Job is deleted afterwards, also when this command is stopped. @throws Failure when the command could not be run at all.
 */
export async function runTask(cluster: ToolCluster, task: Task, options: TaskOptions): Promise<Finished> {
  const template = await cluster.template();
  if (template === undefined) {
    throw new Failure(
      `no CronJob ${toolsName} in namespace ${options.namespace}: the stack is not up there, or has no PostgreSQL. Bring it up: golive pulumi up`,
      2,
    );
  }
  const planned = jobFrom(template, task);
  const name = planned.metadata?.name ?? "";
  // Registered before the Job is asked for: a Ctrl-C while the answer is on its way must not leave one.
  const forget = options.session.atEnd(`delete the Job ${name}`, () => cluster.remove(name));
  const job = await cluster.create(planned);
  const finished = await new Watch(cluster, job, options).toItsEnd();
  // Whatever becomes of the Job, what it did is done: a restore that nobody records would be lost on the next run.
  await options.settle?.(finished);
  await cluster.remove(name);
  forget();
  return finished;
}

/** Follows one Job from its making to the end of its pod. */
class Watch {
  readonly #cluster: ToolCluster;
  readonly #job: V1Job;
  readonly #progress: Progress;
  readonly #patienceSeconds: number;
  readonly #everyMs: number;
  /** How many lines of the log were told. */
  #told = 0;
  #obstacle: string | undefined;
  #noted: string | undefined;
  /** Since when something keeps the pod from running, or nobody answers. */
  #hinderedSince: number | undefined;

  constructor(cluster: ToolCluster, job: V1Job, { progress, patienceSeconds = 120, everyMs = 1000 }: TaskOptions) {
    this.#cluster = cluster;
    this.#job = job;
    this.#progress = progress;
    this.#patienceSeconds = patienceSeconds;
    this.#everyMs = everyMs;
  }

  async toItsEnd(): Promise<Finished> {
    let seen = false;
    for (;;) {
      try {
        const pod = await this.#cluster.pod(this.#name);
        if (pod === undefined && seen)
          throw new Failure(`${this.#name} was ended: ${await this.#cluster.ending(this.#name)}`);
        seen ||= pod !== undefined;
        const finished = await this.#look(pod);
        if (finished !== undefined) return finished;
      } catch (error) {
        // A command that works in the cluster need not end because we lost sight of it for a moment.
        if (!(error instanceof Unreachable)) throw error;
        this.#hinder(error.message);
      }
      await sleep(this.#everyMs);
    }
  }

  get #name(): string {
    return this.#job.metadata?.name ?? "";
  }

  async #look(pod: V1Pod | undefined): Promise<Finished | undefined> {
    const state: PodState = pod === undefined ? { kind: "waiting", obstacle: undefined } : podState(pod);
    if (pod === undefined || state.kind === "waiting") {
      const obstacle = state.kind === "waiting" ? state.obstacle : undefined;
      const warning = obstacle ?? (await this.#cluster.warning((pod ?? this.#job).metadata?.uid ?? ""));
      this.#hinder(warning ?? (pod === undefined ? "the cluster has made no pod for it" : undefined));
      return undefined;
    }
    this.#hinder(undefined);
    const ended = state.kind === "ended";
    const { lines, result: printed } = readLog(await this.#cluster.log(pod), ended);
    const message = ended ? state.message : "";
    // The last words of a failed command are told at the end, as its error.
    const fresh = lines.slice(this.#told).filter((line) => !message.split("\n").includes(line));
    for (const line of fresh) this.#progress.note(line);
    this.#told = Math.max(this.#told, lines.length);
    if (!ended) return undefined;
    const result = printed ?? parseResult(message);
    const isResult = parseResult(message) !== undefined;
    return { exitCode: state.exitCode, message: isResult ? "" : message || lastWords(state.exitCode, lines), result };
  }

  /** Notes what is in the way, when it is there at a second look; a Failure when anything has been for too long. */
  #hinder(obstacle: string | undefined): void {
    if (obstacle !== undefined && obstacle === this.#obstacle && obstacle !== this.#noted) {
      this.#progress.note(obstacle);
      this.#noted = obstacle;
    }
    this.#obstacle = obstacle;
    if (obstacle === undefined) this.#hinderedSince = undefined;
    else this.#hinderedSince ??= performance.now();
    if (this.#hinderedSince === undefined || performance.now() - this.#hinderedSince < this.#patienceSeconds * 1000)
      return;
    throw new Failure(`${this.#name}: for ${this.#patienceSeconds} s now, ${obstacle}. Put that right and start again`);
  }
}

/** What a command that left no message printed last. */
const lastWords = (exitCode: number, lines: readonly string[]) => (exitCode === 0 ? "" : (lines.at(-1) ?? ""));
