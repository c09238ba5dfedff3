import { table } from "../table.ts";

export const severities = ["low", "moderate", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

/** A known vulnerability of something that we build with or run. */
export interface Finding {
  /** `npm`, or the reference of an image. */
  readonly where: string;
  /** `GHSA-…`, `CVE-…`, `DSA-…`. */
  readonly id: string;
  readonly package: string;
  readonly severity: Severity;
  readonly title: string;
  readonly fixable: boolean;
}

/** A finding that somebody answers for, for a while. */
export interface Accepted {
  readonly id: string;
  readonly where: string;
  readonly reason: string;
  readonly owner: string;
  /** The last day that it counts, `YYYY-MM-DD`. */
  readonly until: string;
}

/**
 * Findings that are accepted. One that has run out, or that nothing is found for any more, fails the check: a list that is never
 * cleared accepts what nobody has looked at.
 */
export const accepted: readonly Accepted[] = [];

export interface Judgement {
  /** What fails the check, gravest first. */
  readonly blocking: readonly Finding[];
  readonly accepted: readonly Finding[];
  /** Known, but not worth a stop: no fix exists, or it is of a lower severity. */
  readonly tolerated: readonly Finding[];
  /** Entries of the list that must go, with the reason. */
  readonly stale: readonly string[];
}

/**
 * S0-78, S4-11: nothing critical goes on, fix or no fix. What is high goes on only while nobody has fixed it: a base image is never
 * free of those, and a check that is always red is read by nobody.
 */
const blocks = ({ severity, fixable }: Finding): boolean => severity === "critical" || (severity === "high" && fixable);

/**
 * Judges what was found at some places.
 * @param today `YYYY-MM-DD`
 */
export function judgeFindings(
  findings: readonly Finding[],
  places: readonly string[],
  list: readonly Accepted[],
  today: string,
): Judgement {
  const mine = list.filter(({ where }) => places.includes(where));
  const entryOf = ({ id, where }: Finding) => mine.find((entry) => entry.id === id && entry.where === where);
  const holds = (finding: Finding) => (entryOf(finding)?.until ?? "") >= today;
  const grave = findings.filter(blocks);
  return {
    blocking: grave.filter((finding) => !holds(finding)).sort(byGravity),
    accepted: grave.filter(holds).sort(byGravity),
    tolerated: findings.filter((finding) => !blocks(finding)).sort(byGravity),
    stale: mine.flatMap(({ id, where, owner, until }) => {
      if (until < today) return [`${id} in ${where}: accepted by ${owner} until ${until}, which is over`];
      const found = grave.some((finding) => finding.id === id && finding.where === where);
      return found ? [] : [`${id} in ${where}: accepted by ${owner}, but not found any more`];
    }),
  };
}

const byGravity = (one: Finding, other: Finding) =>
  severities.indexOf(other.severity) - severities.indexOf(one.severity) ||
  `${one.where} ${one.package} ${one.id}`.localeCompare(`${other.where} ${other.package} ${other.id}`, "en");

export const passes = ({ blocking, stale }: Judgement): boolean => blocking.length === 0 && stale.length === 0;

/** The judgement for a person, what stops it first. */
export function findingsText(judgement: Judgement): string {
  const { blocking, accepted: answered, tolerated, stale } = judgement;
  const row = ({ severity, id, where, package: name, title, fixable }: Finding) => [
    ...[severity, id, where, name, fixable ? "yes" : "no"],
    title,
  ];
  const rows = [...blocking, ...answered].map(row);
  const header = ["severity", "id", "where", "package", "fix", "title"];
  const sum = `${blocking.length} to put right, ${answered.length} accepted, ${tolerated.length} tolerated`;
  return [
    ...(rows.length === 0 ? [] : [table(header, rows, header.length)]),
    ...(stale.length === 0
      ? []
      : [`no longer to be accepted (cli/delivery/findings.ts):\n${stale.map((each) => `  ${each}`).join("\n")}`]),
    `${sum}: ${passes(judgement) ? "passed" : "failed"}`,
  ].join("\n\n");
}
