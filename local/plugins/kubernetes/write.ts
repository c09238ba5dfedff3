import { setTimeout as sleep } from "node:timers/promises";
import type { StatusLine } from "../rpc/engine-log.ts";
import { containsUnknown, type Properties, reveal } from "../rpc/properties.ts";
import type { Origin } from "./checkpoint.ts";
import { ApiError, conflictCauses } from "./client.ts";
import { type Cluster, KindMissing } from "./cluster.ts";
import type { Config } from "./config.ts";
import { annotation, called, type KubeObject, objectName, objectNamespace, withAt } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { createdByUs, createManager, keepIgnored, takeOver, unmanaged } from "./managed-fields.ts";
import { normalize } from "./normalize.ts";

export interface Target {
  readonly cluster: Cluster;
  readonly config: Config;
  readonly kind: Kind;
  readonly origin: Origin;
  readonly signal: AbortSignal;
  /** Shows a line while something is tried again. */
  readonly status: StatusLine;
}

const inClear = (properties: Properties) => reveal(properties) as KubeObject;

/** What a create would make, or the inputs themselves where the cluster cannot say yet. */
export async function previewCreate(told: Properties, target: Target): Promise<Properties> {
  const inputs = inClear(told);
  if (containsUnknown(inputs)) return told;
  try {
    const made = await create(await placed(inputs, target), true, target);
    return withAt(made, ["status"], undefined);
  } catch (error) {
    if (error instanceof KindMissing) return told;
    // Its namespace comes with this very run, the right to dry-run is missing, or a replacement has yet to make room.
    if (
      error instanceof ApiError &&
      (error.namespaceMissing || error.status === 403 || error.reason === "AlreadyExists")
    ) {
      return told;
    }
    throw refused("create", inputs, error);
  }
}

const tries = 6;

/** Creates an object. It is tried again for half a minute while its namespace or its kind is missing: they may be on their way. */
export async function createObject(told: Properties, target: Target): Promise<KubeObject> {
  const inputs = normalize(inClear(told));
  for (let tried = 1, pause = 1_000; ; tried += 1, pause *= 2) {
    try {
      return await create(await placed(inputs, target), false, target);
    } catch (error) {
      const missing = error instanceof KindMissing || (error instanceof ApiError && error.status === 404);
      if (!missing || tried === tries) throw refused("create", inputs, error);
      void target.status(`tried ${tried} of ${tries} times: ${error.message}`);
      await sleep(pause, undefined, { signal: target.signal });
    }
  }
}

// Check takes a custom resource for namespaced while its kind is not installed; here it is known.
async function placed(inputs: KubeObject, { cluster, kind }: Target): Promise<KubeObject> {
  const { namespaced } = await cluster.served(kind);
  return namespaced ? inputs : withAt(inputs, ["metadata", "namespace"], undefined);
}

function create(
  inputs: KubeObject,
  dryRun: boolean,
  { cluster, config, kind, origin, signal }: Target,
): Promise<KubeObject> {
  if (!config.upsert) return cluster.create(kind, inputs, { fieldManager: createManager, dryRun, signal });
  const force = forced(inputs, config) || dryRun;
  return cluster.apply(kind, inputs, { fieldManager: origin.fieldManager, dryRun, force, signal });
}

/** What an update would make; undefined where the cluster cannot say yet. */
export async function previewUpdate(
  told: Properties,
  ignored: readonly string[],
  target: Target,
): Promise<KubeObject | undefined> {
  if (containsUnknown(told)) return undefined;
  const inputs = normalize(inClear(told));
  try {
    const live = await present(inputs, target);
    // A dry run cannot take fields over first, so it must not stumble over those that are ours by the create.
    return await apply(inputs, live, ignored, true, createdByUs(live), target);
  } catch (error) {
    if (error instanceof KindMissing || (error instanceof ApiError && error.status === 403)) return undefined;
    throw refused("update", inputs, error);
  }
}

/** Applies new inputs to an object that exists; where they are refused, the object is as it was. */
export async function updateObject(
  told: Properties,
  ignored: readonly string[],
  target: Target,
): Promise<{ readonly applied: KubeObject; readonly refusal: Refused | undefined }> {
  const inputs = normalize(inClear(told));
  const live = await present(inputs, target).catch((error: unknown) => {
    throw refused("update", inputs, error);
  });
  try {
    const own = await takenOver(live, target);
    return { applied: await apply(inputs, own, ignored, false, false, target), refusal: undefined };
  } catch (error) {
    const refusal = refused("update", inputs, error);
    if (refusal instanceof Refused) return { applied: live, refusal };
    throw refusal;
  }
}

async function present(inputs: KubeObject, target: Target): Promise<KubeObject> {
  const object = await placed(inputs, target);
  return target.cluster.get(target.kind, objectNamespace(object), objectName(object), target.signal);
}

async function apply(
  inputs: KubeObject,
  live: KubeObject,
  ignored: readonly string[],
  dryRun: boolean,
  forceAnyway: boolean,
  target: Target,
): Promise<KubeObject> {
  const { cluster, config, kind, origin, signal } = target;
  const applied = keepIgnored(await placed(inputs, target), live, origin.fieldManager, ignored);
  const force = forceAnyway || forced(inputs, config) || unmanaged(live);
  return cluster.apply(kind, applied, { fieldManager: origin.fieldManager, dryRun, force, signal });
}

function forced(inputs: KubeObject, config: Config): boolean {
  return config.patchForce || annotation(inputs, "pulumi.com/patchForce") === "true";
}

// Controllers write at the same time; the patch is bound to what was read, and is made again on what they wrote.
async function takenOver(live: KubeObject, { cluster, kind, origin, signal }: Target): Promise<KubeObject> {
  let current = live;
  for (let tried = 1; ; tried += 1) {
    const patch = takeOver(current, origin.fieldManager);
    if (patch === undefined) return current;
    try {
      return await cluster.patch(kind, current, patch, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409 && tried < 5)) throw error;
      current = await cluster.get(kind, objectNamespace(current), objectName(current), signal);
    }
  }
}

/** An object that the API server would not take, in words that say what to do. */
export class Refused extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "Refused";
  }
}

function refused(verb: "create" | "update", object: KubeObject, error: unknown): unknown {
  if (error instanceof KindMissing) return new Refused(`cannot ${verb} ${called(object)}: ${error.message}`, error);
  if (!(error instanceof ApiError)) return error;
  const conflicts = conflictCauses(error);
  if (conflicts.length > 0) {
    const force =
      'set the annotation pulumi.com/patchForce: "true" to take the fields over, or leave them out of the program';
    return new Refused(
      `cannot ${verb} ${called(object)}: server-side apply conflict: another manager owns ${conflicts.join(", ")}; ${force}`,
      error,
    );
  }
  if (error.reason === "AlreadyExists") {
    return new Refused(
      `cannot create ${called(object)}: it already exists in the cluster, and this stack does not manage it. Adopt it with the ` +
        "resource option import, keep its identity with aliases after a rename, delete it, or set upsertExistingObjects on the provider",
      error,
    );
  }
  if (verb === "update" && error.status === 404) {
    return new Refused(`cannot update ${called(object)}: it is not found in the cluster; run pulumi refresh`, error);
  }
  return new Refused(`cannot ${verb} ${called(object)}: the API server refused it: ${error.message}`, error);
}
