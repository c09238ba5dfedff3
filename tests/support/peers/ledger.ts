import type { Judge, PeerFinding } from "./finding.ts";

/** What a peer objects to and what stays as it is all the same. */
export interface Accepted {
  readonly judge: Judge;
  readonly check: string;
  /** Exactly these objects, as `objectName` writes them; `all` where the decision is one for every pod that will ever be. */
  readonly objects: "all" | readonly string[];
  /** Only in these words of the peer's, where it has several for one check. Default: whatever it says. */
  readonly said?: string;
  readonly reason: string;
}

/**
 * Holds the findings of all stacks against the ledger: what nobody accepted (one line for each object, whatever stacks it is in), and
 * what is accepted but found in none of them.
 */
export function reconcile(
  findings: readonly PeerFinding[],
  ledger: readonly Accepted[],
): { readonly open: readonly string[]; readonly stale: readonly string[] } {
  const open = findings.filter((finding) => !ledger.some((entry) => covers(entry, finding)));
  const stale = ledger.flatMap((entry) => {
    const covered = findings.filter((finding) => covers(entry, finding));
    const { judge, check, objects } = entry;
    if (objects === "all") return covered.length > 0 ? [] : [`${judge} ${check}`];
    return objects
      .filter((object) => !covered.some((finding) => finding.object === object))
      .map((object) => `${judge} ${check} ${object}`);
  });
  return { open: [...new Set(open.map(textOf))].sort(), stale };
}

const covers = ({ judge, check, objects, said }: Accepted, finding: PeerFinding): boolean =>
  judge === finding.judge &&
  check === finding.check &&
  (objects === "all" || objects.includes(finding.object)) &&
  (said === undefined || finding.said.endsWith(said));

const textOf = ({ judge, check, object, said }: PeerFinding) => `${judge} ${check} ${object}: ${said}`;
