import { type Colour, colours } from "../../applications/application.ts";
import type { Desired } from "../decision.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import { type Check, checks, type Found } from "./checks.ts";
import type { Evidence, PreflightReaders, PreflightSubject, Reading, Signature } from "./evidence.ts";

/** One line of the checklist. */
export interface Item {
  /** What `--sign` takes. */
  readonly id: string;
  readonly requirements: readonly string[];
  readonly says: string;
  readonly state: "ok" | "missing" | "signed" | "not applicable";
  /** One line: what was measured, who signed, or why nobody can say. */
  readonly evidence: string;
  /** Empty where nothing is missing. */
  readonly next: string;
}

export interface PreflightReport {
  readonly stack: string;
  /** Release id of each colour, as the stack's file asks for it. */
  readonly releases: Desired["releases"];
  readonly candidate: Colour;
  /** Nothing is missing. */
  readonly passed: boolean;
  readonly items: readonly Item[];
}

/**
 * The checklist before a release (S0-62, S1-72, S2-49, S3-43, S4-16..24), filled by what was measured. A person's signature
 * stands where nobody can measure, and only for the releases that it names; it never outweighs what was measured.
 */
export async function preflight(subject: PreflightSubject, readers: PreflightReaders): Promise<PreflightReport> {
  const evidence = await gather(readers);
  const signatures = "value" in evidence.signatures ? evidence.signatures.value : [];
  const valid = signatures.filter(({ releases }) =>
    colours.every((colour) => releases[colour] === subject.desired.releases[colour]),
  );
  const items = checks.map((check) => itemOf(check, check.find(subject, evidence), valid, subject.stack));
  const { releases, candidate } = subject.desired;
  return { stack: subject.stack, releases, candidate, passed: items.every(({ state }) => state !== "missing"), items };
}

function itemOf(check: Check, found: Found, signatures: readonly Signature[], stack: string): Item {
  const { id, requirements, says } = check;
  const item = { id, requirements, says };
  if (found.state !== "unmeasured") {
    const { state, evidence, next = "" } = found;
    return { ...item, state, evidence, next };
  }
  const signed = signatures.findLast((each) => each.item === id);
  if (signed) {
    return { ...item, state: "signed", evidence: `${signed.who}, ${signed.at}: ${signed.why}`, next: "" };
  }
  const sign = `golive rollout preflight --stack ${stack} --sign NAME --reason WHY ${id}`;
  const next = found.next === undefined ? sign : `${found.next}; or ${sign}`;
  return { ...item, state: "missing", evidence: found.evidence, next };
}

/** One after the other, as each may start Jobs and ask the same pods; none keeps the others from being asked. */
async function gather(readers: PreflightReaders): Promise<Evidence> {
  const read = async <T>(reader: () => Promise<T>): Promise<Reading<T>> => {
    try {
      return { value: await reader() };
    } catch (error) {
      return { problem: (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").trim() };
    }
  };
  return {
    now: await read(() => readers.now()),
    live: await read(() => readers.live()),
    database: await read(() => readers.database()),
    monitoring: await read(() => readers.monitoring()),
    smoke: await read(() => readers.smoke()),
    commit: await read(() => readers.commit()),
    tests: await read(() => readers.tests()),
    documents: await read(() => readers.documents()),
    policies: await read(() => readers.policies()),
    signatures: await read(() => readers.signatures()),
  };
}

/** Items that the checklist has, by id. */
export const itemIds: readonly string[] = checks.map(({ id }) => id);

/** The reason of a signature's record, which `signaturesOf` reads back. */
export const signatureReason = (item: string, why: string) => `${item}: ${why}`;

/** The signatures among a ledger's records, oldest first. */
export const signaturesOf = (
  records: readonly Pick<LedgerRecord, "kind" | "reason" | "who" | "at" | "releases">[],
): readonly Signature[] =>
  records.flatMap(({ kind, reason, who, at, releases }) => {
    const [, item, why] = kind === "preflight" ? (/^([a-z-]+): (.+)$/s.exec(reason) ?? []) : [];
    return item === undefined || why === undefined ? [] : [{ item, who, why, at, releases }];
  });
