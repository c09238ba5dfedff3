import { createHash, randomBytes } from "node:crypto";
import type { Properties } from "../rpc/properties.ts";
import { withoutManagedFields } from "./cluster.ts";
import { annotation, apiVersionOf, type KubeObject, textAt } from "./json.ts";
import { markSecrets } from "./secrets.ts";

/** What a resource's state holds beside the live object. */
export interface Origin {
  /** The name under which the object's fields are applied. */
  readonly fieldManager: string;
  readonly initialApiVersion: string;
}

/** The origin that a state tells, or a new one. */
export function originOf(state: Properties, inputs: KubeObject, urn: string): Origin {
  const asked = annotation(inputs, "pulumi.com/patchFieldManager");
  const known = textAt(state, "__fieldManager");
  return {
    fieldManager: asked !== "" ? asked : known !== "" ? known : newManager(urn),
    initialApiVersion: textAt(state, "__initialApiVersion") || apiVersionOf(inputs),
  };
}

function newManager(urn: string): string {
  return `pulumi-kubernetes-${createHash("sha256").update(urn).update(randomBytes(16)).digest("hex").slice(0, 8)}`;
}

/** The state of a resource: the live object, its inputs, and what is secret in either marked as such. */
export function checkpoint(inputs: KubeObject, live: KubeObject, told: Properties, origin: Origin): Properties {
  return {
    ...markSecrets(withoutManagedFields(live), told),
    __inputs: markSecrets(inputs, told),
    __initialApiVersion: origin.initialApiVersion,
    __fieldManager: origin.fieldManager,
  };
}
