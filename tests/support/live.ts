import type { Colour } from "../../applications/application.ts";
import { colours } from "../../applications/application.ts";
import {
  type DeploymentObject,
  type Observed,
  type RouteObject,
  readColour,
  readRoute,
  releaseAnnotation,
} from "../../rollout/observed.ts";
import type { SchemaRecord } from "../../rollout/schema/schema-record.ts";
import {
  annotationsOf,
  type Told,
  tombstonesAnnotation,
  tripAnnotation,
  type Weights,
  weightsOf,
} from "../../rollout/told.ts";

/** What is live, made of objects in the shape of the API's answers, so that the code that reads them is under test, too. */

export const ladderText = "10/15,50/15,100/30";
export const now = new Date("2026-11-21T12:00:00Z");

/** A route that was told the usual: green is the candidate at 0, blue is proven, both have a release. */
export const told = (changes: Partial<Told> = {}): Told => ({
  candidate: "green",
  candidateTraffic: 0,
  ladder: ladderText,
  paths: Object.values(taskflowPaths),
  releases: { blue: "1.0.0-aaaa", green: "2.0.0-bbbb" },
  proven: { blue: "1.0.0-aaaa", green: undefined },
  retired: [],
  inPlace: undefined,
  override: undefined,
  corrected: undefined,
  acknowledged: undefined,
  outdated: [],
  ...changes,
});

/** A database with one migration in it. */
export const schemaRecord = (changes: Partial<SchemaRecord> = {}): SchemaRecord => ({
  applied: [{ name: "000_base.sql", phase: "expand", checksum: "0".repeat(64) }],
  job: "taskflow-migrate-0123456789",
  result: undefined,
  restored: undefined,
  outdated: [],
  ...changes,
});

/** The backends of one rule: weights as written, and any that are not of a colour. */
export interface RuleObject {
  readonly path: string;
  readonly backends: readonly { readonly name: string; readonly weight?: number }[];
}

export const taskflowPaths = { backend: "/api", frontend: "/" } as const;

/** TaskFlow's two rules with these weights in each. */
export const evenRules = (weights: Weights): readonly RuleObject[] =>
  Object.entries(taskflowPaths).map(([service, path]) => ({
    path,
    backends: colours.map((colour) => ({ name: `taskflow-${service}-${colour}`, weight: weights[colour] })),
  }));

export interface RouteOptions {
  readonly told?: Told | undefined;
  readonly rules?: readonly RuleObject[];
  /** Paths of rules that it was told and that are not there any more. */
  readonly gone?: readonly string[];
  readonly trip?: string | undefined;
  /** Releases that were tripped, by id. */
  readonly tombstones?: readonly string[];
  readonly generation?: number;
  readonly hoursAgo?: number;
}

/** The HTTPRoute as an API server would answer it; its rules are what it was told, unless others are given. */
export function routeObject({
  told: said = told(),
  rules,
  gone = [],
  trip,
  tombstones = [],
  generation = 1,
  hoursAgo = 48,
}: RouteOptions): RouteObject {
  const written = rules ?? evenRules(weightsOf(said.candidate, said.candidateTraffic));
  // Rules that are given stand for all that the route was told, but for those that are said to be gone.
  const paths = [...gone, ...written.map(({ path }) => path)];
  return {
    metadata: {
      annotations: {
        ...annotationsOf({ ...said, paths }),
        ...(trip === undefined ? {} : { [tripAnnotation]: trip }),
        ...(tombstones.length > 0 ? { [tombstonesAnnotation]: tombstones.join(" ") } : {}),
      },
      resourceVersion: String(generation),
      generation,
      managedFields: [
        { time: new Date(now.getTime() - hoursAgo * 3_600_000).toISOString() },
        { time: now.toISOString(), subresource: "status" },
      ],
    },
    spec: {
      rules: written.map(({ path, backends }) => ({ matches: [{ path: { value: path } }], backendRefs: backends })),
    },
  };
}

export interface PodsOptions {
  readonly release?: string | undefined;
  readonly replicas?: number;
  readonly ready?: number;
  readonly updated?: number;
}

/** One Deployment as an API server would answer it. */
export function deploymentObject(
  service: string,
  { release, replicas = 1, ready = replicas, updated = replicas }: PodsOptions,
): DeploymentObject {
  return {
    metadata: { labels: { app: "taskflow", component: service }, generation: 1 },
    spec: {
      replicas,
      template: { metadata: { annotations: release === undefined ? {} : { [releaseAnnotation]: release } } },
    },
    status: { observedGeneration: 1, replicas, updatedReplicas: updated, readyReplicas: ready },
  };
}

/** The Deployments of one colour, the same for both services unless one has options of its own. */
export const pods = (options: PodsOptions, backend: PodsOptions = {}): readonly DeploymentObject[] => [
  deploymentObject("backend", { ...options, ...backend }),
  deploymentObject("frontend", options),
];

export interface LiveOptions extends RouteOptions {
  readonly noRoute?: boolean;
  readonly schema?: SchemaRecord | undefined;
  readonly pods?: Partial<Record<Colour, readonly DeploymentObject[]>>;
}

/** What a run reads: both colours run what the route was told, one ready pod of each service, unless said otherwise. */
export function observed({ noRoute = false, pods: given = {}, schema, ...route }: LiveOptions = {}): Observed {
  const said = route.told ?? told();
  const of = (colour: Colour) => {
    const release = said.releases[colour];
    return readColour(given[colour] ?? (release === undefined ? [] : pods({ release })));
  };
  return {
    route: noRoute ? undefined : readRoute(routeObject(route)),
    colours: { blue: of("blue"), green: of("green") },
    schema,
    rotations: [],
    at: now,
  };
}
