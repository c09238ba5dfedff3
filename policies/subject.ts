import type { Subject } from "./rule.ts";
import { readable } from "./unknown.ts";

/** What CrossGuard hands over of a resource, as far as it is needed here: for one resource and for a whole stack alike. */
export interface Declared {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly opts: { readonly protect: boolean };
}

/**
 * A declared resource, as the rules see it. Its inputs are copied when the first rule reads them: most rules look at the type and turn
 * away, and CrossGuard asks each of them about each resource.
 */
export function subjectOf({ urn, type, name, props, opts }: Declared): Subject {
  let copy: Subject["object"] | undefined;
  return {
    ...{ urn, type, name, protect: opts.protect },
    get object() {
      copy ??= readable(urn, props);
      return copy;
    },
  };
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

/** A plain Kubernetes object, as it stands in a YAML file, as if the program declared it under its own name. */
export function subjectOfManifest(object: object, protect = false): Subject {
  const { apiVersion, kind, metadata } = object as Manifest;
  const type = `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
  const name = [metadata?.namespace, metadata?.name ?? "unnamed"].filter((part) => part !== undefined).join("/");
  const urn = `urn:pulumi:manifest::golive::${type}::${name}`;
  return { urn, type, name, object: readable(urn, { ...object }), protect };
}

/**
 * The kind of a Kubernetes object, from Pulumi's type: `Deployment`; undefined for a resource of another provider. A patch writes the
 * fields of its object, and is judged as one.
 */
export function kindOf({ type }: Pick<Subject, "type">): string | undefined {
  return type.startsWith("kubernetes:") ? type.slice(type.lastIndexOf(":") + 1).replace(/Patch$/, "") : undefined;
}
