import * as pulumi from "@pulumi/pulumi";
import { type Colour as ColourName, colours, isHttp } from "../applications/application.ts";
import type { LiveCluster } from "../rollout/cluster.ts";
import type { Allowed } from "../rollout/decide.ts";
import { routeHooks } from "../rollout/hooks.ts";
import type { Observed } from "../rollout/observed.ts";
import type { Settings } from "../settings.ts";
import { Cache } from "./cache/cache.ts";
import { providers } from "./cluster/providers.ts";
import { Database } from "./database/database.ts";
import { Namespace } from "./namespace/namespace.ts";
import { Colour } from "./release/colour.ts";
import type { RenderedRelease } from "./release/manifests.ts";
import { secretValues } from "./release/secrets.ts";
import { Traffic } from "./traffic/traffic.ts";

export interface PlatformArgs {
  readonly settings: Settings;
  readonly releases: Readonly<Record<ColourName, RenderedRelease | undefined>>;
  readonly cluster: LiveCluster;
  readonly observed: Observed;
  readonly decision: Allowed;
}

/** All that one application needs on one stack, in the order of S4-52 and S4-53: namespace, stores, colours, traffic. */
export class Platform extends pulumi.ComponentResource {
  constructor(args: PlatformArgs) {
    const { settings, releases, decision } = args;
    super("golive:index:Platform", settings.application.name, {}, { providers: [...providers(settings)] });
    const { namespace } = new Namespace(settings, { parent: this });
    const after = [namespace];
    const stores = declareStores(this, settings, after);
    const secrets = secretValues(this, settings, stores.urls);
    const sets = colours.map(
      (colour) =>
        new Colour(
          { settings, colour, release: releases[colour], secrets, after, stores: stores.ready },
          { parent: this },
        ),
    );
    const services = sets.flatMap((set) => set.services);
    new Traffic({ settings, decision, services, hooks: hooksOf(args) }, { parent: this });
    this.registerOutputs({});
  }
}

function declareStores(parent: Platform, settings: Settings, after: readonly pulumi.Resource[]) {
  const { postgresql, redis } = settings.application.stores;
  const database =
    postgresql &&
    new Database(
      { settings, after, user: postgresql.user, database: postgresql.database[settings.environment] },
      { parent },
    );
  const cache = redis && new Cache({ settings, after, user: redis.user }, { parent });
  return {
    urls: {
      ...(database ? { postgresql: database.access.url } : {}),
      ...(cache ? { redis: cache.access.url } : {}),
    },
    ready: [...(database?.access.ready ?? []), ...(cache?.access.ready ?? [])],
  };
}

function hooksOf({ settings, cluster, observed, decision }: PlatformArgs): pulumi.ResourceHookBinding {
  // Workers answer no requests: a step does not wait for them.
  const services = settings.application.services.filter(isHttp).map(({ name }) => name);
  return routeHooks({ cluster, observed, decision, services });
}
