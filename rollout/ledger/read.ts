import type { KubeApi } from "../kube/api.ts";
import type { LedgerPage, LedgerPlace } from "./pages.ts";
import { parseRecord } from "./parse.ts";
import type { LedgerRecord } from "./record.ts";
import { readPages } from "./store.ts";

// Apart from `store.ts`: whoever only appends, as the guard in its pod, carries nothing that checks what others wrote.

/**
 * All records, oldest first.
 * @throws Error that names a text that is no record, or says why the ledger cannot be read.
 */
export async function readLedger(api: KubeApi, place: LedgerPlace): Promise<readonly LedgerRecord[]> {
  const { pages } = await readPages(api, place);
  return pages
    .flatMap(({ entries }) => entries)
    .map(({ page, key, text }) => {
      const record = parseRecord(text);
      if (typeof record !== "string") return record;
      throw new Error(
        `record ${key} in ConfigMap ${page} of namespace ${place.namespace} cannot be read: ${record}. ` +
          "Somebody changed it: `./golive rollout record --verify` says what else",
      );
    });
}

/**
 * The records that can be read, oldest first: for who must go on all the same when somebody broke one.
 * @throws Error that says why the ledger cannot be read.
 */
export async function readableRecords(api: KubeApi, place: LedgerPlace): Promise<readonly LedgerRecord[]> {
  const { pages } = await readPages(api, place);
  return recordsOf(pages);
}

export const recordsOf = (pages: readonly LedgerPage[]): readonly LedgerRecord[] =>
  pages
    .flatMap(({ entries }) => entries)
    .map(({ text }) => parseRecord(text))
    .filter((record) => typeof record !== "string");
