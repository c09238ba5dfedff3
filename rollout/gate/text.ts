import { durationText } from "../duration.ts";
import type { Ladder } from "../ladder.ts";
import type { Assessment } from "./assess.ts";
import { type Exposure, exposureOf, firstRungAdvice } from "./exposure.ts";
import { type GatedStep, heldBack } from "./held.ts";
import type { Counts, Measured } from "./measured.ts";

/** What a preview says of a step up, a line each. */
export interface StepText {
  readonly lines: readonly string[];
  /** What a reviewer must not overlook: the `up` would refuse now, or the first rung is pointless. */
  readonly warnings: readonly string[];
}

export interface PreviewedStep extends GatedStep {
  readonly candidate: string;
  readonly stable: string;
  readonly ladder: Ladder;
  /** How many seconds of a soak pass in one second. */
  readonly speed: number;
}

/** The verdict with its numbers, what the step exposes, and how long it takes to know more. */
export function stepText(assessment: Assessment, step: PreviewedStep): StepText {
  const { from, measured, unmeasured, verdict } = assessment;
  const exposure = exposureOf(assessment, step.to);
  const held = heldBack(assessment, step);
  const advice = from === 0 && exposure ? firstRungAdvice(exposure, step.ladder, step.speed) : undefined;
  return {
    lines: [
      ...(from > 0 ? [`gate: ${verdict.outcome}: ${verdict.reason}`, soakText(assessment)] : []),
      ...(measured ? countsText(measured, step, from) : []),
      ...(exposure
        ? [exposureText(exposure, step, assessment)]
        : [`nothing was measured: ${unmeasured ?? "no requests"}`]),
    ],
    warnings: [
      ...(held ? [`an \`up\` would refuse this now: ${held.reason}; next: ${held.next}`] : []),
      ...(advice === undefined ? [] : [advice]),
    ],
  };
}

function soakText({ soakSeconds, soakLeftSeconds }: Assessment): string {
  const all = durationText(soakSeconds);
  return soakLeftSeconds > 0
    ? `soak: ${durationText(Math.ceil(soakLeftSeconds))} of ${all} left`
    : `soak: over (${all})`;
}

function countsText(
  { services, since, at }: Measured,
  { candidate, stable }: PreviewedStep,
  from: number,
): readonly string[] {
  const over = durationText(at - since);
  return Object.entries(services).map(([name, { window }]) => {
    const asked = from > 0 ? `${candidate} ${countText(window.candidate)}, ` : "";
    return `${name}: ${asked}${stable} ${countText(window.stable)}; over ${over}`;
  });
}

/** `1,234 requests, 0.1 % failed, p95 45 ms`. */
function countText({ requests, errors, p95Seconds }: Counts): string {
  if (Number.isNaN(requests)) return "no requests";
  const failed = requests > 0 ? `, ${shown((100 * errors) / requests)} % failed` : "";
  const p95 = Number.isNaN(p95Seconds) ? "" : `, p95 ${shown(1000 * p95Seconds)} ms`;
  return `${shown(requests)} requests${failed}${p95}`;
}

function exposureText(exposure: Exposure, { to, candidate }: PreviewedStep, { from, thresholds }: Assessment): string {
  const { perMinuteNow, perMinuteThen, slowest, sampleMinutes } = exposure;
  const now = from > 0 ? ` (now ${shown(perMinuteNow)})` : "";
  const sample = Number.isFinite(sampleMinutes)
    ? `a valid sample (${thresholds.sample} of ${slowest}) takes ${shown(sampleMinutes)} min`
    : `${slowest} gets no requests: there will be no valid sample`;
  return `${to} % exposes ${shown(perMinuteThen)} requests a minute to ${candidate}${now}; ${sample}`;
}

/** A number as a person reads it: whole from 10 on, else two digits at most. */
const shown = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) >= 10 ? 0 : 2 });
