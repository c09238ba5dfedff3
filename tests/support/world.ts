import { type Colour, colours, otherColour } from "../../applications/application.ts";
import { type Allowed, type Decision, type Desired, decide } from "../../rollout/decide.ts";
import { Ladder } from "../../rollout/ladder.ts";
import { type Observed, type RouteObject, readColour, readRoute } from "../../rollout/observed.ts";
import { refuseMigrations } from "../../rollout/schema/migrations.ts";
import { type Told, tombstonesOf, tripAnnotation, type Weights } from "../../rollout/told.ts";
import { planTrip } from "../../rollout/trip.ts";
import { deploymentObject, evenRules, now, type RuleObject, routeObject, taskflowPaths } from "./live.ts";
import { type Database, migrated, migrations, planned, recorded, restored } from "./world-database.ts";

/**
 * A small world in which runs, killed runs, hand edits, dying pods and a guard act on one route, four Deployments and a schema.
 * It is read through the same code as a cluster, and every run asks the real `decide`.
 */

const services = ["backend", "frontend"] as const;
type Service = (typeof services)[number];

interface Pods {
  readonly release: string;
  readonly replicas: number;
  readonly ready: number;
  readonly updated: number;
}

interface Route {
  readonly told: Told;
  readonly rules: readonly RuleObject[];
  readonly trip: string | undefined;
  readonly tombstones: readonly string[];
  readonly generation: number;
  readonly changedAt: number;
}

export interface World {
  readonly route: Route | undefined;
  readonly pods: Readonly<Record<Colour, Readonly<Partial<Record<Service, Pods>>>>>;
  /** What the engine's state holds of the route: it writes only what differs from it. */
  readonly state: string | undefined;
  readonly database: Database;
  readonly hour: number;
}

/** Pods of each service of a colour that is not retired. */
export const fullSize = 2;

const ladder = (...percents: readonly number[]): Ladder => {
  const made = Ladder.of(percents.map((percent) => ({ percent, soakMinutes: 15 })));
  if (!(made instanceof Ladder)) throw new Error(made.join("; "));
  return made;
};

export const ladders = [ladder(10, 50, 100), ladder(5, 25, 50, 100)] as const;

const fresh: Desired = {
  candidate: "green",
  candidateTraffic: 0,
  ladder: ladders[0],
  paths: Object.values(taskflowPaths),
  releases: { blue: "r1", green: "r2" },
  retired: { blue: false, green: false },
  replicas: { backend: fullSize, frontend: fullSize },
  inPlace: undefined,
  override: undefined,
  soakSpeed: 1,
  retireAfterHours: 24,
  // What is pending is worked out in `run`.
  migrations: { pending: [], contract: undefined },
};

/** Before the first run. */
export const nothing: World = {
  route: undefined,
  pods: { blue: {}, green: {} },
  state: undefined,
  database: { files: 2, ledger: [], record: undefined, stale: [] },
  hour: 0,
};

/** The configuration that the route was last told: a run of it changes nothing. */
export function configOf(world: World): Desired {
  if (!world.route) return fresh;
  const { told } = world.route;
  return {
    ...fresh,
    candidate: told.candidate,
    candidateTraffic: told.candidateTraffic,
    ladder: ladders.find((each) => each.toString() === told.ladder) ?? ladders[0],
    releases: told.releases,
    retired: { blue: told.retired.includes("blue"), green: told.retired.includes("green") },
  };
}

const liveRouteObject = ({ hour }: World, route: Route): RouteObject =>
  routeObject({ ...route, hoursAgo: hour - route.changedAt });

/** The public route as an API server would answer it. */
export const routeObjectOf = (world: World): RouteObject | undefined =>
  world.route && liveRouteObject(world, world.route);

export function observe(world: World): Observed {
  const { route, pods } = world;
  const of = (colour: Colour) =>
    readColour(
      services.flatMap((service) => {
        const found = pods[colour][service];
        return found ? [deploymentObject(service, found)] : [];
      }),
    );
  return {
    route: route && readRoute(liveRouteObject(world, route)),
    colours: { blue: of("blue"), green: of("green") },
    schema: world.database.record,
    rotations: [],
    at: now,
  };
}

/** What settings.ts would refuse before `decide` is asked. */
export const isSane = ({ candidate, candidateTraffic, ladder, releases }: Desired): boolean =>
  ladder.allows(candidateTraffic) &&
  (releases[candidate] !== undefined || (candidateTraffic === 0 && releases[otherColour(candidate)] !== undefined));

/** A run that was killed after so many of its writes. */
export interface Killed {
  readonly after: number;
  /** The route depends on Services only: it may be written before all else, or last. */
  readonly routeFirst: boolean;
}

/** Decides one run; when it is allowed, the world after it, or after what it had written when it was killed. */
export function run(world: World, config: Desired, killed?: Killed): { decision: Decision; after: World } {
  const { contract } = config.migrations;
  const plan = planned(world.database, contract);
  const desired = { ...config, migrations: { pending: plan.pending, contract } };
  const decision = refuseMigrations("taskflow", plan) ?? decide(observe(world), desired);
  if (!decision.allowed) return { decision, after: world };
  const writes = writesOf(desired, decision, killed?.routeFirst ?? false).slice(0, killed?.after);
  return { decision, after: writes.reduce((before, write) => write(before), world) };
}

/** What a run writes, in order. A contract migration waits for the route, which remembers what it leaves behind. */
function writesOf(desired: Desired, decision: Allowed, routeFirst: boolean): readonly ((world: World) => World)[] {
  const { contract } = desired.migrations;
  const route = (world: World) => ({ ...world, ...writeRoute(world, decision) });
  const database = [
    (world: World) => ({ ...world, database: migrated(world.database, contract, allButFull(world)) }),
    (world: World) => ({ ...world, database: recorded(world.database, decision.told.outdated) }),
  ];
  const deployments = colours.flatMap((colour) =>
    services.map((service) => (world: World) => ({
      ...world,
      pods: applyDeployment(world.pods, desired, { colour, service }),
    })),
  );
  return routeFirst || decision.move === "contract"
    ? [route, ...database, ...deployments]
    : [...database, ...deployments, route];
}

/** Every release that is known, but for the one that has all traffic. */
function allButFull(world: World): readonly string[] {
  const { told } = world.route ?? {};
  const full = colours.find((colour) => sharesOf(world).every((share) => share[colour] === 100));
  const known = colours.flatMap((colour) => [
    told?.releases[colour],
    told?.proven[colour],
    ...services.map((service) => world.pods[colour][service]?.release),
  ]);
  return known.filter((release) => release !== undefined && release !== (full && told?.releases[full])).map(String);
}

function applyDeployment(
  pods: World["pods"],
  { releases, retired }: Desired,
  { colour, service }: { colour: Colour; service: Service },
): World["pods"] {
  const release = releases[colour];
  const { [service]: before, ...others } = pods[colour];
  if (release === undefined) return { ...pods, [colour]: others };
  const replicas = retired[colour] ? 0 : fullSize;
  const ready = Math.min(before?.ready ?? 0, replicas);
  const updated = before?.release === release ? Math.min(before.updated, replicas) : 0;
  return { ...pods, [colour]: { ...others, [service]: { release, replicas, ready, updated } } };
}

function writeRoute(world: World, { told, weights }: Allowed): Partial<World> {
  const state = JSON.stringify([told, weights]);
  if (world.route && state === world.state) return {};
  const { trip, tombstones = [], generation = 0 } = world.route ?? {};
  return {
    state,
    route: { told, rules: evenRules(weights), trip, tombstones, generation: generation + 1, changedAt: world.hour },
  };
}

/** What people, nodes and the guard do to the world between runs. */
export type Event =
  | { readonly kind: "edit"; readonly weights: Weights; readonly foreign: number; readonly rules: "all" | "first" }
  | { readonly kind: "delete" }
  | { readonly kind: "die" | "heal"; readonly colour: Colour; readonly service: Service }
  | { readonly kind: "healAll" }
  | { readonly kind: "scale"; readonly colour: Colour; readonly replicas: number }
  | { readonly kind: "trip"; readonly colour: Colour }
  | { readonly kind: "clear"; readonly release: string }
  | { readonly kind: "commit" | "loseRecord" }
  | { readonly kind: "restore"; readonly applied: number }
  | { readonly kind: "wait" };

export function happen(world: World, event: Event): World {
  const { route, database } = world;
  switch (event.kind) {
    case "edit": {
      if (!route) return world;
      const edited = evenRules(event.weights).map(({ path, backends }) => ({
        path,
        backends: event.foreign > 0 ? [...backends, { name: "maintenance", weight: event.foreign }] : backends,
      }));
      const rules = event.rules === "all" ? edited : [...edited.slice(0, 1), ...route.rules.slice(1)];
      return rewritten(world, { ...route, rules });
    }
    // What a contract migration left behind is remembered twice; no rule holds when both memories are lost.
    case "delete":
      return remembers(database.record?.outdated, database) ? { ...world, route: undefined } : world;
    case "loseRecord":
      return remembers(route?.told.outdated, database) ? withDatabase(world, { record: undefined }) : world;
    case "commit":
      return withDatabase(world, { files: Math.min(database.files + 1, migrations.length) });
    case "restore":
      return database.ledger.length > 0 ? withDatabase(world, restored(database, event.applied)) : world;
    case "die":
      return withPods(world, event.colour, (pods, service) =>
        service === event.service ? { ...pods, ready: 0 } : pods,
      );
    case "heal":
      return withPods(world, event.colour, (pods, service) => (service === event.service ? healed(pods) : pods));
    case "healAll":
      return colours.reduce((before, colour) => withPods(before, colour, healed), world);
    case "scale":
      return withPods(world, event.colour, (pods) => ({
        ...pods,
        replicas: event.replicas,
        ready: Math.min(pods.ready, event.replicas),
        updated: Math.min(pods.updated, event.replicas),
      }));
    case "trip":
      return route && mayTrip(world, route, event.colour) ? tripped(world, route, event.colour) : world;
    case "clear":
      return route
        ? { ...world, route: { ...route, tombstones: route.tombstones.filter((each) => each !== event.release) } }
        : world;
    case "wait":
      return { ...world, hour: world.hour + 30 };
  }
}

const remembers = (outdated: readonly string[] = [], { stale }: Database) =>
  stale.every((release) => outdated.includes(release));

const withDatabase = (world: World, changes: Partial<Database>): World => ({
  ...world,
  database: { ...world.database, ...changes },
});

/**
 * The guard trips the candidate, or, after the switch of roles, sends traffic back to the release that was proven before;
 * it is disarmed where the other colour cannot serve.
 */
function mayTrip(world: World, { told }: Route, tripped: Colour): boolean {
  const other = otherColour(tripped);
  if (!canServe(world, configOf(world), other)) return false;
  if (tripped === told.candidate) return true;
  const runsProven = services.every((service) => world.pods[other][service]?.release === told.proven[other]);
  return runsProven && told.releases[other] === told.proven[other];
}

/** What the guard writes. */
function tripped(world: World, route: Route, colour: Colour): World {
  const at = new Date(now.getTime() + route.generation * 1000);
  const order = { colour, reason: "error ratio 12 %", by: "guard", manager: "golive-guard" } as const;
  const { patch } = planTrip({ object: routeObject({ ...route, hoursAgo: 0 }), at }, order);
  return patch ? patched(world, patch) : world;
}

/** The world after the patch of a trip. */
export function patched(world: World, patch: object): World {
  if (!world.route) return world;
  const { metadata, spec } = patch as Required<RouteObject>;
  const annotations = metadata.annotations ?? {};
  return rewritten(world, {
    ...world.route,
    trip: annotations[tripAnnotation],
    tombstones: tombstonesOf(annotations),
    rules: (spec.rules ?? []).map(({ matches = [], backendRefs = [] }) => ({
      path: matches[0]?.path?.value ?? "/",
      backends: backendRefs,
    })),
  });
}

const healed = (pods: Pods): Pods => ({ ...pods, ready: pods.replicas, updated: pods.replicas });

const rewritten = (world: World, route: Route): World => ({
  ...world,
  route: { ...route, generation: route.generation + 1, changedAt: world.hour },
});

function withPods(world: World, colour: Colour, change: (pods: Pods, service: string) => Pods): World {
  const changed = Object.entries(world.pods[colour]).map(([service, pods]) => [service, change(pods, service)]);
  return { ...world, pods: { ...world.pods, [colour]: Object.fromEntries(changed) } };
}

/** Percent of each colour in each live rule, counted here and not by the code under test. */
export function sharesOf(world: World): readonly Weights[] {
  return (world.route?.rules ?? []).map(({ backends }) => {
    const sum = backends.reduce((total, { weight = 1 }) => total + weight, 0);
    const of = (colour: Colour) =>
      backends
        .filter(({ name }) => name.endsWith(`-${colour}`))
        .reduce((total, { weight = 1 }) => total + (sum === 0 ? 0 : (100 * weight) / sum), 0);
    return { blue: of("blue"), green: of("green") };
  });
}

/** Whether a colour has a release that fits the schema, is not retired, and has a ready pod of each service. */
export const canServe = (world: World, desired: Desired, colour: Colour): boolean =>
  desired.releases[colour] !== undefined &&
  !world.database.stale.includes(desired.releases[colour]) &&
  !desired.retired[colour] &&
  services.every((service) => (world.pods[colour][service]?.ready ?? 0) > 0);

/** A world with a candidate at 100, by some sequence of allowed runs, when every Deployment has its size and its pods ready. */
export function theTop(start: World): World | undefined {
  const seen = new Set<string>();
  let front = [happen(atFullSize(start), { kind: "healAll" })];
  for (let depth = 0; depth < 14 && front.length > 0; depth++) {
    const top = front.find(atTheTop);
    if (top) return top;
    front = front.flatMap(nextWorlds).filter((world) => {
      const key = JSON.stringify([
        world.pods,
        world.database,
        world.route?.rules,
        world.route && { ...world.route.told, corrected: "" },
        world.route?.tombstones,
      ]);
      return !seen.has(key) && seen.add(key);
    });
  }
  return undefined;
}

/** From a candidate at 100: the other colour is retired, then config asks for the last contract migration. */
export function contracts(top: World): {
  readonly retirement: Decision;
  readonly contract: Decision;
  readonly after: World;
} {
  const config = configOf(top);
  const retired = { ...config.retired, [otherColour(config.candidate)]: true };
  const asleep = run(happen(top, { kind: "wait" }), { ...config, retired });
  const complete = withDatabase(asleep.after, { files: migrations.length });
  const { name } = migrations[4];
  const { decision, after } = run(complete, { ...configOf(complete), migrations: { pending: [], contract: name } });
  return { retirement: asleep.decision, contract: decision, after };
}

/** What somebody scaled by hand, he scales back. */
const atFullSize = (world: World): World =>
  colours
    .filter((colour) => !world.route?.told.retired.includes(colour))
    .reduce((before, colour) => happen(before, { kind: "scale", colour, replicas: fullSize }), world);

const atTheTop = (world: World): boolean =>
  world.route?.told.candidateTraffic === 100 &&
  canServe(world, configOf(world), world.route.told.candidate) &&
  // Not where a trip still waits to be acknowledged.
  run(world, configOf(world)).decision.allowed &&
  sharesOf(world).every((share) => share[world.route?.told.candidate ?? "blue"] === 100);

function nextWorlds(world: World): readonly World[] {
  const config = configOf(world);
  const { route, database } = world;
  const outdated = [...database.stale, ...(route?.told.outdated ?? []), ...(database.record?.outdated ?? [])];
  // A release that was tripped may be the better one of two: it stays where it serves.
  const isBuried = (colour: Colour, release: string) =>
    route?.tombstones.includes(release) === true && sharesOf(world).every((share) => share[colour] === 0);
  const renewed = (colour: Colour, id: string) => {
    const release = config.releases[colour];
    return release === undefined || outdated.includes(release) || isBuried(colour, release) ? id : release;
  };
  const released = { blue: renewed("blue", "r8"), green: renewed("green", "r9") };
  const none = { blue: false, green: false };
  return colours.flatMap((candidate) =>
    config.ladder.percents.flatMap((candidateTraffic) =>
      [config.retired, none].flatMap((retired) =>
        [config.releases, released].flatMap((releases) => {
          const desired = { ...config, candidate, candidateTraffic, retired, releases };
          if (!isSane(desired)) return [];
          const { decision, after } = run(world, desired);
          return decision.allowed ? [happen(happen(after, { kind: "healAll" }), { kind: "wait" })] : [];
        }),
      ),
    ),
  );
}
