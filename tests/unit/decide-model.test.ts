import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Colour, colours, otherColour } from "../../applications/application.ts";
import type { Allowed, Desired } from "../../rollout/decide.ts";
import { heldBack, isGated } from "../../rollout/gate/held.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import { weightsOf } from "../../rollout/told.ts";
import { assessment, failing, holding, passing } from "../support/assessment.ts";
import {
  canServe,
  configOf,
  contracts,
  type Event,
  happen,
  isSane,
  type Killed,
  ladders,
  nothing,
  observe,
  run,
  sharesOf,
  theTop,
  type World,
} from "../support/world.ts";
import { isContracted, migrations, planned } from "../support/world-database.ts";

/** One edit of a stack's configuration, on top of what the route was last told. */
type Change =
  | { readonly set: Partial<Desired> }
  | { readonly climb: true }
  | { readonly climbFor: string }
  | { readonly switchRoles: true }
  | { readonly release: Colour; readonly id: string | undefined }
  | { readonly toggleRetired: Colour }
  | { readonly contract: string };

/** What soak and gate say at the moment of writing. */
interface Judged {
  readonly verdict: Verdict;
  readonly soakLeftSeconds: number;
}

type Action =
  | Event
  | {
      readonly kind: "run";
      readonly changes: readonly Change[];
      readonly judged: Judged;
      readonly killed?: Killed;
    };

const colour = fc.constantFrom<Colour>(...colours);
const percent = fc.constantFrom(0, 5, 10, 25, 50, 100);
const release = fc.constantFrom(undefined, "r1", "r2", "r3", "r4", "r5", "r6");
const contract = fc.constantFrom(...migrations.filter(({ phase }) => phase === "contract").map(({ name }) => name));

const set = (changes: fc.Arbitrary<Partial<Desired>>) => fc.record({ set: changes });
const change: fc.Arbitrary<Change> = fc.oneof(
  { arbitrary: fc.constant({ climb: true as const }), weight: 4 },
  { arbitrary: fc.constant({ switchRoles: true as const }), weight: 2 },
  { arbitrary: set(fc.record({ candidateTraffic: percent })), weight: 4 },
  { arbitrary: set(fc.record({ candidate: colour, candidateTraffic: percent })), weight: 1 },
  { arbitrary: fc.record({ release: colour, id: release }), weight: 3 },
  { arbitrary: fc.record({ toggleRetired: colour }), weight: 3 },
  { arbitrary: fc.record({ contract }), weight: 3 },
  set(fc.record({ ladder: fc.constantFrom(...ladders) })),
  set(fc.record({ inPlace: fc.record({ colour, reason: fc.constantFrom("CVE", "leak") }) })),
  { arbitrary: fc.record({ climbFor: fc.constant("an outage") }), weight: 3 },
);

const judged: fc.Arbitrary<Judged> = fc.record({
  verdict: fc.constantFrom(passing, passing, passing, holding(40), failing),
  soakLeftSeconds: fc.constantFrom(0, 0, 0, 60),
});

function changed(config: Desired, change: Change): Desired {
  if ("set" in change) return { ...config, ...change.set };
  if ("climb" in change)
    return { ...config, candidateTraffic: config.ladder.after(config.candidateTraffic) ?? config.candidateTraffic };
  if ("climbFor" in change) {
    const climbed = changed(config, { climb: true });
    return { ...climbed, override: { percent: climbed.candidateTraffic, reason: change.climbFor } };
  }
  if ("switchRoles" in change) return { ...config, candidate: otherColour(config.candidate), candidateTraffic: 0 };
  if ("release" in change) return { ...config, releases: { ...config.releases, [change.release]: change.id } };
  if ("contract" in change) return { ...config, migrations: { ...config.migrations, contract: change.contract } };
  const { toggleRetired: each } = change;
  return { ...config, retired: { ...config.retired, [each]: !config.retired[each] } };
}

const service = fc.constantFrom("backend", "frontend");
const part = fc.constantFrom(0, 5, 10, 37, 50, 100);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant("edit"),
      weights: fc.oneof(
        part.map((green) => ({ blue: 100 - green, green })),
        fc.record({ blue: part, green: part }),
      ),
      foreign: fc.constantFrom(0, 0, 0, 50),
      rules: fc.constantFrom("all", "first"),
    }),
    weight: 4,
  },
  fc.constant({ kind: "delete" }),
  fc.record({ kind: fc.constantFrom("die", "heal"), colour, service }),
  { arbitrary: fc.constant({ kind: "healAll" }), weight: 4 },
  fc.record({ kind: fc.constant("scale"), colour, replicas: fc.integer({ min: 0, max: 3 }) }),
  {
    arbitrary: fc.record({ kind: fc.constant("trip"), colour }),
    weight: 3,
  },
  fc.record({ kind: fc.constant("clear"), release: fc.constantFrom("r1", "r2", "r3") }),
  { arbitrary: fc.constant({ kind: "commit" }), weight: 2 },
  fc.constant({ kind: "loseRecord" }),
  fc.record({ kind: fc.constant("restore"), applied: fc.integer({ min: 1, max: migrations.length }) }),
  { arbitrary: fc.constant({ kind: "wait" }), weight: 5 },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: event, weight: 2 },
  {
    arbitrary: fc.record({ kind: fc.constant("run"), judged, changes: fc.array(change, { maxLength: 2 }) }),
    weight: 4,
  },
  fc.record({
    kind: fc.constant("run"),
    judged,
    changes: fc.array(change, { maxLength: 3 }),
    killed: fc.record({ after: fc.integer({ min: 0, max: 6 }), routeFirst: fc.boolean() }),
  }),
);

/** A stack that stands at some rung already, or just after a trip or a contract migration, so that what follows starts anywhere. */
const start: fc.Arbitrary<World> = fc
  .record({
    climbs: fc.integer({ min: 0, max: 7 }),
    commits: fc.integer({ min: 0, max: 3 }),
    trip: fc.constantFrom(true, false, false, false),
    retire: fc.boolean(),
    contract: fc.boolean(),
    spent: fc.boolean(),
  })
  .map(({ climbs, commits, trip, retire, contract, spent }) => {
    const times = (count: number, change: (world: World) => World, world: World) =>
      Array.from({ length: count }).reduce<World>(change, world);
    const climbed = times(climbs, spent ? climbByOverride : (each) => climb(each), climb(nothing));
    const world = happen(
      times(commits, (each) => happen(each, { kind: "commit" }), climbed),
      { kind: "wait" },
    );
    if (trip) return acknowledged(happen(world, { kind: "trip", colour: configOf(world).candidate }));
    const idle = colours.find((each) => sharesOf(world).every((share) => share[each] === 0));
    if (!retire || !idle) return world;
    const asleep = run(world, changed(configOf(world), { toggleRetired: idle })).after;
    return contract ? run(asleep, changed(configOf(asleep), { contract: "002_drop_old.sql" })).after : asleep;
  });

const climbByOverride = (world: World) => climb(world, { climbFor: "an outage" });
const acknowledged = (world: World) => run(world, { ...configOf(world), candidateTraffic: 0 }).after;

/** One rung up, or the switch of roles from the top after its soak, with all pods ready. */
function climb(world: World, by: Change = { climb: true }): World {
  const config = configOf(world);
  const change: Change = config.candidateTraffic === 100 ? { switchRoles: true } : by;
  const desired = world.route ? changed(config, change) : config;
  const soaked = config.candidateTraffic === 100 ? happen(world, { kind: "wait" }) : world;
  return happen(run(soaked, desired).after, { kind: "healAll" });
}

/** The properties (a), (c), (d), (f) and (g) of one allowed run, whole or killed. */
function checkRun(world: World, desired: Desired, decision: Allowed, after: World, proven: ReadonlySet<string>): void {
  const before = sharesOf(world);
  if (!world.route || decision.move === "create") return;
  const { told } = world.route;
  const { candidate } = desired;
  const stable = otherColour(candidate);
  const { weights } = decision;
  const toldWeights = weightsOf(told.candidate, told.candidateTraffic);
  const untouched = observe(world).route?.edits.length === 0;
  const rises = (each: Colour) => before.some((share) => weights[each] > share[each] + 1e-9);
  const sameRelease = desired.releases[candidate] === told.releases[candidate];
  const asTold = candidate === told.candidate && weights[candidate] === toldWeights[candidate];
  // What rises was lost to a foreign backend, or to nobody: not to stable, where somebody may have moved it on purpose.
  const takesFromNobody =
    candidate === told.candidate &&
    weights[candidate] <= toldWeights[candidate] &&
    before.every((share) => share[candidate] >= weights[candidate] || share[stable] <= weights[stable]);

  if (rises(candidate)) {
    const ways = {
      nextRung:
        untouched &&
        weights[candidate] === desired.ladder.after(toldWeights[candidate]) &&
        planned(world.database, desired.migrations.contract).pending.length === 0,
      leap: untouched && desired.override?.percent === weights[candidate] && !canServe(world, desired, stable),
      return: decision.move === "return" && proven.has(`${candidate} ${desired.releases[candidate]}`),
      restore: sameRelease && (takesFromNobody || (asTold && !canServe(world, desired, stable))),
    };
    expect(Object.values(ways), "a candidate's share rose in no allowed way").toContain(true);
  }
  for (const each of colours) {
    const hadIt = asTold || (each === told.candidate && weights[each] <= toldWeights[each]);
    if (rises(each) && !hadIt)
      expect(canServe(world, desired, each), `${each} gets traffic, but cannot serve`).toBe(true);
  }
  const { trip, tombstones = [] } = observe(world).route ?? {};
  const isTripped = trip !== undefined && trip.id !== told.acknowledged;
  if (rises(candidate) && !isTripped && !(candidate === told.candidate && weights[candidate] <= toldWeights[candidate]))
    expect(tombstones, "a release that was tripped gets more traffic").not.toContain(desired.releases[candidate]);
  if (isTripped) expect(weights[trip.colour], `${trip.colour} was tripped, and nobody acknowledged it`).toBe(0);
  if (decision.move === "roles") {
    expect(before, "a switch of roles moved traffic").toEqual(before.map(() => weights));
    // The model's clock knows hours; every soak is shorter.
    expect(world.hour - world.route.changedAt, "roles switched within the last soak").toBeGreaterThan(0);
  }
  for (const each of colours) {
    if (!before.some((share) => share[each] > 0) || desired.inPlace?.colour === each) continue;
    const changed = Object.entries(world.pods[each]).filter(
      ([name, pods]) => Reflect.get(after.pods[each], name)?.release !== pods.release,
    );
    if (changed.length > 0)
      expect(desired.releases[each], `the release of serving ${each} changed`).toBe(told.releases[each]);
  }
}

const allButTheRoute: Killed = { after: 6, routeFirst: false };

/** What the hook makes of soak and gate just before the route is written. */
const isHeld = (world: World, decision: Allowed, { verdict, soakLeftSeconds }: Judged): boolean => {
  const observed = observe(world);
  const { candidate, candidateTraffic: to } = decision.told;
  const judgedNow = assessment({ observed, from: observed.route?.exposure[candidate] ?? 0, verdict, soakLeftSeconds });
  return isGated(decision) && heldBack(judgedNow, { to, override: decision.override }) !== undefined;
};

/** Property (i): a step up that nothing rescues has a gate that does not object; what would only wait needs a fresh override. */
function checkGate(
  world: World,
  desired: Desired,
  { move, weights }: Allowed,
  { verdict, soakLeftSeconds }: Judged,
): void {
  const { told } = world.route ?? {};
  const { candidate, override } = desired;
  if (!told || move !== "up" || !canServe(world, desired, otherColour(candidate))) return;
  expect(verdict.outcome, "a step up that the gate would roll back").not.toBe("rollback");
  if (verdict.outcome === "pass" && soakLeftSeconds === 0) return;
  expect(override?.percent, "a step up that was held, without an override").toBe(weights[candidate]);
  expect(told.override, "an override that was spent before").not.toBe(`${override?.percent} ${override?.reason}`);
}

/** Property (h): nothing that is about is taken away from anybody who may need it, and no release that needs it starts again. */
function checkSchema(world: World, desired: Desired, after: World): void {
  const { database, route } = world;
  const { contract } = desired.migrations;
  if (isContracted(database, contract) && after.database.ledger.length > database.ledger.length) {
    const [full] = colours.filter((each) => sharesOf(world).every((share) => share[each] === 100));
    expect(full, "a contract migration ran, but no colour has all traffic").toBeDefined();
    if (!full || !route) return;
    const idle = Object.values(world.pods[otherColour(full)]);
    expect(
      idle.filter((pods) => pods.replicas > 0),
      "a contract migration ran, but the other colour has pods",
    ).toEqual([]);
    expect(
      Object.values(world.pods[full]).filter((pods) => pods.release !== route.told.releases[full]),
      "a contract migration ran, but the colour at 100 has pods of another release",
    ).toEqual([]);
    expect(desired, "a contract migration ran together with something else").toEqual({
      ...configOf(world),
      migrations: desired.migrations,
      inPlace: desired.inPlace,
      override: desired.override,
    });
  }
  for (const each of colours)
    for (const [name, { release, replicas }] of Object.entries(after.pods[each])) {
      const before = Reflect.get(world.pods[each], name);
      if (replicas > 0 && (before?.release !== release || before.replicas === 0))
        expect(database.stale, `pods of ${each} started, which a contract migration left behind`).not.toContain(
          release,
        );
    }
}

/** Property (c): what every client sees after a whole run. */
function checkWeights(after: World, decision: Allowed): void {
  const { weights } = decision;
  expect(weights.blue + weights.green).toBe(100);
  expect(sharesOf(after)).toEqual([weights, weights]);
}

/** Property (b): 0 is one run away. */
function checkWayDown(world: World): void {
  const config = configOf(world);
  const stable = otherColour(config.candidate);
  const live = observe(world).route;
  if (!live || !canServe(world, config, stable)) return;
  const isTripped = live.trip !== undefined && live.trip.id !== live.told?.acknowledged;
  if (isTripped && live.trip?.colour === stable) return;
  const { decision, after } = run(world, { ...config, candidateTraffic: 0 });
  expect(decision, "stable can serve, but 0 is refused").toMatchObject({ allowed: true });
  for (const share of sharesOf(after)) expect(share[stable]).toBe(100);
}

const desiredBy = (changes: readonly Change[], world: World): Desired => changes.reduce(changed, configOf(world));

interface Story {
  readonly world: World;
  /** `colour release` that a run once left at 100. */
  readonly proven: ReadonlySet<string>;
}

function tell({ world, proven }: Story, action: Action): Story {
  if (action.kind !== "run") return { world: happen(world, action), proven };
  const desired = desiredBy(action.changes, world);
  if (!isSane(desired)) return { world, proven };
  const { decision, after } = run(world, desired, action.killed);
  if (!decision.allowed) return { world, proven };
  // The gate speaks last, when all but the route is written.
  if (isHeld(world, decision, action.judged)) return { world: run(world, desired, allButTheRoute).after, proven };
  checkGate(world, desired, decision, action.judged);
  checkRun(world, desired, decision, after, proven);
  checkSchema(world, desired, after);
  if (action.killed !== undefined) return { world: after, proven };
  checkWeights(after, decision);
  const full = colours.filter((each) => decision.weights[each] === 100);
  return { world: after, proven: new Set([...proven, ...full.map((each) => `${each} ${desired.releases[each]}`)]) };
}

const provenAtStart = (world: World): ReadonlySet<string> =>
  new Set(
    colours.flatMap((each) => {
      const release = world.route?.told.proven[each];
      return release === undefined ? [] : [`${each} ${release}`];
    }),
  );

describe("no sequence of config values, measurements, killed runs, hand edits, trips, dying pods, new migrations and restores", {
  timeout: 120_000,
}, () => {
  const stories = fc.tuple(start, fc.array(action, { maxLength: 14, size: "max" }));

  it("raises traffic but by the next rung with a gate that lets it, a return or a restoration, sends it to a colour that cannot serve or was tripped, or blocks the way to 0", () => {
    fc.assert(
      fc.property(stories, ([first, actions]) => {
        let story: Story = { world: first, proven: provenAtStart(first) };
        for (const action of actions) {
          story = tell(story, action);
          checkWayDown(story.world);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("ends where no allowed run leads on: with healthy pods a candidate reaches 100, and then every contract migration runs", () => {
    fc.assert(
      fc.property(stories, ([first, actions]) => {
        const end = actions.reduce<Story>(tell, { world: first, proven: provenAtStart(first) });
        const top = theTop(end.world);
        expect(top, JSON.stringify(end.world)).toBeDefined();
        if (!top) return;
        const { retirement, contract, after } = contracts(top);
        expect([retirement, contract, after.database.ledger.toSorted()]).toEqual([
          expect.objectContaining({ allowed: true }),
          expect.objectContaining({ allowed: true }),
          migrations.map(({ name }) => name),
        ]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the model itself", { timeout: 120_000 }, () => {
  it("reaches the moves that it is about", () => {
    const moves = new Map<string, number>();
    const count = (world: World, action: Action): World => {
      if (action.kind !== "run") return happen(world, action);
      const desired = desiredBy(action.changes, world);
      if (!isSane(desired)) return world;
      const { decision, after } = run(world, desired, action.killed);
      if (decision.allowed && isHeld(world, decision, action.judged)) moves.set("held", (moves.get("held") ?? 0) + 1);
      if (decision.allowed && decision.override !== undefined) moves.set("override", (moves.get("override") ?? 0) + 1);
      const move = decision.allowed ? decision.move : decision.reason.includes("tombstone") ? "tombstone" : "refused";
      moves.set(move, (moves.get(move) ?? 0) + 1);
      return after;
    };
    fc.assert(
      fc.property(start, fc.array(action, { maxLength: 14, size: "max" }), (first, actions) => {
        actions.reduce(count, first);
      }),
      { numRuns: 2000, seed: 1 },
    );
    for (const move of [
      "create",
      "stay",
      "up",
      "down",
      "return",
      "roles",
      "retire",
      "ladder",
      "contract",
      "tombstone",
      "refused",
      "held",
      "override",
    ])
      expect(moves.get(move) ?? 0, move).toBeGreaterThan(20);
  });
});
