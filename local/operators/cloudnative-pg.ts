import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../cli/progress.ts";
import { kubectl } from "../cluster/api.ts";
import { importImages } from "../cluster/runtime.ts";
import { moduleDirectory } from "../go/build.ts";
import { ensureImages } from "../images/images.ts";
import { operatorImages } from "../images/recipes.ts";

const version = "1.28.0";
const upstreamImage = `ghcr.io/cloudnative-pg/cloudnative-pg:${version}`;
const apply = ["apply", "--server-side", "--force-conflicts", "--filename"];

/** The CRDs alone: enough for an API server to judge what production declares. */
export async function installCloudNativePgTypes(): Promise<void> {
  const module = await moduleDirectory("cloudnative-pg", "github.com/cloudnative-pg/cloudnative-pg");
  await kubectl([...apply, join(module, "config", "crd", "bases")]);
  const plugin = await moduleDirectory("barman-cloud", "github.com/cloudnative-pg/plugin-barman-cloud");
  await kubectl([...apply, join(plugin, "config", "crd", "bases")]);
}

/** CloudNativePG as its release installs it, built from source, in the throw-away cluster; ready when this returns. */
export async function installCloudNativePg(progress: Progress): Promise<void> {
  const images = await ensureImages(progress, [operatorImages.cloudNativePg]);
  await importImages(images, progress);
  await installCloudNativePgTypes();
  const module = await moduleDirectory("cloudnative-pg", "github.com/cloudnative-pg/cloudnative-pg");
  const release = await readFile(join(module, "releases", `cnpg-${version}.yaml`), "utf8");
  await progress.stage("CloudNativePG operator", async () => {
    const ours = release
      .replaceAll(upstreamImage, operatorImages.cloudNativePg)
      // No registry has the image: it was imported.
      .replaceAll("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent");
    await kubectl([...apply, "-"], { input: ours });
    const deployment = "deployment/cnpg-controller-manager";
    await kubectl(["wait", "--namespace", "cnpg-system", "--for=condition=Available", "--timeout=120s", deployment]);
  });
}
