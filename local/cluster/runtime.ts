import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { hostTools } from "../debian/host-tools.ts";
import { layout } from "../images/images.ts";
import { type BuiltImage, writeArchive } from "../images/oci.ts";
import { places } from "../places.ts";
import { outcomeOf, run } from "../run.ts";
import { sockets } from "./layout.ts";
import { logOf } from "./processes.ts";

const ctr = ["--address", sockets.containerd, "--namespace", "k8s.io"];

export async function waitForRuntime(): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const outcome = await outcomeOf(hostTools.ctr, [...ctr, "version"]);
    if (outcome.code === 0) return;
    if (performance.now() > deadline) {
      throw new Failure(`containerd does not answer after 30 s: ${outcome.stderr.trim()}\nSee ${logOf("containerd")}`);
    }
    await sleep(100);
  }
}

/** Imports the images that the node does not have, or has in another version. */
export async function importImages(images: readonly BuiltImage[], progress: Progress): Promise<void> {
  const present = await presentImages();
  const missing = images.filter(({ name, manifest }) => present.get(name) !== manifest.digest);
  if (missing.length === 0) return;
  await progress.stage(`import ${missing.length} images`, async () => {
    const archive = join(places.images, "archive.tar");
    await writeArchive(archive, layout, missing, await presentBlobs());
    await run(hostTools.ctr, [...ctr, "images", "import", archive]);
    await rm(archive);
  });
}

/** A layer of hundreds of megabytes that another image brought is not written again. */
async function presentBlobs(): Promise<ReadonlySet<string>> {
  return new Set((await run(hostTools.ctr, [...ctr, "content", "list", "--quiet"])).trim().split("\n"));
}

async function presentImages(): Promise<Map<string, string>> {
  const text = await run(hostTools.ctr, [...ctr, "images", "list"]);
  const rows = text.trim().split("\n").slice(1);
  return new Map(
    rows.map((row): [string, string] => {
      const [name = "", , digest = ""] = row.split(/\s+/);
      return [name, digest];
    }),
  );
}
