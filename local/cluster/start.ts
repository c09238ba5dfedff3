import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { ensureHostTools } from "../debian/host-tools.ts";
import { readIfThere, writeWhole } from "../files.ts";
import { gateway } from "../gateway.ts";
import { goBuild, moduleDirectory } from "../go/build.ts";
import { ensureImages } from "../images/images.ts";
import type { BuiltImage } from "../images/oci.ts";
import { systemImages } from "../images/recipes.ts";
import { places } from "../places.ts";
import { kubectl, waitForApi } from "./api.ts";
import { apiServer, controllerManager, etcd, scheduler } from "./control-plane.ts";
import { writeKubeconfigs } from "./kubeconfig.ts";
import { clusterDirs } from "./layout.ts";
import { observeMachine, prepareMachine } from "./machine.ts";
import { systemManifests } from "./manifests.ts";
import { installMonitoringTypes } from "./monitoring-operator.ts";
import { containerd, kubelet, kubeProxy, nodeFiles } from "./node-config.ts";
import { readOwner, writeOwner } from "./owner.ts";
import { ensurePki } from "./pki.ts";
import { ensureRunning, logOf, processNames, running } from "./processes.ts";
import { importImages, waitForRuntime } from "./runtime.ts";

/** Builds and unpacks all that the cluster is made of; made once, and again when its pins change. */
export async function buildCluster(progress: Progress): Promise<void> {
  await goBuild("etcd", progress);
  await goBuild("kubernetes", progress);
  await ensureHostTools(progress);
}

/** Starts what does not run of this clone's cluster, and brings what runs in it up to date. */
export async function startCluster(progress: Progress): Promise<void> {
  const images = await ensureImages(progress);
  await prepare();
  await ensureRunning(etcd());
  await ensureRunning(apiServer());
  await Promise.all([
    progress.stage("control plane", startControlPlane),
    progress.stage("node", (stage) => startNode(images, stage)),
  ]);
  await progress.stage("gateway, names, volumes, monitoring", () => whileAllRun(waitForSystem));
}

async function prepare(): Promise<void> {
  if ((await readOwner()) === undefined) await writeOwner({ clone: places.root, before: await observeMachine() });
  for (const directory of [clusterDirs.config, clusterDirs.volumes]) await mkdir(directory, { recursive: true });
  await mkdir(clusterDirs.etcd, { recursive: true, mode: 0o700 });
  await ensurePki();
  await writeKubeconfigs();
  await prepareMachine();
  for (const [name, text] of Object.entries(nodeFiles())) {
    const file = join(clusterDirs.config, name);
    await mkdir(dirname(file), { recursive: true });
    await writeWhole(file, text);
  }
}

async function startControlPlane(): Promise<void> {
  await waitForApi();
  await ensureRunning(controllerManager());
  await ensureRunning(scheduler());
  await ensureRunning(kubeProxy());
  await installSystem();
}

async function startNode(images: readonly BuiltImage[], progress: Progress): Promise<void> {
  const runtime = await ensureRunning(containerd());
  await waitForRuntime();
  // What the cluster itself runs comes first: its pods start while the images of the stack are still imported.
  const [ofSystem, others] = divided(images);
  await importImages(ofSystem, progress);
  await waitForApi();
  await ensureRunning(kubelet(runtime));
  await importImages(others, progress);
}

function divided(images: readonly BuiltImage[]): [BuiltImage[], BuiltImage[]] {
  const names: readonly string[] = Object.values(systemImages);
  return [images.filter(({ name }) => names.includes(name)), images.filter(({ name }) => !names.includes(name))];
}

/** Tells which manifests the cluster was given last. */
const systemStamp = join(places.cluster, "system");

async function installSystem(): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: systemManifests() });
  const wanted = createHash("sha256").update(list).digest("hex");
  if ((await readIfThere(systemStamp)) === wanted) return;
  await Promise.all([installGatewayTypes(), installMonitoringTypes()]);
  await kubectl([...apply, "-"], { input: list });
  await writeFile(systemStamp, wanted);
}

const apply = ["apply", "--server-side", "--force-conflicts", "--filename"];

async function installGatewayTypes(): Promise<void> {
  const module = await moduleDirectory("traefik", "sigs.k8s.io/gateway-api");
  await kubectl([...apply, join(module, "config", "crd", "standard")]);
}

async function waitForSystem(): Promise<void> {
  const wait = (namespace: string, condition: string, object: string) =>
    kubectl(["wait", "--namespace", namespace, `--for=condition=${condition}`, "--timeout=90s", object]);
  const deployments = systemManifests().filter(({ kind }) => kind === "Deployment");
  const names = deployments.map(({ metadata }) => metadata as { readonly name: string; readonly namespace: string });
  await Promise.all([
    ...names.map(({ name, namespace }) => wait(namespace, "Available", `deployment/${name}`)),
    wait(gateway.namespace, "Programmed", `gateway/${gateway.name}`),
  ]);
}

/** Does something that needs every process of the cluster; one that ends meanwhile is told at once, with its last words. */
async function whileAllRun(work: () => Promise<void>): Promise<void> {
  const done = new AbortController();
  const watch = async () => {
    while (!done.signal.aborted) {
      for (const name of processNames) {
        if ((await running(name)) === undefined) throw new Failure(await lastWords(name));
      }
      await sleep(500);
    }
  };
  try {
    await Promise.race([work(), watch()]);
  } finally {
    done.abort();
  }
}

async function lastWords(name: string): Promise<string> {
  const lines = ((await readIfThere(logOf(name))) ?? "").trim().split("\n").slice(-5);
  return `${name} ended by itself; the end of ${logOf(name)}:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
