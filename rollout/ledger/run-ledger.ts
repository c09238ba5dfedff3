import type { Allowed } from "../decision.ts";
import type { Assessment } from "../gate/assess.ts";
import type { KubeApi } from "../kube/api.ts";
import { type RecordedRun, recordOf, refusedOf } from "./drafts.ts";
import type { Origin } from "./origin.ts";
import { recordRun } from "./record-run.ts";

/** Writes down what became of one run of `pulumi up`. Never rejects: a run is not undone because nobody could write it down. */
export interface RunLedger {
  /** The route was written; `judged` is what the step was let through by. */
  written(judged: Assessment | undefined): Promise<void>;
  /** The step was held at the last moment. */
  refused(reason: string, judged: Assessment): Promise<void>;
}

/** A run as far as it is known before it writes. */
export interface LedgerRun extends Pick<RecordedRun, "application" | "stack" | "observed"> {
  readonly decision: Allowed;
  readonly namespace: string;
  /** Who runs it, and from which commit: asked only when there is something to write down. */
  origin(): Promise<Origin>;
  /** Tells whoever runs it what could not be written down. */
  warn(text: string): void;
}

/** The ledger of a run, in the application's namespace. */
export function runLedger(api: KubeApi, run: LedgerRun): RunLedger {
  const { namespace, application, stack, observed, decision, origin, warn } = run;
  const write = async (judged: Assessment | undefined, reason?: string) => {
    try {
      const recorded: RecordedRun = {
        ...{ application, stack, observed, decision },
        ...(await origin()),
        verdict: judged?.verdict,
        queries: judged?.measured?.queries,
        override: decision.override,
      };
      const own = reason === undefined ? recordOf(recorded) : refusedOf(recorded, reason);
      await recordRun(api, { namespace, application }, recorded, own);
    } catch (error) {
      warn(
        `the ledger could not be written (the next run finds what it misses): ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  return {
    written: (judged) => write(judged),
    refused: (reason, judged) => write(judged, reason),
  };
}
