import type { KubeApi } from "../../rollout/kube/api.ts";
import { isRecordKey, type LedgerEntry, type LedgerPlace, pageNames } from "../../rollout/ledger/pages.ts";
import { readPage } from "../../rollout/ledger/store.ts";
import { ConditionLog } from "../condition-log.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import { type Recorded, recordedOf } from "./recorded.ts";

/** What is told of the ledger. */
export interface Tail {
  /** Whether all of its newest records could be read. */
  readonly isRead: boolean;
  /** Those of them that could, oldest first. */
  readonly records: readonly Recorded[];
}

/** So many of the newest: each is a series of its own, and a walk with both its ends has fewer. */
const tailLength = 20;

/** Reads the newest records of one ledger, and says in the log when it cannot, once a change. */
export class LedgerWatch {
  /** Undefined: nobody has looked yet. */
  tail: Tail | undefined;
  readonly #api: KubeApi;
  readonly #place: LedgerPlace;
  readonly #log: ConditionLog;
  /** Index of the page that the newest records begin on: those before it are full, and are read once. */
  #first = 0;

  constructor(api: KubeApi, place: LedgerPlace, log: Log) {
    this.#api = api;
    this.#place = place;
    this.#log = new ConditionLog(log, { good: "can be read again", bad: "cannot be read" });
  }

  /** Never rejects: whoever asks of the route must not lose it to a ledger that somebody broke. */
  async read(): Promise<void> {
    const { application, namespace } = this.#place;
    const entries = await this.#newest().catch(reasonOf);
    const found = typeof entries === "string" ? [] : entries.map((entry) => ({ ...entry, record: recordedOf(entry) }));
    const broken = found.filter(({ record }) => record === undefined).map(({ key }) => key);
    const problem =
      typeof entries === "string"
        ? entries
        : broken.length === 0
          ? undefined
          : `no record: ${broken.join(", ")}. Somebody changed it: \`./golive rollout record --verify\` says what else`;
    this.tail = {
      isRead: problem === undefined,
      records: found.flatMap(({ record }) => (record === undefined ? [] : [record])),
    };
    this.#log.say(`the ledger of ${application} in namespace ${namespace}`, problem);
  }

  async #newest(): Promise<readonly LedgerEntry[]> {
    const names = pageNames(this.#place.application);
    let newest: readonly LedgerEntry[] = [];
    for (const name of names.slice(this.#first)) {
      const { page } = await readPage(this.#api, this.#place, name);
      if (page === undefined) break;
      newest = [...newest, ...page.entries.filter(({ key }) => isRecordKey(key))].slice(-tailLength);
    }
    const [oldest] = newest;
    if (oldest === undefined && this.#first > 0) {
      // Somebody took its pages away: it begins again on the first one.
      this.#first = 0;
      return this.#newest();
    }
    this.#first = oldest === undefined ? 0 : names.indexOf(oldest.page);
    return newest;
  }
}
