import { join } from "node:path";
import process from "node:process";
import * as pulumi from "@pulumi/pulumi";
import { type Colour as ColourName, colours, isHttp } from "../applications/application.ts";
import type { LiveCluster } from "../rollout/cluster.ts";
import type { Allowed } from "../rollout/decide.ts";
import { assess } from "../rollout/gate/assess.ts";
import { isFirst, isGated } from "../rollout/gate/held.ts";
import { contractHooks, routeHooks } from "../rollout/hooks.ts";
import { originOf } from "../rollout/ledger/origin.ts";
import { runLedger } from "../rollout/ledger/run-ledger.ts";
import type { Observed } from "../rollout/observed.ts";
import { smokeFailures } from "../rollout/preflight/smoke.ts";
import type { Settings } from "../settings.ts";
import { Cache } from "./cache/cache.ts";
import { providers } from "./cluster/providers.ts";
import { Database } from "./database/database.ts";
import type { SchemaOutput, SchemaRun } from "./database/migrations.ts";
import type { DatabasePrograms } from "./database/programs.ts";
import { Logging } from "./logging/logging.ts";
import { Monitoring } from "./monitoring/monitoring.ts";
import { Namespace } from "./namespace/namespace.ts";
import { Network } from "./network/network.ts";
import { Colour } from "./release/colour.ts";
import type { RenderedRelease } from "./release/manifests.ts";
import { secretValues } from "./release/secrets.ts";
import { smokeColour } from "./release/smoke.ts";
import { Guard } from "./traffic/guard.ts";
import { RolloutMetrics } from "./traffic/rollout-metrics.ts";
import { Traffic } from "./traffic/traffic.ts";

export interface PlatformArgs {
  readonly settings: Settings;
  readonly releases: Readonly<Record<ColourName, RenderedRelease | undefined>>;
  readonly cluster: LiveCluster;
  readonly observed: Observed;
  readonly decision: Allowed;
  /** What runs beside the database, and what this run does to the schema. */
  readonly programs: DatabasePrograms;
  readonly schema: SchemaRun;
  /** Bundled programs: what tells Prometheus how far a rollout is, what undoes a bad one, and what deletes old logs. */
  readonly bundles: { readonly rollout: string; readonly guard: string; readonly logging: string };
}

/** All that one application needs on one stack, in the order of S4-52, S4-53 and C48: namespace, stores, monitoring, colours, traffic. */
export class Platform extends pulumi.ComponentResource {
  /** The schema of its database; undefined without one. */
  readonly schema: SchemaOutput | undefined;

  constructor(args: PlatformArgs) {
    const { settings, releases, decision } = args;
    super("golive:index:Platform", settings.application.name, {}, { providers: [...providers(settings)] });
    const { namespace } = new Namespace(settings, { parent: this });
    const after = [namespace];
    const route = Promise.withResolvers<pulumi.Resource>();
    const database = declareDatabase(this, args, after, route.promise);
    const stores = declareStores(this, settings, after, database);
    const monitoring = declareMonitoring(this, args, after, stores);
    const logging =
      settings.logging.kind === "eck"
        ? new Logging({ settings, bundle: args.bundles.logging }, { parent: this })
        : undefined;
    const namespaces = [namespace, ...(monitoring?.namespaces ?? []), ...(logging?.namespaces ?? [])];
    new Network({ settings, namespaces }, { parent: this });
    const secrets = secretValues(this, settings, stores.urls);
    const sets = colours.map(
      (colour) =>
        new Colour(
          {
            settings,
            colour,
            release: releases[colour],
            secrets,
            after,
            stores: stores.ready,
            watched: monitoring?.ready ?? [],
          },
          { parent: this },
        ),
    );
    const services = sets.flatMap((set) => set.services);
    const traffic = new Traffic({ settings, decision, services, hooks: hooksOf(args) }, { parent: this });
    route.resolve(traffic.route);
    this.schema = database?.schema;
    this.registerOutputs({});
  }
}

function declareDatabase(
  parent: Platform,
  { settings, programs, schema, cluster, observed, decision }: PlatformArgs,
  after: readonly pulumi.Resource[],
  route: Promise<pulumi.Resource>,
): Database | undefined {
  const { postgresql } = settings.application.stores;
  if (!postgresql) return undefined;
  const { user: owner, database: names } = postgresql;
  return new Database(
    {
      ...{ settings, programs, schema, cluster, after, owner },
      database: names[settings.environment],
      outdated: decision.told.outdated,
      // What can never serve again must stand on the route before it is so.
      contract:
        decision.move === "contract"
          ? { after: route, hooks: contractHooks({ cluster, observed, decision }) }
          : undefined,
    },
    { parent },
  );
}

function declareStores(
  parent: Platform,
  settings: Settings,
  after: readonly pulumi.Resource[],
  database: Database | undefined,
) {
  const { redis } = settings.application.stores;
  const cache = redis && new Cache({ settings, after, user: redis.user }, { parent });
  return {
    database,
    cache,
    urls: {
      ...(database ? { postgresql: database.access.url } : {}),
      ...(cache ? { redis: cache.access.url } : {}),
    },
    ready: [...(database?.access.ready ?? []), ...(cache?.access.ready ?? [])],
  };
}

/** What watches the stack; some of it must be declared before a release starts (C48). */
function declareMonitoring(
  parent: Platform,
  { settings, bundles }: PlatformArgs,
  after: readonly pulumi.Resource[],
  { database, cache }: ReturnType<typeof declareStores>,
): Monitoring | undefined {
  if (settings.monitoring.kind === "none") return undefined;
  new RolloutMetrics({ settings, bundle: bundles.rollout, after }, { parent });
  if (settings.gate.mode === "on") new Guard({ settings, bundle: bundles.guard, after }, { parent });
  return new Monitoring(
    { settings, after, database: database?.exporter, cache: cache && { ready: cache.access.ready } },
    { parent },
  );
}

function hooksOf({ settings, cluster, observed, decision }: PlatformArgs): pulumi.ResourceHookBinding {
  const { stack, namespace, gate } = settings;
  // Workers answer no requests: a step does not wait for them.
  const services = settings.application.services.filter(isHttp).map(({ name }) => name);
  const to = decision.told.candidateTraffic;
  const isOn = gate.mode === "on";
  return routeHooks({
    ...{ cluster, observed, decision, services },
    assess:
      isOn && isGated(decision)
        ? (now) => assess(settings, { observe: async () => now, api: cluster.api }, { to })
        : undefined,
    smoke:
      decision.leap !== undefined || (isOn && isFirst(observed, decision))
        ? () => candidateFailures(settings, cluster)
        : undefined,
    ledger: runLedger(cluster.api, {
      ...{ application: settings.application.name, stack, namespace, observed, decision },
      origin: () => originOf(join(import.meta.dirname, ".."), process.env),
      warn: (text) => void pulumi.log.warn(text),
    }),
  });
}

/** Which of the candidate's smoke tests do not pass now. */
async function candidateFailures(
  { application, namespace, candidate: colour, colours: configured }: Settings,
  { config }: LiveCluster,
): Promise<readonly string[]> {
  const { release } = configured[colour];
  if (release === undefined) return [`${colour} has no release`];
  return smokeFailures(await smokeColour(config, { namespace, application, colour, version: release.version }));
}
