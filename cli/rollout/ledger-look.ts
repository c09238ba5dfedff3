import { reasonOf } from "../../programs/reason.ts";
import { readableRecords } from "../../rollout/ledger/read.ts";
import type { LedgerRecord } from "../../rollout/ledger/record.ts";
import type { RolloutStack } from "./stack.ts";

/** What somebody found who asked for a ledger. */
export interface LedgerLook {
  /** Oldest first. */
  readonly records: readonly LedgerRecord[];
  /** Why there are none to be seen; undefined: they were read. Nothing climbs meanwhile, and ways down go on. */
  readonly unreadable: string | undefined;
}

/** Reads the ledger for who must go on without it. Never rejects: a way down and a diagnosis need no ledger. */
export const lookAtLedger = ({ cluster, place }: Pick<RolloutStack, "cluster" | "place">): Promise<LedgerLook> =>
  readableRecords(cluster.api, place).then(
    (records) => ({ records, unreadable: undefined }),
    (error: unknown) => ({ records: [], unreadable: `a ledger that cannot be read: ${reasonOf(error)}` }),
  );
