/** The part of ASN.1's distinguished encoding that an X.509 certificate needs. */

const tags = { boolean: 1, integer: 2, bits: 3, octets: 4, oid: 6, utf8: 12, time: 23, sequence: 48, set: 49 } as const;

export function tlv(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = bigEndian(length);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function bigEndian(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}

export const sequence = (...items: Uint8Array[]) => tlv(tags.sequence, Buffer.concat(items));
export const set = (...items: Uint8Array[]) => tlv(tags.set, Buffer.concat(items));
export const octets = (content: Uint8Array) => tlv(tags.octets, content);
export const utf8 = (text: string) => tlv(tags.utf8, Buffer.from(text, "utf8"));
export const yes = () => tlv(tags.boolean, Buffer.from([0xff]));
/** A bit string; `unused` is how many of the last byte's bits do not count. */
export const bits = (content: Uint8Array, unused = 0) => tlv(tags.bits, Buffer.from([unused, ...content]));
/** A context-specific tag that wraps another value. */
export const wrapped = (number: number, content: Uint8Array) => tlv(0xa0 | number, content);
/** A context-specific tag that stands in for a primitive value's own. */
export const instead = (number: number, content: Uint8Array) => tlv(0x80 | number, content);

/** A positive integer from its bytes, most significant first. */
export function integer(value: Uint8Array): Buffer {
  const first = value[0] ?? 0;
  // A leading one bit would read as a minus sign.
  return tlv(tags.integer, first >= 0x80 ? Buffer.from([0, ...value]) : value);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tlv(tags.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

/** A moment before 2050, to the second: from then on X.509 wants another form. */
export function time(at: Date): Buffer {
  return tlv(tags.time, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`, "ascii"));
}
