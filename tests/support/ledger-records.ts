import type { Kind, RecordDraft } from "../../rollout/ledger/record.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import { weightsOf } from "../../rollout/told.ts";
import { blue, green } from "./decision.ts";
import { type LedgerApi, place } from "./ledger-api.ts";

export const releases = { blue, green };

/** A step of green, with the percents before and after. */
export const step = (kind: Kind, from: number, to: number, rest: Partial<RecordDraft> = {}): RecordDraft => ({
  kind,
  application: "taskflow",
  stack: "production",
  candidate: "green",
  from: weightsOf("green", from),
  to: weightsOf("green", to),
  releases,
  who: "Ada <ada@example.com>",
  reason: `${from} -> ${to}`,
  ...rest,
});

/** Appends these, a minute after each other. */
export async function write(api: LedgerApi, drafts: readonly RecordDraft[]): Promise<void> {
  for (const draft of drafts) {
    await appendRecord(api, place, draft);
    api.wait(60);
  }
}
