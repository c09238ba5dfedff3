import { parentPort, workerData } from "node:worker_threads";
import { type Session, Tokens } from "./accounts.ts";
import { flagsOf } from "./records.ts";
import { keptConnections, type Site } from "./request.ts";
import type { FailureNote } from "./sample.ts";
import { everyShare, Schedule } from "./schedule.ts";
import { type User, type Visitor, visit } from "./visit.ts";
import type { TaskName, WrittenTask } from "./written.ts";

export interface WorkerInput extends Site {
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly newConnectionShare: number;
  /** The accounts that read and write tasks; none: nobody does. */
  readonly sessions: readonly Session[];
  /** The load's beginning on the machine's monotonic clock, which every thread shares. */
  readonly epochNs: bigint;
}

export type ToWorker = { readonly type: "stop" };

export type FromWorker = {
  readonly type: "batch";
  /** at, ms, flags; at, ms, flags; … */
  readonly records: Float64Array;
  readonly failures: readonly FailureNote[];
  readonly written: readonly WrittenTask[];
  /** Every request that was sent before this moment is in a batch by now. */
  readonly completeUntil: number;
  readonly over: boolean;
};

/** Page, asset and API; and two for tasks: a list, then one that is written or read. */
const requestsPerVisit = { stranger: 3, user: 5 } as const;
/** One request in ten writes: every second visit of five requests. */
const writingShare = 0.5;
const tickMs = 5;
const batchMs = 100;

const port = parentPort;
if (!port) throw new Error("this file runs as a worker of local/load/load.ts");
const input = workerData as WorkerInput;
const now = () => Number(process.hrtime.bigint() - input.epochNs) / 1e6;

const perVisit = input.sessions.length > 0 ? requestsPerVisit.user : requestsPerVisit.stranger;
const schedule = new Schedule(input.requestsPerSecond / perVisit, input.seconds);
const onNewConnection = everyShare(input.newConnectionShare);
const writes = everyShare(writingShare);
const agent = keptConnections();
/** When each visit that still goes on began: none of its requests is older. */
const underWay = new Map<number, number>();
// Twice what a service that lets every request run into `slowMs` could keep busy, so only a fault of ours reaches it.
const visitLimit = Math.ceil((2 * input.requestsPerSecond * input.slowMs) / 1000) + 100;

let numbers: number[] = [];
let failures: FailureNote[] = [];
let written: WrittenTask[] = [];
let visits = 0;
let stopping = false;

const visitor: Visitor = {
  origin: input.origin,
  hostname: input.hostname,
  slowMs: input.slowMs,
  now,
  done({ record, failure }) {
    numbers.push(record.at, record.ms, flagsOf(record));
    if (failure) failures.push(failure);
  },
};
const accounts = input.sessions.map((session) => {
  return { tokens: new Tokens(visitor, session), latest: undefined as TaskName | undefined };
});

/** Whose turn it is: each account for two visits, so that all of them read and write. */
function userOf(visit: number): User | undefined {
  const account = Math.floor(visit / 2) % accounts.length;
  const own = accounts[account];
  if (!own) return undefined;
  return {
    token: () => own.tokens.current(),
    title: writes() ? `task of visit ${visit}` : undefined,
    latest: () => own.latest,
    wrote(task) {
      own.latest = task;
      written.push({ account, ...task });
    },
  };
}

async function begin(): Promise<void> {
  const id = visits++;
  const at = now();
  if (underWay.size >= visitLimit) {
    // Not sending would make a stall look healthy: what could not be sent has failed.
    const reason = `page: not sent, ${visitLimit} visits under way`;
    const record = { at, ms: 0, ok: false, colour: "none", kind: "page" } as const;
    visitor.done({ record, failure: { at, kind: "page", colour: "none", reason } });
    return;
  }
  underWay.set(id, at);
  try {
    await visit(visitor, onNewConnection() ? undefined : agent, userOf(id));
  } finally {
    underWay.delete(id);
  }
}

function flush(): void {
  const over = (stopping || schedule.isOver) && underWay.size === 0;
  const [oldest] = underWay.values();
  const records = Float64Array.from(numbers);
  const message: FromWorker = { type: "batch", records, failures, written, completeUntil: oldest ?? now(), over };
  numbers = [];
  failures = [];
  written = [];
  port?.postMessage(message, [records.buffer]);
  if (!over) return;
  clearInterval(ticking);
  clearInterval(batching);
  agent.destroy();
  port?.close();
}

const ticking = setInterval(() => {
  if (stopping) return;
  // An error in begin() is a fault of the generator: it ends the worker, and the load says so.
  for (let due = schedule.due(now()); due > 0; due -= 1) void begin();
}, tickMs);
const batching = setInterval(flush, batchMs);
port.on("message", (message: ToWorker) => {
  if (message.type === "stop") stopping = true;
});
