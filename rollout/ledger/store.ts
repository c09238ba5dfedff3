import { messageOf } from "../kube/answer.ts";
import type { KubeAnswer, KubeApi } from "../kube/api.ts";
import { parseJson } from "../parse-json.ts";
import {
  headAnnotation,
  headText,
  isRecordKey,
  keyOf,
  type LedgerEntry,
  type LedgerHead,
  type LedgerPage,
  type LedgerPlace,
  maxPages,
  pageBytes,
  pageNames,
  parseHead,
} from "./pages.ts";
import { canonicalJson, type LedgerRecord, type RecordDraft, recordAfter, sha256 } from "./record.ts";

/** Of those who write at once one wins a round: so many rounds, then something else is wrong. */
const maxRounds = 50;
/** So many answers may get lost. */
const maxLost = 2;

/**
 * Appends a record, after whatever others append at the same time. An answer that got lost does not make two records of one.
 * @throws Error that names the ConfigMap and what the API server said, or why it said nothing.
 */
export async function appendRecord(api: KubeApi, place: LedgerPlace, draft: RecordDraft): Promise<LedgerRecord> {
  const tried = new Map<string, LedgerRecord>();
  let lost = 0;
  for (let round = 1; ; round++) {
    const { pages, at } = await readPages(api, place);
    const written = pages.flatMap(({ entries }) => entries).find(({ text }) => tried.has(text));
    const mine = written && tried.get(written.text);
    if (mine) return mine;
    const record = recordAfter(headOf(pages), draft, at);
    const text = canonicalJson(record);
    tried.set(text, record);
    const answer = await write(api, place, pages, { record, text }).catch((error: unknown) => {
      // Nobody knows whether it was written: the next round looks.
      if (++lost > maxLost) throw error;
      return undefined;
    });
    if (answer === undefined) continue;
    if (answer.status < 300) return record;
    if (answer.status !== 409 || round >= maxRounds)
      throw refused(place, "write", pages.at(-1)?.name ?? pageNames(place.application)[0] ?? "", answer);
  }
}

/**
 * The newest record, as text for a stack's output: `12 <hash>`; `none` before the first. What it said once, a later
 * `golive rollout record --verify --head` must still find.
 * @throws Error that says why the ledger cannot be read.
 */
export async function readHead(api: KubeApi, place: LedgerPlace): Promise<string> {
  const { pages } = await readPages(api, place);
  return pages.length === 0 ? "none" : headText(headOf(pages));
}

/**
 * The pages as they stand, in order, and the cluster's time. No page: nothing was recorded yet.
 * @throws Error when the API server refuses or does not answer.
 */
export async function readPages(
  api: KubeApi,
  place: LedgerPlace,
): Promise<{ readonly pages: readonly LedgerPage[]; readonly at: Date }> {
  const pages: LedgerPage[] = [];
  for (const name of pageNames(place.application)) {
    const { page, at } = await readPage(api, place, name);
    if (page === undefined) return { pages, at };
    pages.push(page);
    if (pages.length === maxPages) return { pages, at };
  }
  throw new RangeError("a ledger has at least one page");
}

/**
 * One page, by the name of its ConfigMap, and the cluster's time. Undefined: there is none yet.
 * @throws Error when the API server refuses or does not answer.
 */
export async function readPage(
  api: KubeApi,
  place: LedgerPlace,
  name: string,
): Promise<{ readonly page: LedgerPage | undefined; readonly at: Date }> {
  const answer = await api.ask({ method: "GET", path: `${pathOf(place)}/${name}` });
  if (answer.status === 404) return { page: undefined, at: answer.at };
  if (answer.status !== 200) throw refused(place, "read", name, answer);
  return { page: pageOf(name, answer.body), at: answer.at };
}

/** The ConfigMap's part that is read; any of it may be missing in a live object. */
interface ConfigMap {
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

function pageOf(name: string, body: string): LedgerPage {
  const { metadata, data = {} } = JSON.parse(body) as ConfigMap;
  return {
    name,
    entries: Object.keys(data)
      .sort()
      .map((key) => ({ page: name, key, text: data[key] ?? "" })),
    head: parseHead(metadata?.annotations?.[headAnnotation]),
    resourceVersion: metadata?.resourceVersion ?? "",
  };
}

/**
 * What the next record follows. What a page tells of its last record counts for more than what stands there: a record that was
 * taken away or rewritten leaves a gap in the numbers or a break in the chain, for good.
 */
export function headOf(pages: readonly LedgerPage[]): LedgerHead {
  const heads = pages.flatMap(({ entries, head }) => {
    const last = entries.findLast(({ key }) => isRecordKey(key));
    return [...(last ? [standing(last)] : []), ...(head ? [head] : [])];
  });
  return heads.reduce((newest, head) => (head.number >= newest.number ? head : newest), { number: 0, hash: "" });
}

/** A record that somebody broke is followed all the same: nothing may keep what happens from being written down. */
function standing({ key, text }: LedgerEntry): LedgerHead {
  const value = parseJson(text);
  const hash: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "hash") : undefined;
  return { number: Number(key), hash: typeof hash === "string" ? hash : sha256(text) };
}

async function write(
  api: KubeApi,
  place: LedgerPlace,
  pages: readonly LedgerPage[],
  { record, text }: { readonly record: LedgerRecord; readonly text: string },
): Promise<KubeAnswer> {
  const last = pages.at(-1);
  const names = pageNames(place.application);
  const annotations = { [headAnnotation]: headText(record) };
  const data = { [keyOf(record.number)]: text };
  if (last && sizeOf(last) <= pageBytes) {
    const { resourceVersion, name } = last;
    // With its version a merge is refused (409) when somebody else wrote in between, and sends one record only.
    const body = { metadata: { resourceVersion, annotations }, data };
    const path = `${pathOf(place)}/${name}`;
    return api.ask({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
  }
  const name = names[pages.length];
  if (name === undefined)
    throw new Error(
      `the ledger of ${place.application} in namespace ${place.namespace} is full (${maxPages} pages). ` +
        "Keep `./golive rollout record --json` in a safe place, then delete its ConfigMaps: it begins again at 1",
    );
  const labels = { app: place.application, "app.kubernetes.io/managed-by": "golive" };
  const metadata = { name, namespace: place.namespace, labels, annotations };
  return api.ask({
    method: "POST",
    path: pathOf(place),
    body: { apiVersion: "v1", kind: "ConfigMap", metadata, data },
  });
}

const sizeOf = ({ entries }: LedgerPage) =>
  entries.reduce((total, { key, text }) => total + key.length + Buffer.byteLength(text), 0);

const pathOf = ({ namespace }: LedgerPlace) => `/api/v1/namespaces/${namespace}/configmaps`;

const refused = (place: LedgerPlace, verb: string, name: string, { status, body }: KubeAnswer) =>
  new Error(
    `cannot ${verb} the ledger (ConfigMap ${name} in namespace ${place.namespace}): the API server answered ${status}: ${messageOf(body)}`,
  );
