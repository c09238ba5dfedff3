import type { KubeApi } from "../kube/api.ts";
import { missingOf, type RecordedRun, recordOf } from "./drafts.ts";
import type { LedgerPlace } from "./pages.ts";
import { readableRecords } from "./read.ts";
import type { LedgerRecord } from "./record.ts";
import { appendRecord } from "./store.ts";

/**
 * Writes down what a run did: first what the ledger has missed before it, then its own record.
 * @throws Error when the ledger cannot be read or written. The route is as the run left it all the same: the next run finds it.
 */
export async function recordRun(
  api: KubeApi,
  place: LedgerPlace,
  run: RecordedRun,
  own = recordOf(run),
): Promise<LedgerRecord> {
  const { application, stack, who } = run;
  const missing = missingOf(await readableRecords(api, place), run.observed.route, { application, stack, who });
  if (missing) await appendRecord(api, place, missing);
  return appendRecord(api, place, own);
}
