import { isProperties, mapProperties, type Properties, Unknown, type Value } from "../rpc/properties.ts";

/** A Kubernetes object in clear: the engine's properties without secrets. Values may still be unknown in a preview. */
export type KubeObject = Properties;

/** The value at a path of keys; undefined when any of them is missing. */
export function at(value: Value | undefined, ...path: readonly string[]): Value | undefined {
  let here = value;
  for (const key of path) here = isProperties(here) ? here[key] : undefined;
  return here;
}

export function textAt(value: Value | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

export function numberAt(value: Value | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

export function listAt(value: Value | undefined, ...path: readonly string[]): readonly Value[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** A copy with one value set, or removed when it is undefined; maps on the way are made when they are missing. */
export function withAt(object: Properties, path: readonly string[], value: Value | undefined): Properties {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  const { [key]: inner, ...others } = object;
  if (rest.length === 0) return value === undefined ? others : { ...object, [key]: value };
  if (inner === undefined && value === undefined) return object;
  // What is unknown, or no map, cannot be changed inside.
  if (inner !== undefined && !isProperties(inner)) return object;
  return { ...object, [key]: withAt(inner ?? {}, rest, value) };
}

export const kindOf = (object: KubeObject) => textAt(object, "kind");
export const apiVersionOf = (object: KubeObject) => textAt(object, "apiVersion");
export const objectName = (object: KubeObject) => textAt(object, "metadata", "name");
export const objectNamespace = (object: KubeObject) => textAt(object, "metadata", "namespace");
export const annotation = (object: KubeObject, key: string) => textAt(object, "metadata", "annotations", key);

/** An object as a person calls it: `Deployment staging/taskflow-backend-blue`. */
export function called(object: KubeObject): string {
  return `${kindOf(object)} ${objectId(object)}`;
}

/** An object's id in the state: `namespace/name`, or the name alone. */
export function objectId(object: KubeObject): string {
  const namespace = objectNamespace(object);
  return namespace === "" ? objectName(object) : `${namespace}/${objectName(object)}`;
}

/**
 * What a live object says about the fields that its inputs name: everything else belongs to the cluster.
 * In a list the elements are matched by position, as they are in an apply.
 */
export function prune(live: Value, shape: Value): Value {
  if (isProperties(live) && isProperties(shape)) {
    const result: Record<string, Value> = {};
    for (const [key, inner] of Object.entries(shape)) {
      const value = live[key];
      if (value !== undefined) result[key] = prune(value, inner);
    }
    return result;
  }
  if (Array.isArray(live) && Array.isArray(shape)) {
    return live.map((value, index) => (index < shape.length ? prune(value, shape[index] ?? null) : value));
  }
  return live;
}

/** Without the fields that are null, which is how a program says "not given". */
export function withoutNulls(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isProperties(value)) return value;
  const given = Object.entries(value).filter(([, inner]) => inner !== null);
  return mapProperties(Object.fromEntries(given), withoutNulls);
}

/** Whether two values are the same; an unknown value is like no other. */
export function same(left: Value | undefined, right: Value | undefined): boolean {
  if (left === right) return true;
  if (left instanceof Unknown || right instanceof Unknown) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => same(value, right[index]));
  }
  if (isProperties(left) && isProperties(right)) {
    const keys = Object.keys(left);
    return keys.length === Object.keys(right).length && keys.every((key) => same(left[key], right[key]));
  }
  return false;
}
