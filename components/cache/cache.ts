import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { defaults } from "../../settings/environments.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { aclFile, exporterPasswordKey, redisService, redisStatefulSet, serverName } from "./statefulset.ts";

/** How the application reaches its Redis; what must stand before its pods start. */
export interface CacheAccess {
  /** A secret. */
  readonly url: pulumi.Output<string>;
  readonly ready: readonly pulumi.Resource[];
}

export interface CacheArgs {
  readonly settings: Settings;
  readonly user: string;
  /** What the server needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
}

/** The application's Redis: one server with a volume and an ACL user of its own (S1-06, S2-12). */
export class Cache extends pulumi.ComponentResource {
  readonly access: CacheAccess;

  constructor({ settings, user, after }: CacheArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:cache:Cache", `${settings.application.name}-cache`, {}, opts);
    const { namespace, cache, environment } = settings;
    const labels = { app: settings.application.name, component: serverName };
    const { protect } = defaults[environment];
    const own = { parent: this, dependsOn: [...after] };
    const server = {
      namespace,
      labels,
      user,
      image: mirrored(cache.image, settings.imageMirrors),
      storage: cache.storage,
      storageClass: cache.storageClass,
      memoryMiB: cache.memoryMiB,
      disposable: environment === "local",
    };
    const generated = (name: string) =>
      new random.RandomPassword(name, { length: 32, special: false }, { parent: this }).result;
    const password = generated("redis-password");
    const exporterPassword = generated("redis-exporter-password");
    const secret = new kubernetes.core.v1.Secret(
      "redis-users",
      {
        metadata: { name: serverName, namespace, labels },
        stringData: {
          password,
          [exporterPasswordKey]: exporterPassword,
          "users.acl": pulumi
            .all([password, exporterPassword])
            .apply(([own, exporter]) => aclFile(user, { own, exporter })),
        },
      },
      own,
    );
    const service = new kubernetes.core.v1.Service("redis", redisService(server), own);
    const statefulSet = new kubernetes.apps.v1.StatefulSet("redis", redisStatefulSet(server), {
      parent: this,
      protect,
      retainOnDelete: protect,
      dependsOn: [secret, service],
      customTimeouts: { create: "300s", update: "300s" },
    });
    const host = `${serverName}.${namespace}.svc.cluster.local`;
    this.access = {
      url: pulumi.secret(pulumi.interpolate`redis://${user}:${password}@${host}:6379`),
      ready: [statefulSet],
    };
    this.registerOutputs({});
  }
}
