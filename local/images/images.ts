import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../cli/progress.ts";
import { ensureTree, imageTree } from "../debian/packages.ts";
import { readIfThere, writeWhole } from "../files.ts";
import { goBuild, requireGo } from "../go/build.ts";
import { places } from "../places.ts";
import { run } from "../run.ts";
import { type BuiltImage, type Descriptor, Layout } from "./oci.ts";
import { contentsOf, imageRecipes, type LayerName, type LayerRecipe, layerRecipes, pauseBinary } from "./recipes.ts";

/** Changes whenever a recipe would give another layer from the same inputs. */
const edition = 2;

export const layout = new Layout(places.images);

/** Builds what changed of the cluster's images, and gives all of them. */
export async function ensureImages(progress: Progress): Promise<readonly BuiltImage[]> {
  await goBuild("coredns", progress);
  await goBuild("traefik", progress);
  await ensureTree(imageTree, progress);
  await buildPause();
  const layers = await ensureLayers(progress);
  const images: BuiltImage[] = [];
  for (const { name, layers: names, config } of imageRecipes) {
    const parts = names.map((layer) => layers.get(layer)).filter((part) => part !== undefined);
    images.push(await layout.image(name, parts, config));
  }
  await removeOldBlobs(images);
  return images;
}

const layerRecord = join(places.images, "layers.json");

async function ensureLayers(progress: Progress): Promise<Map<LayerName, Descriptor>> {
  const known = await knownLayers();
  const current = new Map<string, Descriptor>();
  const layers = new Map<LayerName, Descriptor>();
  for (const [name, recipe] of Object.entries(layerRecipes) as [LayerName, LayerRecipe][]) {
    const key = `${name} ${edition} ${await recipe.inputs()}`;
    const make = async () => await layout.layer(await recipe.entries());
    const descriptor = known.get(key) ?? (await progress.stage(`image layer ${name}`, make));
    layers.set(name, descriptor);
    current.set(key, descriptor);
  }
  await writeWhole(layerRecord, JSON.stringify([...current], undefined, 1));
  return layers;
}

async function knownLayers(): Promise<Map<string, Descriptor>> {
  const text = (await readIfThere(layerRecord)) ?? "[]";
  const present = new Map<string, Descriptor>();
  for (const [key, descriptor] of JSON.parse(text) as [string, Descriptor][]) {
    if (await layout.holds(descriptor)) present.set(key, descriptor);
  }
  return present;
}

async function removeOldBlobs(images: readonly BuiltImage[]): Promise<void> {
  const needed = new Set(images.flatMap(({ blobs }) => blobs.map(({ digest }) => layout.blobOf(digest))));
  const directory = join(layout.directory, "blobs", "sha256");
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (!needed.has(path)) await rm(path, { force: true });
  }
}

async function buildPause(): Promise<void> {
  const source = join(import.meta.dirname, "pause");
  const wanted = await contentsOf([join(source, "main.go"), join(source, "go.mod")]);
  const stamp = `${pauseBinary}.stamp`;
  if ((await readIfThere(stamp)) === wanted) return;
  await requireGo();
  await run("go", ["build", "-trimpath", "-ldflags", "-s -w", "-o", pauseBinary, "."], {
    cwd: source,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" },
  });
  await writeFile(stamp, wanted);
}
