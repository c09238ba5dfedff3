import { type Allowed, percent, type Refused, refuse } from "../decision.ts";
import { tryAgainText } from "../duration.ts";
import type { Observed } from "../observed.ts";
import type { Assessment } from "./assess.ts";
import { soakLeftText } from "./soak.ts";

/**
 * Whether a run has to ask the gate: a step up, also from 0, where nothing was measured yet, but somebody must be awake who would take
 * the release back. Nobody waits for numbers while the other colour cannot serve.
 */
export const isGated = ({ move, rescue }: Pick<Allowed, "move" | "rescue">): boolean =>
  move === "up" && rescue === undefined;

/** Whether a run gives the candidate its first traffic: nobody but its smoke tests can say what it is worth. */
export const isFirst = ({ route }: Observed, decision: Pick<Allowed, "move" | "rescue" | "told">): boolean =>
  isGated(decision) && (route?.exposure[decision.told.candidate] ?? 0) === 0;

/** A step up to this percent; `override`: the reason that lets it through where it would only be held. */
export interface GatedStep {
  readonly to: number;
  readonly override?: string | undefined;
}

/** Why a step up may not be taken at this moment, what is missing and when to try again; undefined: it may. */
export function heldBack(assessment: Assessment, { to, override }: GatedStep): Refused | undefined {
  const { verdict, from } = assessment;
  const asked = `candidateTraffic ${percent(from)} -> ${to}`;
  if (verdict.outcome === "rollback")
    return refuse(
      `${asked}, but the gate says rollback: ${verdict.reason}`,
      `set candidateTraffic 0${override === undefined ? "" : "; golive:override lets no step through that the gate would roll back"}`,
    );
  const missing = missingOf(assessment);
  if (override !== undefined || missing.length === 0) return undefined;
  return refuse(
    `${asked} is held: ${missing.join("; ")}`,
    `${tryAgain(assessment)}; a step that cannot wait needs golive:override {percent: ${to}, release, reason}`,
  );
}

function missingOf({ from, soakLeftSeconds, soakSeconds, verdict }: Assessment): readonly string[] {
  return [
    ...(soakLeftSeconds > 0 ? [soakLeftText({ left: soakLeftSeconds, whole: soakSeconds, percent: from })] : []),
    ...(verdict.outcome === "hold" ? [`the gate holds: ${verdict.reason}`] : []),
  ];
}

/** When it is worth trying again, by the cluster's clock. */
function tryAgain({ soakLeftSeconds, verdict, observed }: Assessment): string {
  const wait = verdict.outcome === "hold" ? verdict.waitSeconds : 0;
  if (wait === undefined && soakLeftSeconds <= 0) return "nobody can say when to try again: first what is missing";
  const earliest = wait === undefined ? " at the earliest" : "";
  return `${tryAgainText(Math.max(soakLeftSeconds, wait ?? 0), observed.at)}${earliest}`;
}
