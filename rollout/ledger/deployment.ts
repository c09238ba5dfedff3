import { type Colour, otherColour } from "../../applications/application.ts";
import { type Kind, type LedgerRecord, standsAfter } from "./record.ts";

/** `Partial`: on its way, or left on a rung. */
export type DeploymentStatus = "Success" | "Partial" | "Failed";

/** The deployment record of S4-89: one release, from its start to 100 %, or back to 0. Times are the cluster's, ISO 8601. */
export interface Deployment {
  readonly application: string;
  readonly stack: string | undefined;
  readonly colour: Colour;
  /** The release that was deployed: version and digest. */
  readonly release: string | undefined;
  /** Everyone who moved it up, each once. */
  readonly by: readonly string[];
  readonly start: string;
  /** Undefined: it has not ended. */
  readonly end: string | undefined;
  readonly seconds: number | undefined;
  /** What went wrong on the way, or was done against the rules. */
  readonly issues: readonly string[];
  /** Traffic that it had was taken away from it again. */
  readonly rollback: boolean;
  readonly status: DeploymentStatus;
  /** Percent that it was left at. */
  readonly percent: number;
  readonly records: readonly LedgerRecord[];
}

/** One deployment while its records are gathered. */
interface Group {
  readonly colour: Colour;
  readonly release: string | undefined;
  /** When it began. */
  readonly start: string;
  readonly records: LedgerRecord[];
}

/** All deployments that a ledger tells of, oldest first. */
export function deploymentsOf(records: readonly LedgerRecord[]): readonly Deployment[] {
  const groups: Group[] = [];
  // What was looked at, or refused, before the first user: it belongs to the deployment that comes.
  let ahead: LedgerRecord[] = [];
  for (const record of records) {
    const open = groups.at(-1);
    const colour = startsOf(record, open);
    if (colour) {
      const own = ahead.filter(({ candidate }) => candidate === colour);
      groups.push({ colour, release: record.releases[colour], start: record.at, records: [...own, record] });
      ahead = [];
    } else if (isAhead(record, open)) ahead.push(record);
    else open?.records.push(record);
  }
  return groups.map(deploymentOf);
}

/** The colour whose deployment begins with this record; undefined: it belongs to another one. */
function startsOf({ kind, candidate, from, to, releases }: LedgerRecord, open: Group | undefined): Colour | undefined {
  if (kind === "create") return to[candidate] > 0 ? candidate : otherColour(candidate);
  const begins = kind === "start" || (isStep(kind) && (from?.[candidate] ?? 0) === 0 && to[candidate] > 0);
  if (!begins) return undefined;
  const last = open?.records.at(-1);
  if (!last || open?.colour !== candidate || last.releases[candidate] !== releases[candidate]) return candidate;
  // A driver that was started again on a rung goes on with the same deployment.
  const isUnderWay = standsAfter(last)[candidate] > 0 && standsAfter(last)[candidate] < 100;
  return isUnderWay || isFresh(open) ? undefined : candidate;
}

/** Started, but without any traffic yet. */
const isFresh = ({ colour, records }: Group) =>
  records.some(({ kind }) => kind === "start") &&
  records.every((record) => record.kind !== "finish" && standsAfter(record)[colour] === 0);

function isAhead(record: LedgerRecord, open: Group | undefined): boolean {
  const { kind, candidate, from } = record;
  if ((kind !== "refused" && kind !== "preflight") || (from ?? standsAfter(record))[candidate] !== 0) return false;
  return open?.colour !== candidate || !isFresh(open);
}

/** What gives a candidate traffic for the sake of a deployment: not the return to what was there before. */
const isStep = (kind: Kind) => kind === "up" || kind === "override" || kind === "found";

/** What a reader of the record must know of. */
const isIssue = (kind: Kind) =>
  kind === "trip" ||
  kind === "abort" ||
  kind === "down" ||
  kind === "return" ||
  kind === "refused" ||
  kind === "override" ||
  kind === "pause" ||
  kind === "found";

function deploymentOf({ colour, release, start, records }: Group): Deployment {
  const [first] = records;
  if (!first) throw new RangeError("a deployment has at least one record");
  const percents = records.map((record) => standsAfter(record)[colour]);
  const percent = percents.at(-1) ?? 0;
  const most = Math.max(first.from?.[colour] ?? 0, ...percents);
  const lost = most > 0 && percent === 0;
  const status = percent === 100 ? "Success" : lost || finishedAtNothing(records, percent) ? "Failed" : "Partial";
  const end = status === "Partial" ? undefined : endOf(records, percents, percent);
  return {
    application: first.application,
    stack: records.find(({ stack }) => stack !== undefined)?.stack,
    colour,
    release,
    by: [...new Set(records.filter(isDriving).map(({ who }) => who))],
    start,
    end,
    seconds: end === undefined ? undefined : (Date.parse(end) - Date.parse(start)) / 1000,
    issues: records.filter(({ kind }) => isIssue(kind)).map(({ at, kind, reason }) => `${at} ${kind}: ${reason}`),
    rollback: lost,
    status,
    percent,
    records,
  };
}

const isDriving = ({ kind }: LedgerRecord) => kind === "start" || kind === "create" || isStep(kind);

/** A driver that ended without a rung taken: the release never had a user. */
const finishedAtNothing = (records: readonly LedgerRecord[], percent: number) =>
  percent === 0 && records.some(({ kind }) => kind === "finish");

/** When it reached the percent that it stayed at; the driver's last word counts where it has one after that. */
function endOf(records: readonly LedgerRecord[], percents: readonly number[], percent: number): string | undefined {
  const settled = percents.findLastIndex((each) => each !== percent) + 1;
  const finish = records.findIndex(({ kind }, index) => kind === "finish" && index >= settled);
  return records[finish < 0 ? settled : finish]?.at;
}
