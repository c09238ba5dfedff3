import { type Colour, colours } from "../applications/application.ts";
import type { SchemaRecord } from "./schema/schema-record.ts";
import { type Told, type Trip, toldOf, tombstonesOf, tripOf, type Weights, weightsOf } from "./told.ts";

/** What is live, read once at the start of every run. */
export interface Observed {
  /** The public route, or undefined when there is none. */
  readonly route: LiveRoute | undefined;
  readonly colours: Readonly<Record<Colour, LiveColour>>;
  /** Rotation of the passwords that the pods of each Deployment were made with. */
  readonly rotations: readonly number[];
  /** The schema as last applied, or undefined when nothing was recorded yet. */
  readonly schema: SchemaRecord | undefined;
  /** When this was read. */
  readonly at: Date;
}

export interface LiveRoute {
  /** Undefined: the route was not made by golive. */
  readonly told: Told | undefined;
  /** The largest percent that any rule of the route gives to each colour. More than 100 together when the rules differ. */
  readonly exposure: Weights;
  /** The smallest percent that any rule gives to each colour; the same as `exposure` where all rules are alike. */
  readonly floor: Weights;
  /** How the live rules differ from what the route was last told; empty when nobody edited it. */
  readonly edits: readonly string[];
  readonly trip: Trip | undefined;
  /** Releases that were tripped and not cleared since, by id. */
  readonly tombstones: readonly string[];
  /** Counts changes of the spec: the same number means that nobody wrote it in between. */
  readonly generation: number;
  /** When the route was last written by anyone who holds its rules (the newest time of these field managers). */
  readonly changedAt: Date | undefined;
}

/** The Deployments of one colour, by service. */
export type LiveColour = Readonly<Record<string, LiveService>>;

export interface LiveService {
  /** Pods asked for, and ready. */
  readonly replicas: number;
  readonly ready: number;
  /** Every pod asked for runs the newest template and is ready. */
  readonly settled: boolean;
  /** Release id on the pod template. */
  readonly release: string | undefined;
}

/** One writer of an object, and what it holds of it. */
interface FieldManager {
  readonly time?: string | Date;
  readonly subresource?: string;
  readonly fieldsV1?: object;
}

/** The parts of an HTTPRoute that are read; any of it may be missing in a live object. */
export interface RouteObject {
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly generation?: number;
    /** Counts every write: one that names an old number is refused. */
    readonly resourceVersion?: string;
    readonly managedFields?: readonly FieldManager[];
  };
  readonly spec?: {
    readonly rules?: readonly {
      readonly matches?: readonly { readonly path?: { readonly value?: string } }[];
      readonly backendRefs?: readonly { readonly name: string; readonly weight?: number }[];
    }[];
  };
}

/** The part of a Deployment that is read. */
export interface DeploymentObject {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>>; readonly generation?: number };
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

/** Annotation of a pod template: the release its pods run. */
export const releaseAnnotation = "golive/release";

/** Reads the live public route of an application. */
export function readRoute(object: RouteObject): LiveRoute {
  const annotations = object.metadata?.annotations ?? {};
  const told = toldOf(annotations);
  const rules = object.spec?.rules ?? [];
  const shares = rules.map((rule) => shareOf(rule.backendRefs ?? []));
  const exposure = {
    blue: Math.max(0, ...shares.map((share) => share.blue)),
    green: Math.max(0, ...shares.map((share) => share.green)),
  };
  const edits = told ? editsOf(object, told, shares) : [];
  const times = (object.metadata?.managedFields ?? [])
    .filter(holdsRules)
    .map((manager) => new Date(manager.time ?? 0).getTime());
  return {
    told,
    exposure,
    floor: { blue: least(shares.map((share) => share.blue)), green: least(shares.map((share) => share.green)) },
    edits,
    trip: tripOf(annotations, told?.candidate ?? "green"),
    tombstones: tombstonesOf(annotations),
    generation: object.metadata?.generation ?? 0,
    changedAt: times.length > 0 ? new Date(Math.max(...times)) : undefined,
  };
}

/** The trip on a route that nobody acknowledged yet. */
export const openTrip = ({ trip, told }: LiveRoute): Trip | undefined =>
  trip && trip.id !== told?.acknowledged ? trip : undefined;

/** One that wrote annotations only, as `golive rollout clear` does, moved no traffic: no soak begins anew for it. */
const holdsRules = ({ time, subresource, fieldsV1 }: FieldManager) =>
  time !== undefined && subresource === undefined && (fieldsV1 === undefined || "f:spec" in fieldsV1);

const least = (percents: readonly number[]) => (percents.length === 0 ? 0 : Math.min(...percents));

interface Share extends Weights {
  /** Backends that are neither colour's. */
  readonly foreign: readonly string[];
}

/** Percent by colour of one rule. An omitted weight means 1; a rule without backends sends nobody anywhere. */
function shareOf(backends: readonly { readonly name: string; readonly weight?: number }[]): Share {
  const sum = backends.reduce((total, backend) => total + (backend.weight ?? 1), 0);
  const of = (colour: Colour) =>
    backends
      .filter((backend) => backend.name.endsWith(`-${colour}`))
      .reduce((total, backend) => total + (backend.weight ?? 1), 0);
  const percent = (part: number) => (sum === 0 ? 0 : (100 * part) / sum);
  return {
    blue: percent(of("blue")),
    green: percent(of("green")),
    foreign: backends
      .map((backend) => backend.name)
      .filter((name) => !colours.some((colour) => name.endsWith(`-${colour}`))),
  };
}

function editsOf(object: RouteObject, { candidate, candidateTraffic, paths }: Told, shares: readonly Share[]) {
  const told = weightsOf(candidate, candidateTraffic);
  const rules = object.spec?.rules ?? [];
  const removed = paths.filter((path) => !rules.some((rule) => pathOf(rule) === path));
  const edited = rules.flatMap((rule, index) => {
    const share = shares[index];
    if (!share) return [];
    const path = pathOf(rule);
    const edits = share.foreign.map((name) => `rule ${path} has a backend ${name}`);
    if (share.blue !== told.blue || share.green !== told.green)
      edits.push(
        `rule ${path} has blue ${round(share.blue)}, green ${round(share.green)} (told: blue ${told.blue}, green ${told.green})`,
      );
    return edits;
  });
  return [...removed.map((path) => `rule ${path} is gone`), ...edited];
}

type Rule = NonNullable<NonNullable<RouteObject["spec"]>["rules"]>[number];

/** A rule without a match matches everything. */
const pathOf = (rule: Rule) => rule.matches?.[0]?.path?.value ?? "/";

const round = (percent: number) => Math.round(percent * 10) / 10;

/** Reads one colour's Deployments; the key is the label `component`. */
export function readColour(objects: readonly DeploymentObject[]): LiveColour {
  return Object.fromEntries(
    objects.flatMap((object) => {
      const component = object.metadata?.labels?.component;
      return component === undefined ? [] : [[component, readDeployment(object)]];
    }),
  );
}

function readDeployment({ metadata, spec, status }: DeploymentObject): LiveService {
  const replicas = spec?.replicas ?? 1;
  const ready = status?.readyReplicas ?? 0;
  return {
    replicas,
    ready,
    settled:
      (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0) &&
      (status?.updatedReplicas ?? 0) === replicas &&
      (status?.replicas ?? 0) === replicas &&
      ready === replicas,
    release: spec?.template?.metadata?.annotations?.[releaseAnnotation],
  };
}
