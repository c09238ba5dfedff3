import { ResourceHook, RunError } from "@pulumi/pulumi";
import type { Colour } from "../applications/application.ts";
import type { Observer } from "./cluster.ts";
import type { Allowed } from "./decide.ts";
import type { Assessment } from "./gate/assess.ts";
import { heldBack } from "./gate/held.ts";
import type { RunLedger } from "./ledger/run-ledger.ts";
import type { LiveColour, Observed } from "./observed.ts";
import { podsLeft } from "./rules/contract.ts";
import type { Weights } from "./told.ts";

/** What the hooks of one run compare the live route with. */
export interface RunContext {
  readonly cluster: Observer;
  readonly observed: Observed;
  readonly decision: Allowed;
  /** Services that must have a ready pod on the colour that gets more traffic. */
  readonly services: readonly string[];
  /** Judges the step by what was read just now. Default: nothing holds it. */
  readonly assess?: ((now: Observed) => Promise<Assessment>) | undefined;
  /** Runs the candidate's smoke tests, and gives the names of those that did not pass. Default: there are none. */
  readonly smoke?: (() => Promise<readonly string[]>) | undefined;
  /** Where it is written down what became of the run. Default: nowhere. */
  readonly ledger?: RunLedger | undefined;
}

/** Seconds that a step waits for pods that were ready when the run began. */
const readySeconds = 60;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The hooks of the public route. Before a write the route is read again: a guard may have tripped, or somebody may have
 * edited it, since this run decided; and a step up is judged. After the write it is read back and recorded. All only on `up`.
 */
export function routeHooks(
  context: RunContext,
): Readonly<Record<"beforeUpdate" | "afterUpdate" | "afterCreate", ResourceHook[]>> {
  let judged: Assessment | undefined;
  return {
    beforeUpdate: [
      new ResourceHook("read-before-write", async () => {
        judged = await beforeWrite(context);
      }),
    ],
    afterUpdate: [new ResourceHook("read-back", () => afterWrite(context, judged))],
    afterCreate: [new ResourceHook("record-new-route", async () => context.ledger?.written(undefined))],
  };
}

/**
 * What the step was judged by; undefined when nothing holds it.
 * @throws RunError when the route is no longer what this run decided on, the colour that gets more traffic lost its pods, or
 * the step is held: with what is missing, and when to try again.
 */
export async function beforeWrite(context: RunContext): Promise<Assessment | undefined> {
  const { cluster, observed, decision, assess, ledger, smoke } = context;
  const now = await withPods(context);
  const failed = (await smoke?.()) ?? [];
  if (failed.length > 0)
    throw new RunError(
      `${decision.mustBeReady} would get ${decision.told.candidateTraffic} %${decision.leap === undefined ? "" : " in one step"}, but does not pass its smoke tests: ${failed.join(", ")}; the route was not written\nNext: golive rollout smoke says why; repair the release, then try again`,
    );
  if (!assess) {
    // The tests took their time: a guard may have tripped meanwhile.
    if (smoke) refuseChange(observed, await cluster.observe());
    return undefined;
  }
  const judged = await assess(now);
  const held = heldBack(judged, { to: decision.told.candidateTraffic, override: decision.override });
  if (held) {
    await ledger?.refused(held.reason, judged);
    throw new RunError(`${held.reason}; the route was not written\nNext: ${held.next}`);
  }
  // To ask took its time: a guard may have tripped meanwhile.
  refuseChange(observed, await cluster.observe());
  return judged;
}

/** What is live once the colour that gets more traffic has its pods. */
async function withPods({ cluster, observed, decision, services }: RunContext): Promise<Observed> {
  const deadline = Date.now() + readySeconds * 1000;
  for (;;) {
    const now = await cluster.observe();
    refuseChange(observed, now);
    const colour = decision.mustBeReady;
    const missing = colour && missingPods(now.colours[colour], services);
    if (!missing) return now;
    if (Date.now() > deadline)
      throw new RunError(
        `${colour} should get ${decision.weights[colour]} %, but after ${readySeconds} s it still has no ready pod of ${missing}; the route was not written\nNext: run \`pulumi up\` with candidateTraffic ${observed.route?.exposure[decision.told.candidate] ?? 0} until ${colour} is ready, then step`,
      );
    await pause(500);
  }
}

function refuseChange(before: Observed, now: Observed): void {
  const changed = changeSince(before, now);
  if (changed) throw new RunError(`${changed}; the route was not written: run \`pulumi up\` again`);
}

/** @throws RunError when the live route does not say what this run wrote. */
export async function afterWrite(
  { cluster, observed, decision, ledger }: RunContext,
  judged?: Assessment,
): Promise<void> {
  const { route } = await cluster.observe();
  if (route?.trip && route.trip.id !== observed.route?.trip?.id)
    throw new RunError(
      `the route was written with ${show(decision.weights)}, but ${route.trip.colour} was tripped at once (${route.trip.reason}): it reads ${show(route.exposure)}\nNext: set candidateTraffic 0, which acknowledges the trip`,
    );
  if (!route) throw new RunError("the route was written, but is not there any more: run `pulumi up --refresh`");
  if (route.edits.length > 0 || !sameWeights(route.exposure, decision.weights))
    throw new RunError(
      `the route was written with ${show(decision.weights)}, but reads ${show(route.exposure)}: somebody else writes it (${route.edits.join("; ") || "no hand edit found"})`,
    );
  await ledger?.written(judged);
}

/**
 * The hook of the Job that applies contract migrations, which cannot be undone: just before it starts, all is read once more.
 */
export function contractHooks(context: Pick<RunContext, "cluster" | "observed" | "decision">): {
  beforeCreate: ResourceHook[];
} {
  return { beforeCreate: [new ResourceHook("read-before-contract", () => beforeContract(context))] };
}

/** @throws RunError when traffic, pods or the route's memory are no longer what this run decided on. */
export async function beforeContract({
  cluster,
  observed,
  decision,
}: Pick<RunContext, "cluster" | "observed" | "decision">): Promise<void> {
  const now = await cluster.observe();
  const changed = changeSince(observed, now) ?? podsLeft(now, decision.weights) ?? forgotten(now, decision);
  if (changed) throw new RunError(`${changed}; no migration was run: run \`pulumi up\` again`);
}

function forgotten({ route }: Observed, { told }: Allowed): string | undefined {
  const known = route?.told?.outdated ?? [];
  const missing = told.outdated.filter((release) => !known.includes(release));
  return missing.length > 0 ? `the route was not yet told that ${missing.join(", ")} can never serve again` : undefined;
}

/** How the route differs from what the run saw at its start, or undefined. */
export function changeSince(before: Observed, now: Observed): string | undefined {
  if (!before.route || !now.route)
    return now.route || before.route ? "the route appeared or vanished during this run" : undefined;
  if (now.route.trip?.id !== before.route.trip?.id)
    return `${now.route.trip?.colour ?? "a colour"} was tripped during this run (${now.route.trip?.reason ?? "the trip was removed"})`;
  if (now.route.generation !== before.route.generation)
    return `the route was edited during this run: it had ${show(before.route.exposure)}, it has ${show(now.route.exposure)}`;
  return undefined;
}

function missingPods(live: LiveColour, services: readonly string[]): string | undefined {
  const missing = services.filter((service) => (live[service]?.ready ?? 0) === 0);
  return missing.length > 0 ? missing.join(", ") : undefined;
}

const sameWeights = (a: Weights, b: Weights) => a.blue === b.blue && a.green === b.green;
const show = (weights: Readonly<Record<Colour, number>>) => `blue ${weights.blue}, green ${weights.green}`;
