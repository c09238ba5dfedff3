/** Whose ledger: its ConfigMaps are in the application's namespace. */
export interface LedgerPlace {
  readonly namespace: string;
  readonly application: string;
}

/** One text of the ledger, as it stands in the cluster. */
export interface LedgerEntry {
  /** The ConfigMap, and the key in it. */
  readonly page: string;
  readonly key: string;
  readonly text: string;
}

/** A ConfigMap of the ledger. */
export interface LedgerPage {
  readonly name: string;
  /** In the order of their keys, which is that of their numbers. */
  readonly entries: readonly LedgerEntry[];
  /** Number and hash of the record that was written last on this page, as its annotation tells; undefined: it tells none. */
  readonly head: LedgerHead | undefined;
  readonly resourceVersion: string;
}

export interface LedgerHead {
  readonly number: number;
  readonly hash: string;
}

/** A ConfigMap holds 1 MiB; a page that has more characters than this is full. */
export const pageBytes = 700 * 1024;

/**
 * So many pages at most, for thousands of records. Each is named in the Role of whoever writes, so that a right to the ledger
 * is no right to other ConfigMaps.
 */
export const maxPages = 20;

/** Names of all pages that there can be. */
export const pageNames = (application: string): readonly string[] =>
  Array.from({ length: maxPages }, (_, index) => `${application}-ledger${index === 0 ? "" : `-${index + 1}`}`);

/** What a Role grants on `pageNames` to whoever writes the ledger; and `create` on ConfigMaps, which cannot be granted by name. */
export const ledgerVerbs = ["get", "patch"] as const;

export const headAnnotation = "golive/head";

export const keyOf = (number: number) => String(number).padStart(6, "0");
export const isRecordKey = (key: string) => /^\d{6}$/.test(key);

export const headText = ({ number, hash }: LedgerHead) => `${number} ${hash}`;

/** Reads `12 <sha-256>`; undefined: it is something else. */
export function parseHead(text: string | undefined): LedgerHead | undefined {
  const [, number, hash] = /^(\d+) ([0-9a-f]{64})$/.exec(text?.trim() ?? "") ?? [];
  return number === undefined || hash === undefined ? undefined : { number: Number(number), hash };
}
