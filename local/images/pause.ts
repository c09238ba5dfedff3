import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere } from "../files.ts";
import { requireGo } from "../go/build.ts";
import { places } from "../places.ts";
import { run } from "../run.ts";
import { contentsOf } from "./inputs.ts";

/** The program of the image that holds a pod's namespaces open. */
export const pauseBinary = join(places.images, "pause");

export async function buildPause(): Promise<void> {
  const source = join(import.meta.dirname, "pause");
  const wanted = await contentsOf([join(source, "main.go"), join(source, "go.mod")]);
  const stamp = `${pauseBinary}.stamp`;
  if ((await readIfThere(stamp)) === wanted) return;
  await requireGo();
  await run("go", ["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", pauseBinary, "."], {
    cwd: source,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" },
  });
  await writeFile(stamp, wanted);
}
