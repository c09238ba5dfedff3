import { parseJson } from "../parse-json.ts";
import { isRecordKey, type LedgerEntry, type LedgerHead, type LedgerPage } from "./pages.ts";
import { parseRecord } from "./parse.ts";
import { canonicalJson, hashOf, type LedgerRecord } from "./record.ts";

/**
 * What is wrong with a ledger, a sentence each; empty: every byte is as it was written, and no record is missing between the
 * first and the last. That the last is the last only `heads` can prove: what was noted elsewhere, such as a stack's output.
 */
export function verifyChain(pages: readonly LedgerPage[], heads: readonly LedgerHead[] = []): readonly string[] {
  const problems: string[] = [];
  const hashes = new Map<number, string>();
  let last: Last = { number: 0, hash: "" };
  for (const page of pages) {
    for (const entry of page.entries) {
      const where = `record ${entry.key} (ConfigMap ${page.name})`;
      const found = checkEntry(entry);
      problems.push(...found.problems.map((problem) => `${where}: ${problem}`));
      if (!found.record) {
        if (isRecordKey(entry.key)) last = { number: Number(entry.key), hash: undefined };
        continue;
      }
      problems.push(...checkOrder(last, found.record).map((problem) => `${where}: ${problem}`));
      const { number } = found.record;
      const hash = hashOf(found.record.raw);
      last = { number, hash };
      hashes.set(number, hash);
    }
    problems.push(...checkHead(page, hashes));
  }
  for (const { number, hash } of heads) {
    const standing = hashes.get(number);
    if (standing === undefined)
      problems.push(`record ${number}: it is missing, and its hash was noted elsewhere (${hash})`);
    else if (standing !== hash)
      problems.push(
        `record ${number}: it is another one than was noted elsewhere: its hash is ${standing}, not ${hash}`,
      );
  }
  return problems;
}

/** The record before; its hash is undefined where it cannot be read. */
interface Last {
  readonly number: number;
  readonly hash: string | undefined;
}

interface Standing extends Pick<LedgerRecord, "number" | "before"> {
  readonly raw: object;
}

/** One text for itself. A record comes back where its place in the chain can be judged, also when its text was changed. */
function checkEntry({ key, text }: LedgerEntry): { problems: readonly string[]; record?: Standing } {
  if (!isRecordKey(key)) return { problems: [`"${key}" is no number of a record: somebody put it there`] };
  const raw = parseJson(text);
  const record = parseRecord(text);
  if (typeof record === "string" || typeof raw !== "object" || raw === null)
    return { problems: [`it cannot be read: ${record}`] };
  const problems: string[] = [];
  if (Number(key) !== record.number) problems.push(`it says that it is number ${record.number}`);
  // Blanks, another order of keys, another way to write a letter: no hash of the values would show it.
  if (canonicalJson(raw) !== text) problems.push("it is written in another way than golive writes it: it was edited");
  const hash = hashOf(raw);
  if (record.hash !== hash) problems.push(`it was changed: it says that its hash is ${record.hash}, but it is ${hash}`);
  return { problems, record: { number: record.number, before: record.before, raw } };
}

function checkOrder(last: Last, { number, before }: Standing): readonly string[] {
  const next = last.number + 1;
  if (number > next) {
    const missing = number === next + 1 ? `record ${next} is` : `records ${next} to ${number - 1} are`;
    return [`${missing} missing before it`];
  }
  if (number < next) return [`it comes after record ${last.number}`];
  return last.hash === undefined || before === last.hash
    ? []
    : [`it was written after another record ${last.number} than the one that stands there`];
}

function checkHead({ name, head }: LedgerPage, hashes: ReadonlyMap<number, string>): readonly string[] {
  if (head === undefined)
    return [`ConfigMap ${name}: it does not tell which record it got last (annotation golive/head)`];
  const standing = hashes.get(head.number);
  if (standing === undefined) return [`ConfigMap ${name}: record ${head.number}, the last that it got, is missing`];
  return standing === head.hash
    ? []
    : [`ConfigMap ${name}: record ${head.number}, the last that it got, was another one`];
}
