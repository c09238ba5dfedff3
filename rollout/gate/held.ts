import { type Allowed, percent, type Refused, refuse } from "../decision.ts";
import { tryAgainText } from "../duration.ts";
import type { Observed } from "../observed.ts";
import type { Assessment } from "./assess.ts";
import { soakLeftText } from "./soak.ts";

/**
 * Whether a run has to wait for its soak and its gate: a step up of a candidate that has traffic. From 0 there is nothing to
 * measure; and nobody waits for numbers while the other colour cannot serve.
 */
export const isGated = (
  { route }: Observed,
  { move, told, rescue }: Pick<Allowed, "move" | "told" | "rescue">,
): boolean => move === "up" && rescue === undefined && (route?.exposure[told.candidate] ?? 0) > 0;

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
    `${tryAgain(assessment)}; a step that cannot wait needs golive:override {percent: ${to}, reason}`,
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
