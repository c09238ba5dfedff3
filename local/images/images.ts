import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../cli/progress.ts";
import { readIfThere, writeWhole } from "../files.ts";
import { places } from "../places.ts";
import type { LayerRecipe } from "./layer.ts";
import { type BuiltImage, type Descriptor, Layout } from "./oci.ts";
import { type ImageRecipe, imageRecipes, type LayerName, layerRecipes, operatorImages } from "./recipes.ts";

/** Changes whenever a recipe would give another layer from the same inputs. */
const edition = 3;

export const layout = new Layout(places.images);

const onDemand: readonly string[] = Object.values(operatorImages);

/** Builds what changed of the cluster's images, and gives them: all but the operators', or those that are named. */
export async function ensureImages(progress: Progress, names?: readonly string[]): Promise<readonly BuiltImage[]> {
  const recipes = imageRecipes.filter(({ name }) => names?.includes(name) ?? !onDemand.includes(name));
  const layers = await ensureLayers(recipes, progress);
  const images: BuiltImage[] = [];
  for (const recipe of recipes) {
    const parts = recipe.layers.map((name) => layers.get(name)?.descriptor).filter((part) => part !== undefined);
    images.push(await layout.image(recipe.name, parts, recipe.config));
  }
  await removeOldBlobs(images, [...layers.values()]);
  return images;
}

/** A layer that is there, and what it was made from. */
interface Made {
  readonly inputs: string;
  readonly descriptor: Descriptor;
}

const layerRecord = join(places.images, "layers.json");

/** All layers that are there, those that the recipes need among them. */
async function ensureLayers(recipes: readonly ImageRecipe[], progress: Progress): Promise<Map<LayerName, Made>> {
  const layers = new Map(JSON.parse((await readIfThere(layerRecord)) ?? "[]") as [LayerName, Made][]);
  for (const name of new Set(recipes.flatMap((recipe) => recipe.layers))) {
    const recipe: LayerRecipe = layerRecipes[name];
    await recipe.prepare?.(progress);
    const inputs = `${edition} ${await recipe.inputs()}`;
    const made = layers.get(name);
    if (made?.inputs === inputs && (await layout.holds(made.descriptor))) continue;
    const make = async () => await layout.layer(await recipe.entries());
    layers.set(name, { inputs, descriptor: await progress.stage(`image layer ${name}`, make) });
  }
  await writeWhole(layerRecord, JSON.stringify([...layers], undefined, 1));
  return layers;
}

async function removeOldBlobs(images: readonly BuiltImage[], layers: readonly Made[]): Promise<void> {
  const needed = [...images.flatMap(({ blobs }) => blobs), ...layers.map(({ descriptor }) => descriptor)];
  const kept = new Set(needed.map(({ digest }) => layout.blobOf(digest)));
  const directory = join(layout.directory, "blobs", "sha256");
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (!kept.has(path)) await rm(path, { force: true });
  }
}
