import type { FailureReason } from "../../local/load/sample.ts";
import { table } from "../table.ts";
import type { Scraped } from "./prometheus.ts";

/** One rung of the demo, as measured. */
export interface DemoStep {
  /** Percent that was asked for. */
  readonly asked: number;
  /** Percent of the requests that the candidate answered, once the step had settled. */
  readonly measured: number;
  /** Requests that `measured` is of. */
  readonly requests: number;
  /** Of all requests since the step began, so those during the `up` too. */
  readonly failed: number;
  readonly p95Ms: number;
  readonly upSeconds: number;
  /** From the end of the `up` until the share was right and stayed so; null when it never was. */
  readonly settleSeconds: number | null;
  /** What Prometheus has of the same time; null when it has nothing. */
  readonly prometheus: Scraped | null;
}

/** A preview that was refused, as it must be. */
export interface DemoRefusal {
  readonly from: number;
  readonly asked: number;
  readonly exitCode: number;
  readonly message: string;
}

/** What `.golive/demo.json` holds. */
export interface DemoReport {
  readonly steps: readonly DemoStep[];
  readonly refusals: readonly DemoRefusal[];
  /** Everything from before the first step until after the last one. */
  readonly load: {
    readonly requestsPerSecond: number;
    readonly seconds: number;
    readonly requests: number;
    readonly failed: number;
    readonly failures: readonly FailureReason[];
    /** Tasks whose creation was answered with success, and how many of them were not found at the end. */
    readonly written: number;
    readonly lost: number;
  };
}

export const neededRequests = 2000;
export const tolerancePoints = 3;

/** What is not as it must be; empty when the demo succeeded. */
export function shortcomings({ steps, load }: DemoReport): readonly string[] {
  const problems = steps.flatMap(({ asked, measured, requests, settleSeconds, prometheus }) => {
    const found: string[] = [];
    if (requests < neededRequests) found.push(`at ${asked} %: ${requests} requests; ${neededRequests} are needed`);
    if (settleSeconds === null || !(Math.abs(measured - asked) <= tolerancePoints)) {
      found.push(`at ${asked} %: measured ${measured.toFixed(1)} %; ${tolerancePoints} points off are allowed`);
    }
    if (prometheus === null) found.push(`at ${asked} %: Prometheus has no request of that time`);
    else if (!(Math.abs(prometheus.share - measured) <= tolerancePoints)) {
      const both = `measured ${measured.toFixed(1)} %, Prometheus ${prometheus.share.toFixed(1)} %`;
      found.push(`at ${asked} %: ${both}; they may be ${tolerancePoints} points apart`);
    }
    return found;
  });
  const reasons = load.failures.map(
    ({ reason, count, first }) =>
      `  ${count} x ${reason} (first: ${first.kind} after ${(first.at / 1000).toFixed(1)} s)`,
  );
  if (load.failed > 0)
    problems.push([`${load.failed} of ${load.requests} requests failed; none may`, ...reasons].join("\n"));
  if (load.lost > 0) problems.push(`${load.lost} of ${load.written} tasks that were written are lost; none may`);
  if (load.written === 0) problems.push("no task was written, so nothing says that none is lost");
  return problems;
}

const barWidth = 20;

/** A share as a bar: the candidate's part is filled. */
export function bar(percent: number): string {
  const filled = Math.min(barWidth, Math.max(0, Math.round((percent / 100) * barWidth)));
  return "█".repeat(filled) + "░".repeat(barWidth - filled);
}

/** The demo as a table for a terminal. */
export function reportText({ steps, refusals, load }: DemoReport): string {
  const header = ["candidate", "asked", "measured", "requests", "failed", "p95", "up", "settled after"];
  const rows = steps.map((step) => [
    bar(step.measured),
    `${step.asked} %`,
    `${step.measured.toFixed(1)} %`,
    `${step.requests}`,
    `${step.failed}`,
    `${step.p95Ms.toFixed(0)} ms`,
    `${step.upSeconds.toFixed(1)} s`,
    step.settleSeconds === null ? "never" : `${step.settleSeconds.toFixed(1)} s`,
  ]);
  const beside = steps.map(({ asked, measured, failed, p95Ms, prometheus }) => [
    `${asked} %`,
    `${measured.toFixed(1)} %`,
    prometheus === null ? "-" : `${prometheus.share.toFixed(1)} %`,
    `${failed}`,
    prometheus === null ? "-" : `${prometheus.errorPercent.toFixed(2)} %`,
    `${p95Ms.toFixed(0)} ms`,
    prometheus === null ? "-" : `${prometheus.p95Ms.toFixed(0)} ms`,
  ]);
  const scraped = table(
    ["rung", "users: share", "Prometheus", "users: failed", "Prometheus: errors", "users: p95", "Prometheus: p95"],
    beside,
  );
  const refused = refusals.map(({ from, asked, message }) => `refused ${from} -> ${asked}: ${message}`);
  const total = `${load.requests} requests in ${load.seconds.toFixed(0)} s without a break, ${load.failed} failed`;
  const tasks = `${load.written} tasks written meanwhile, ${load.lost} lost`;
  return [table(header, rows), "", scraped, "", ...refused, total, tasks].join("\n");
}
