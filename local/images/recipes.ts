import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { ensureTree, imageTree } from "../debian/packages.ts";
import { goBuild } from "../go/build.ts";
import { places } from "../places.ts";
import { debianEntries, debianInputs, postgresEntries } from "./debian-layers.ts";
import { contentsOf } from "./inputs.ts";
import { binary, executable, type LayerRecipe, parentsOf, script } from "./layer.ts";
import { monitoringImages, monitoringLayers } from "./monitoring.ts";
import type { ImageConfig } from "./oci.ts";
import { buildPause, pauseBinary } from "./pause.ts";

export interface ImageRecipe {
  readonly name: string;
  readonly layers: readonly LayerName[];
  readonly config: ImageConfig;
}

export const systemImages = {
  pause: "golive.local/pause:3",
  coredns: "golive.local/coredns:1.13.1",
  traefik: "golive.local/traefik:3.5.4",
  volumes: "golive.local/volumes:2",
  prometheusOperator: "golive.local/prometheus-operator:0.85.0",
  prometheusConfigReloader: "golive.local/prometheus-config-reloader:0.85.0",
} as const;

/** Images of operators that some tests install; a cluster does without. */
export const operatorImages = { cloudNativePg: "golive.local/cloudnative-pg:1.28.0" } as const;

const taskflow = (["backend", "frontend"] as const).flatMap((service) =>
  (["1.0.0", "2.0.0"] as const).map((version) => ({
    service,
    version,
    name: `golive.local/taskflow-${service}:${version}`,
  })),
);

/** The images that the `local` stack names. A cluster of one's own must have them. */
export const stackImages: readonly string[] = [
  "golive.local/postgres:15",
  "golive.local/redis:7",
  "golive.local/node:24",
  ...monitoringImages.map(({ name }) => name),
  ...taskflow.map(({ name }) => name),
];

const files = join(import.meta.dirname, "files");
const operatorBinary = join(places.bin, "cloudnative-pg");
const goArchitecture = process.arch === "x64" ? "amd64" : process.arch;
const sampleDirectory = join(places.root, "local", "sample");

export const layerRecipes = {
  debian: {
    prepare: (progress) => ensureTree(imageTree, progress),
    inputs: debianInputs,
    entries: debianEntries,
  },
  node: { prepare: requireWholeNode, ...binary("usr/local/bin/node", process.execPath) },
  pause: { prepare: buildPause, ...binary("pause", pauseBinary) },
  coredns: { prepare: (progress) => goBuild("coredns", progress), ...binary("coredns", join(places.bin, "coredns")) },
  traefik: { prepare: (progress) => goBuild("traefik", progress), ...binary("traefik", join(places.bin, "traefik")) },
  "prometheus-operator": operator("operator", "prometheus-operator"),
  "prometheus-config-reloader": operator("prometheus-config-reloader", "prometheus-config-reloader"),
  "cloudnative-pg": {
    prepare: (progress) => goBuild("cloudnative-pg", progress),
    inputs: binary("manager", operatorBinary).inputs,
    // The operator looks for itself under this name when it copies itself into the pods of an instance.
    entries: async () => [
      { kind: "directory", path: "operator", mode: 0o755 },
      executable(`operator/manager_${goArchitecture}`, operatorBinary),
      { kind: "link", path: "manager", target: `operator/manager_${goArchitecture}` },
    ],
  },
  postgres: {
    inputs: () => contentsOf([join(files, "postgres-entrypoint.sh")]),
    entries: async () => [
      ...(await postgresEntries()),
      executable("usr/local/bin/postgres-entrypoint.sh", join(files, "postgres-entrypoint.sh")),
    ],
  },
  redis: script("usr/local/bin/redis-entrypoint.sh", join(files, "redis-entrypoint.sh")),
  volumes: script("app/main.ts", join(places.root, "local", "cluster", "volume-provisioner.ts")),
  backend: sample("backend"),
  frontend: sample("frontend"),
  ...monitoringLayers,
} satisfies Record<string, LayerRecipe>;

export type LayerName = keyof typeof layerRecipes;

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const imageRecipes: readonly ImageRecipe[] = [
  { name: systemImages.pause, layers: ["pause"], config: { user: "65535:65535", entrypoint: ["/pause"] } },
  { name: systemImages.coredns, layers: ["coredns"], config: { user: "65532:65532", entrypoint: ["/coredns"] } },
  { name: systemImages.traefik, layers: ["traefik"], config: { user: "65532:65532", entrypoint: ["/traefik"] } },
  {
    name: systemImages.volumes,
    layers: ["debian", "node", "volumes"],
    config: { user: "0:0", env: { PATH: path }, entrypoint: ["node", "/app/main.ts"] },
  },
  {
    name: systemImages.prometheusOperator,
    layers: ["prometheus-operator"],
    config: { user: "65534:65534", entrypoint: ["/bin/operator"] },
  },
  {
    name: systemImages.prometheusConfigReloader,
    layers: ["prometheus-config-reloader"],
    config: { user: "65534:65534", entrypoint: ["/bin/prometheus-config-reloader"] },
  },
  {
    name: operatorImages.cloudNativePg,
    layers: ["cloudnative-pg"],
    config: { user: "65532:65532", entrypoint: ["/manager"] },
  },
  {
    name: "golive.local/postgres:15",
    layers: ["debian", "postgres"],
    config: {
      user: "999:999",
      env: {
        PATH: `/usr/lib/postgresql/15/bin:${path}`,
        LANG: "C.UTF-8",
        PG_MAJOR: "15",
        PGDATA: "/var/lib/postgresql/data",
      },
      entrypoint: ["postgres-entrypoint.sh"],
      command: ["postgres"],
      ports: [5432],
      // SIGTERM would wait for every client to leave (PostgreSQL's "smart" shutdown).
      stopSignal: "SIGINT",
    },
  },
  {
    name: "golive.local/redis:7",
    layers: ["debian", "redis"],
    config: {
      user: "999:999",
      env: { PATH: path },
      entrypoint: ["redis-entrypoint.sh"],
      command: ["redis-server"],
      directory: "/data",
      ports: [6379],
    },
  },
  {
    // Gives its Node to containers of other images: programs run beside the tools of PostgreSQL.
    name: "golive.local/node:24",
    layers: ["debian", "node"],
    config: { user: "1000:1000", env: { PATH: path }, command: ["node"] },
  },
  ...monitoringImages,
  ...taskflow.map(
    ({ service, version, name }): ImageRecipe => ({
      name,
      layers: ["debian", "node", service],
      config: {
        user: "1000:1000",
        env: { PATH: path, APP_VERSION: version },
        command: ["node", "/app/main.mjs"],
        directory: "/app",
        ports: [3000],
      },
    }),
  ),
];

/** One of the two programs of the Prometheus operator, where its own image has it. */
function operator(name: string, built: string): LayerRecipe {
  const prepare = (progress: Progress) => goBuild("prometheus-operator", progress);
  return { prepare, ...binary(`bin/${name}`, join(places.bin, built)) };
}

function sample(service: "backend" | "frontend"): LayerRecipe {
  return {
    async inputs() {
      const found = await readdir(sampleDirectory, { recursive: true, withFileTypes: true });
      const sources = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      return await contentsOf([...sources.sort(), join(places.root, "package-lock.json")]);
    },
    async entries() {
      // Loaded only when the sample changed: it brings a bundler with it.
      const { bundleSample } = await import("../sample/bundle.ts");
      const content = (await bundleSample())[service];
      return [...parentsOf("app/main.mjs"), { kind: "file", path: "app/main.mjs", mode: 0o644, content }];
    },
  };
}

/** Some distributions build Node as a small program and a library: that one does not run in an image. */
async function requireWholeNode(): Promise<void> {
  const { node_shared: shared } = process.config.variables as { readonly node_shared?: boolean };
  if (shared !== true) return;
  throw new Failure(
    `${process.execPath} needs libraries of this machine, and the images take this Node along; put an official build of Node 24 first on PATH`,
    2,
  );
}
