import { createHash, randomBytes } from "node:crypto";
import { Unknown } from "../rpc/properties.ts";
import { at, type KubeObject, textAt, withAt } from "./json.ts";

export const autonamed = "pulumi.com/autonamed";

/** How the engine is configured to name: its own proposal, or no names at all. */
export interface Naming {
  readonly proposed: string | undefined;
  readonly disabled: boolean;
  /** The same seed gives the same name, so that an update does what its preview said. */
  readonly seed: Uint8Array;
}

export function isNamed(object: KubeObject): boolean {
  const name = at(object, "metadata", "name");
  return name instanceof Unknown || (typeof name === "string" && name !== "");
}

export const isAutonamed = (object: KubeObject) => textAt(object, "metadata", "annotations", autonamed) === "true";

/** Names an object that has no name after its resource, with eight random characters, and says so in an annotation. */
export function withName(object: KubeObject, resourceName: string, naming: Naming): KubeObject {
  if (isNamed(object)) return object;
  if (naming.disabled) throw new Error("autonaming is disabled: give metadata.name");
  return named(object, naming.proposed ?? `${resourceName}-${suffix(naming.seed, resourceName)}`);
}

/** Keeps the name that an object was given before. */
export function withOldName(object: KubeObject, old: KubeObject): KubeObject {
  return !isNamed(object) && isAutonamed(old) ? named(object, textAt(old, "metadata", "name")) : object;
}

function named(object: KubeObject, name: string): KubeObject {
  return withAt(withAt(object, ["metadata", "name"], name), ["metadata", "annotations", autonamed], "true");
}

function suffix(seed: Uint8Array, name: string): string {
  const bytes = seed.length === 0 ? randomBytes(4) : createHash("sha256").update(seed).update(name).digest();
  return bytes.subarray(0, 4).toString("hex");
}
