import { parentPort, workerData } from "node:worker_threads";
import { flagsOf } from "./records.ts";
import type { FailureNote } from "./sample.ts";
import { everyShare, Schedule } from "./schedule.ts";
import { keptConnections, visit } from "./visit.ts";

export interface WorkerInput {
  readonly origin: { readonly host: string; readonly port: number };
  readonly hostname: string;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly newConnectionShare: number;
  readonly slowMs: number;
  /** The load's beginning on the machine's monotonic clock, which every thread shares. */
  readonly epochNs: bigint;
}

export type ToWorker = { readonly type: "stop" };

export type FromWorker = {
  readonly type: "batch";
  /** at, ms, flags; at, ms, flags; … */
  readonly records: Float64Array;
  readonly failures: readonly FailureNote[];
  /** Every request that was sent before this moment is in a batch by now. */
  readonly completeUntil: number;
  readonly over: boolean;
};

const requestsPerVisit = 3;
const tickMs = 5;
const batchMs = 100;

const port = parentPort;
if (!port) throw new Error("this file runs as a worker of local/load/load.ts");
const input = workerData as WorkerInput;
const now = () => Number(process.hrtime.bigint() - input.epochNs) / 1e6;

const schedule = new Schedule(input.requestsPerSecond / requestsPerVisit, input.seconds);
const onNewConnection = everyShare(input.newConnectionShare);
const agent = keptConnections();
/** When each visit that still goes on began: none of its requests is older. */
const underWay = new Map<number, number>();
// Twice what a service that lets every request run into `slowMs` could keep busy, so only a fault of ours reaches it.
const visitLimit = Math.ceil((2 * input.requestsPerSecond * input.slowMs) / 1000) + 100;

let numbers: number[] = [];
let failures: FailureNote[] = [];
let visits = 0;
let stopping = false;

const visitor = {
  origin: input.origin,
  hostname: input.hostname,
  slowMs: input.slowMs,
  now,
  done({ record, failure }: Parameters<Parameters<typeof visit>[0]["done"]>[0]) {
    numbers.push(record.at, record.ms, flagsOf(record));
    if (failure) failures.push(failure);
  },
};

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
    await visit(visitor, onNewConnection() ? undefined : agent);
  } finally {
    underWay.delete(id);
  }
}

function flush(): void {
  const over = (stopping || schedule.isOver) && underWay.size === 0;
  const [oldest] = underWay.values();
  const records = Float64Array.from(numbers);
  const message: FromWorker = { type: "batch", records, failures, completeUntil: oldest ?? now(), over };
  numbers = [];
  failures = [];
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
