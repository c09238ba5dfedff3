import { basename, join } from "node:path";
import { ensureTree, imageTree, monitoringTree } from "../debian/packages.ts";
import { binariesOf, goBuild } from "../go/build.ts";
import { places } from "../places.ts";
import { debianInputs, libraryEntries, only, timeZoneEntries } from "./debian-layers.ts";
import { executable, type LayerRecipe, parentsOf, sizeAndTime } from "./layer.ts";
import type { ImageConfig } from "./oci.ts";
import type { Entry } from "./tar.ts";

const tree = join(places.debian, monitoringTree.name);
const program = (name: string) => join(tree, "usr", "bin", name);
const templates = "usr/share/prometheus/alertmanager";

/**
 * Prometheus, and Alertmanager and the exporters from Debian, each program where the public image of the same version has
 * it: the operator and the manifests of a stack give arguments only. Each is a layer of its own on the C library.
 */
export const monitoringLayers = {
  library: {
    prepare: (progress) => ensureTree(imageTree, progress),
    inputs: debianInputs,
    entries: async () => libraryEntries(),
  },
  // Debian's is built without what finds targets in Kubernetes: it refuses each configuration of the operator.
  prometheus: {
    prepare: (progress) => goBuild("prometheus", progress),
    inputs: () => sizeAndTime(binariesOf("prometheus")),
    entries: async () => [
      ...parentsOf("bin/prometheus"),
      ...binariesOf("prometheus").map((path) => executable(`bin/${basename(path)}`, path)),
    ],
  },
  alertmanager: programs(
    { "bin/alertmanager": "prometheus-alertmanager", "bin/amtool": "amtool" },
    // Debian's build reads its own templates from files.
    () => [only(tree, [`${templates}/default.tmpl`, `${templates}/email.tmpl`]), timeZoneEntries()],
  ),
  "node-exporter": programs({ "bin/node_exporter": "prometheus-node-exporter" }),
  "blackbox-exporter": programs({ "bin/blackbox_exporter": "prometheus-blackbox-exporter" }),
  "postgres-exporter": programs({ "bin/postgres_exporter": "prometheus-postgres-exporter" }),
  "redis-exporter": programs({ redis_exporter: "prometheus-redis-exporter" }),
} satisfies Record<string, LayerRecipe>;

interface MonitoringImage {
  readonly name: string;
  readonly layers: readonly (keyof typeof monitoringLayers)[];
  readonly config: ImageConfig;
}

const nobody = "65534:65534";

/** Named by their versions: `defaults.local.monitoring` in settings/environments.ts names the same. */
export const monitoringImages: readonly MonitoringImage[] = [
  image("prometheus:3.5", "prometheus", { user: nobody, entrypoint: ["/bin/prometheus"], ports: [9090] }),
  image("alertmanager:0.25", "alertmanager", { user: nobody, entrypoint: ["/bin/alertmanager"], ports: [9093] }),
  image("node-exporter:1.5", "node-exporter", { user: nobody, entrypoint: ["/bin/node_exporter"], ports: [9100] }),
  image("blackbox-exporter:0.23", "blackbox-exporter", {
    user: nobody,
    entrypoint: ["/bin/blackbox_exporter"],
    ports: [9115],
  }),
  image("postgres-exporter:0.11", "postgres-exporter", {
    user: nobody,
    entrypoint: ["/bin/postgres_exporter"],
    ports: [9187],
  }),
  image("redis-exporter:1.45", "redis-exporter", {
    user: "59000:59000",
    entrypoint: ["/redis_exporter"],
    ports: [9121],
  }),
];

function image(name: string, layer: keyof typeof monitoringLayers, config: ImageConfig): MonitoringImage {
  return { name: `golive.local/${name}`, layers: ["library", layer], config };
}

/** A layer of some programs of the tree, by where they are in the image, and of what they read. */
function programs(
  paths: Readonly<Record<string, string>>,
  more: () => readonly AsyncIterable<Entry>[] = () => [],
): LayerRecipe {
  return {
    prepare: (progress) => ensureTree(monitoringTree, progress),
    inputs: () => sizeAndTime(Object.values(paths).map(program)),
    async *entries() {
      yield* parentsOf(Object.keys(paths)[0] ?? "");
      for (const [path, name] of Object.entries(paths)) yield executable(path, program(name));
      for (const entries of more()) yield* entries;
    },
  };
}
