import { containsUnknown, isProperties, type Value } from "../rpc/properties.ts";
import { at, type KubeObject, kindOf, withAt, withoutNulls } from "./json.ts";

const readOnly = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

/**
 * An object in the form in which the cluster will show it, so that the same thing said in two ways is no difference:
 * no nulls, no read-only fields, and a Secret's `stringData` as `data`.
 */
export function normalize(object: KubeObject): KubeObject {
  const given = withoutNulls(object) as KubeObject;
  const writable = readOnly.reduce((it, field) => withAt(it, ["metadata", field], undefined), given);
  return kindOf(writable) === "Secret" && !containsUnknown(writable) ? encodedSecret(writable) : writable;
}

function encodedSecret(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  if (!isProperties(stringData)) return withCanonicalData(secret);
  const data = at(rest, "data");
  const encoded = Object.entries(stringData).map(([key, value]) => [key, base64(value)]);
  return withCanonicalData({ ...rest, data: { ...(isProperties(data) ? data : {}), ...Object.fromEntries(encoded) } });
}

// The API server decodes and encodes again, which drops line breaks.
function withCanonicalData(secret: KubeObject): KubeObject {
  const data = at(secret, "data");
  if (!isProperties(data)) return secret;
  const canonical = Object.entries(data).map(([key, value]) => [
    key,
    typeof value === "string" && /\s/.test(value) ? Buffer.from(value, "base64").toString("base64") : value,
  ]);
  return { ...secret, data: Object.fromEntries(canonical) };
}

const base64 = (value: Value) => Buffer.from(String(value)).toString("base64");
