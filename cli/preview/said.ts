import { stripVTControlCharacters } from "node:util";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import type { Migrations, Traffic } from "./model.ts";
import { masked } from "./shown.ts";

/** What the program said in a preview (rollout/announce.ts writes it), taken apart again. */
export interface Said {
  readonly traffic: Traffic | undefined;
  readonly migrations: Migrations;
  readonly warnings: readonly string[];
  /** Why an `up` would be refused by its hook, as things are now. */
  readonly held: readonly string[];
  readonly refusal: { readonly reason: string; readonly next: string } | undefined;
  /** Errors that are no refusal: something that kept the run from being evaluated. */
  readonly errors: readonly string[];
}

const trafficLine =
  /^(\w+): candidateTraffic (?:([\d.]+) -> |starts at )([\d.]+) \((\w+)\); blue ([\d.]+) %, green ([\d.]+) %$/;
const planLine = /^plan ([0-9a-f]{64})$/;
const pendingLine = /^pending: (\S+) \((\w+)\)$/;
const heldLine = /^held: (.+)$/;
const refusalText = /^([\s\S]+?)\nNext: ([\s\S]+?)\nNothing was touched\.$/;
const hookRefusal = /^an `up` would refuse this now: /;
/** The engine's own: it adds nothing to what the policies, or the errors before it, said. */
const closing = /^(preview|update) failed$/;

export function saidIn(events: readonly EngineEvent[]): Said {
  // What a resource's own provider says in passing is no word of the program's.
  const told = events
    .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
    .filter(({ urn, severity }) => severity === "error" || urn === undefined || urn === "" || isStack(urn));
  const texts = (severity: string) => [
    ...new Set(told.filter((it) => it.severity === severity).map(({ message }) => masked(plain(message)))),
  ];
  const info = texts("info");
  const warnings = texts("warning");
  const errors = texts("error").filter((text) => text !== "" && !closing.test(text));
  const [, reason, next] = errors.map((text) => refusalText.exec(text)).find((match) => match !== null) ?? [];
  return {
    traffic: trafficOf(info),
    migrations: {
      pending: info.flatMap((text) => {
        const [, name, phase] = pendingLine.exec(text) ?? [];
        return name === undefined || phase === undefined ? [] : [{ name, phase }];
      }),
      held: info.map((text) => heldLine.exec(text)?.[1]).find((text) => text !== undefined),
    },
    warnings: warnings.filter((text) => !hookRefusal.test(text)),
    held: warnings.filter((text) => hookRefusal.test(text)),
    refusal: reason === undefined || next === undefined ? undefined : { reason, next },
    errors: errors.filter((text) => !refusalText.test(text)),
  };
}

const isStack = (urn: string) => urn.includes("::pulumi:pulumi:Stack::");

function trafficOf(info: readonly string[]): Traffic | undefined {
  const at = info.findIndex((text) => trafficLine.test(text));
  const [, move = "", from, to, candidate = "", blue, green] = trafficLine.exec(info[at] ?? "") ?? [];
  if (at < 0) return undefined;
  const others = info.filter((text) => ![trafficLine, planLine, pendingLine, heldLine].some((line) => line.test(text)));
  return {
    move,
    from: from === undefined ? undefined : Number(from),
    to: Number(to),
    candidate,
    weights: { blue: Number(blue), green: Number(green) },
    ledgerPlan: info.map((text) => planLine.exec(text)?.[1]).find((hash) => hash !== undefined),
    measured: others,
  };
}

/** A message of the engine without its marks of colour, and without those of whoever wrote it. */
export const plain = (message: string): string =>
  stripVTControlCharacters(message.replace(/<\{%[^%]*%\}>/g, "")).trim();
