import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** Values as the engine sends them: JSON, and in it secrets and values that are not known yet. */
export type Value = null | boolean | number | string | Unknown | Secret | readonly Value[] | Properties;
export interface Properties {
  readonly [key: string]: Value;
}

/** A value that is only known once another resource exists. */
export class Unknown {
  /** Not read: it keeps an empty object from passing for an unknown value. */
  readonly kind = "unknown";
}
export const unknown = new Unknown();

/** A value that must never be shown, or stored in clear. */
export class Secret {
  readonly element: Value;

  constructor(element: Value) {
    this.element = element;
  }
}

// The wire protocol's marks: sdk/go/common/resource/plugin/rpc.go of the engine.
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknowns = new Set([
  unknownString,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

export function isProperties(value: Value | undefined): value is Properties {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown) &&
    !(value instanceof Secret)
  );
}

/** Reads a message's properties; none for a message without any. */
export function fromStruct(message: struct.Struct | undefined): Properties {
  if (message === undefined) return {};
  const properties = decode(message.toJavaScript() as Properties);
  return isProperties(properties) ? properties : {};
}

function decode(value: Value): Value {
  if (typeof value === "string") return unknowns.has(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(decode);
  if (!isProperties(value)) return value;
  const signature = value[signatureKey];
  if (signature === secretSignature) return new Secret(decode(value.value ?? null));
  if (signature !== undefined) {
    throw new Error("an asset, an archive or a resource was given as a property: these plugins take plain values only");
  }
  return mapProperties(value, decode);
}

/** Writes properties into a message, with their secrets and unknown values marked. */
export function toStruct(properties: Properties): struct.Struct {
  return struct.Struct.fromJavaScript(encode(properties) as Parameters<typeof struct.Struct.fromJavaScript>[0]);
}

function encode(value: Value): Value {
  if (value instanceof Unknown) return unknownString;
  if (value instanceof Secret) return { [signatureKey]: secretSignature, value: encode(value.element) };
  if (Array.isArray(value)) return value.map(encode);
  return isProperties(value) ? mapProperties(value, encode) : value;
}

export function mapProperties(properties: Properties, change: (value: Value) => Value): Properties {
  const result: Record<string, Value> = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value !== undefined) result[key] = change(value);
  }
  return result;
}

/** The same value in clear: secrets replaced by what they hold. */
export function reveal(value: Value): Value {
  if (value instanceof Secret) return reveal(value.element);
  if (Array.isArray(value)) return value.map(reveal);
  return isProperties(value) ? mapProperties(value, reveal) : value;
}

export function containsUnknown(value: Value): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret) return containsUnknown(value.element);
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isProperties(value) && Object.values(value).some(containsUnknown);
}

export function containsSecret(value: Value): boolean {
  if (value instanceof Secret) return true;
  if (Array.isArray(value)) return value.some(containsSecret);
  return isProperties(value) && Object.values(value).some(containsSecret);
}
