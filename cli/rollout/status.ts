import process from "node:process";
import { type Colour, otherColour } from "../../applications/application.ts";
import type { Counts } from "../../rollout/gate/measured.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import { missingOf } from "../../rollout/ledger/drafts.ts";
import { canonicalJson, type LedgerRecord } from "../../rollout/ledger/record.ts";
import { openTrip } from "../../rollout/observed.ts";
import { tripSentence, type Weights } from "../../rollout/told.ts";
import { walkStateOf } from "../../rollout/walk/state.ts";
import { type Action, nextAction } from "../../rollout/walk/walk.ts";
import type { Session } from "../session.ts";
import { table } from "../table.ts";
import { DriverLease, type Holder, holderText } from "./lease.ts";
import { type LedgerLook, lookAtLedger } from "./ledger-look.ts";
import type { RolloutLine } from "./line.ts";
import { pauseIn } from "./pause.ts";
import { type Look, openStack, type RolloutStack } from "./stack.ts";

/** All that `status` and `watch` tell of a stack at one moment, as plain values. */
export interface Status {
  readonly stack: string;
  readonly application: string;
  /** By the cluster's clock, ISO 8601. */
  readonly at: string;
  readonly candidate: Colour;
  readonly releases: Readonly<Partial<Record<Colour, string | undefined>>>;
  /** Percents of the ladder, 0 first. */
  readonly rungs: readonly number[];
  /** Live percent of each colour; undefined: there is no route. */
  readonly live: Weights | undefined;
  /** `candidateTraffic` in the stack's file. */
  readonly written: number;
  /** Percent of the requests that the candidate should get, and got; NaN: nobody knows. */
  readonly share: { readonly asked: number; readonly measured: number };
  readonly soakSeconds: number;
  readonly soakLeftSeconds: number;
  readonly verdict: Verdict;
  readonly services: Readonly<Record<string, Readonly<Record<Colour, Counts>>>>;
  /** Why nothing was measured; undefined: something was. */
  readonly unmeasured: string | undefined;
  /** In words, as far as there are any. */
  readonly trip: string | undefined;
  readonly tombstones: readonly string[];
  readonly edits: readonly string[];
  readonly paused: string | undefined;
  /** What the ledger misses: the next `up` writes it down. */
  readonly unrecorded: string | undefined;
  readonly driver: Holder | undefined;
  /** What a driver would do now. */
  readonly next: Action;
  /** Newest last. */
  readonly ledger: readonly LedgerRecord[];
}

const tailLength = 5;

/** Reads all of it. A ledger that cannot be read, or a Prometheus that does not answer, is told and ends nothing. */
export async function statusOf(stack: RolloutStack): Promise<Status> {
  const { cluster, place } = stack;
  const [look, ledger, driver] = await Promise.all([
    stack.look(),
    lookAtLedger(stack),
    new DriverLease(cluster.api, place, "").holder(),
  ]);
  return statusFrom(stack, look, { ...ledger, driver });
}

export function statusFrom(
  { name, place }: Pick<RolloutStack, "name" | "place">,
  { settings, desired, assessment, refused }: Look,
  { records, unreadable, driver }: LedgerLook & { readonly driver: Holder | undefined },
): Status {
  const { observed, measured, verdict, soakLeftSeconds, soakSeconds, share, unmeasured } = assessment;
  const { route } = observed;
  const { candidate, candidateTraffic, ladder } = settings;
  const stable = otherColour(candidate);
  const paused = unreadable ?? pauseIn(records);
  const open = route && openTrip(route);
  const state = walkStateOf({ observed, desired, goal: 100, paused, soakLeftSeconds, verdict, refused });
  return {
    stack: name,
    application: place.application,
    at: observed.at.toISOString(),
    candidate,
    releases: desired.releases,
    rungs: ladder.percents,
    live: route?.exposure,
    written: candidateTraffic,
    share,
    soakSeconds,
    soakLeftSeconds,
    verdict,
    services: Object.fromEntries(
      Object.entries(measured?.services ?? {}).map(([service, { window }]) => [
        service,
        { [candidate]: window.candidate, [stable]: window.stable } as Record<Colour, Counts>,
      ]),
    ),
    unmeasured,
    trip: open && tripSentence(open),
    tombstones: route?.tombstones ?? [],
    edits: route?.edits ?? [],
    paused,
    unrecorded: unrecordedIn(records, route, { application: place.application, stack: name, who: "" }),
    driver,
    next: nextAction(state),
    ledger: records.slice(-tailLength),
  };
}

/** An empty ledger has missed nothing: it begins with the next run. */
const unrecordedIn = (...[records, ...more]: Parameters<typeof missingOf>) =>
  records.length === 0 ? undefined : missingOf(records, ...more)?.reason;

/** A status for people: what is live, why it stays, what would be next. */
export function statusText(status: Status): string {
  const { stack, application, at, candidate, releases, live, written, verdict } = status;
  const stable = otherColour(candidate);
  const release = (colour: Colour) => `${colour} ${releases[colour] ?? "(no release)"}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["candidate", `${release(candidate)}; stable: ${release(stable)}`],
    ["ladder", ladderText(status)],
    ["share", shareText(status)],
    ["file", live && written !== live[candidate] ? `asks for ${written} %, which is not live` : undefined],
    ["soak", soakText(status)],
    ["gate", `${verdict.outcome}: ${verdict.reason}${againText(verdict)}`],
    ["measured", status.unmeasured && `nothing: ${status.unmeasured}`],
    ["trip", status.trip],
    ["tombstones", status.tombstones.length > 0 ? status.tombstones.join(", ") : undefined],
    ["edited", status.edits.length > 0 ? `by hand: ${status.edits.join("; ")}` : undefined],
    ["paused", status.paused && `by ${status.paused}`],
    ["unrecorded", status.unrecorded && `${status.unrecorded}: the next pulumi up writes it down`],
    ["driver", status.driver ? holderText(status.driver) : "none"],
    ["next", actionText(status.next)],
  ];
  const lines = facts.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(11)}${text}`]));
  return [
    `${application} on stack ${stack}, ${at}`,
    "",
    ...lines,
    ...blockOf(countsText(status)),
    ...blockOf(ledgerText(status.ledger)),
  ].join("\n");
}

const blockOf = (text: string): readonly string[] => (text === "" ? [] : ["", text]);

function ladderText({ rungs, live, candidate }: Status): string {
  const now = live?.[candidate];
  const text = rungs.map((rung) => (rung === now ? `[${rung}]` : `${rung}`)).join(" > ");
  if (now === undefined) return `${text}; there is no route yet`;
  return rungs.includes(now) ? text : `${text}; live: ${round(now)}, which is no rung`;
}

function shareText({ live, candidate, share }: Status): string | undefined {
  if (live === undefined) return undefined;
  const of = (value: number) => (Number.isFinite(value) ? `${round(value)} %` : "unknown");
  return `asked ${of(share.asked)}, live ${of(live[candidate])}, measured ${of(share.measured)}`;
}

function soakText({ soakSeconds, soakLeftSeconds }: Status): string | undefined {
  if (soakSeconds === 0) return undefined;
  return soakLeftSeconds > 0 ? `${span(soakLeftSeconds)} left of ${span(soakSeconds)}` : `over (${span(soakSeconds)})`;
}

const againText = ({ outcome, waitSeconds }: Verdict) =>
  outcome === "hold" && waitSeconds !== undefined && waitSeconds > 0 ? ` (ask again in ${span(waitSeconds)})` : "";

/** What a driver would do, in words. */
export function actionText(action: Action): string {
  switch (action.kind) {
    case "step":
      return `step ${round(action.from)} -> ${action.to}`;
    case "settle":
      return `pulumi up at ${action.to} %: ${action.reason}`;
    case "wait":
      return `wait for the ${action.for === "resume" ? "resume" : action.for}`;
    case "trip":
      return "take the candidate's traffic away (golive rollout abort --now)";
    case "acknowledge":
      return "acknowledge the trip: candidateTraffic 0, pulumi up";
    case "lower":
      return `go down to ${action.to}`;
    case "done":
      return action.live === 100 ? "watch for a day, then retire and promote" : "nothing";
    case "refuse":
      return `refused: ${action.reason}. ${action.next}`;
  }
}

function countsText({ services, candidate }: Status): string {
  const rows = Object.entries(services).flatMap(([service, counts]) =>
    [candidate, otherColour(candidate)].map((colour, index) => {
      const { requests, errors, p95Seconds } = counts[colour];
      const numbers = [
        Number.isFinite(requests) ? `${Math.round(requests)}` : "-",
        Number.isFinite(errors / requests) ? `${((100 * errors) / requests).toFixed(2)} %` : "-",
        Number.isFinite(p95Seconds) ? `${Math.round(p95Seconds * 1000)} ms` : "-",
      ];
      return [index === 0 ? service : "", colour, ...numbers];
    }),
  );
  return rows.length === 0 ? "" : table(["since step", "colour", "requests", "errors", "p95"], rows, 2);
}

function ledgerText(records: readonly LedgerRecord[]): string {
  if (records.length === 0) return "";
  const rows = records.map(({ number, at, kind, to, candidate, who, reason }) => [
    `${number}`,
    at.replace(/\.\d+Z$/, "Z"),
    kind,
    `${to[candidate]} %`,
    who,
    reason.length > 90 ? `${reason.slice(0, 89)}…` : reason,
  ]);
  return table(["ledger", "time", "kind", "live", "who", "reason"], rows, 6);
}

/** Seconds as people say them: `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const round = (percent: number) => `${Math.round(percent * 10) / 10}`;

/** One line of JSON. What is not finite is a text, as in the ledger: null would say nothing of it. */
export const statusJson = (status: Status): string => canonicalJson(status);

export async function status(line: RolloutLine, session: Session): Promise<number> {
  const found = await statusOf(await openStack(line.stack, session.progress));
  process.stdout.write(`${line.json ? statusJson(found) : statusText(found)}\n`);
  return 0;
}
