import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { bits, instead, integer, octets, oid, sequence, set, time, utf8, wrapped, yes } from "./der.ts";

/** Who a certificate speaks for. Kubernetes reads the common name as the user, the organization as the group. */
export interface Subject {
  readonly name: string;
  readonly group?: string;
}

export interface Request {
  readonly subject: Subject;
  /** Host names and IPv4 addresses that a server with this certificate answers at. Default: none. */
  readonly hosts?: readonly string[];
  readonly validDays: number;
}

/** A key and its certificate, both PEM. */
export interface Signed {
  readonly key: string;
  readonly certificate: string;
}

interface Authority extends Signed {
  readonly subject: Subject;
  readonly privateKey: KeyObject;
}

const ids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
} as const;

/** A new authority that signs itself. */
export function authority(name: string, validDays: number): Authority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const subject = { name };
  const extensions = [
    extension(ids.basicConstraints, sequence(yes()), true),
    extension(ids.keyUsage, bits(Buffer.from([0b0000_0110]), 1), true), // keyCertSign, cRLSign
  ];
  const certificate = signed({ subject, publicKey, extensions, validDays }, subject, privateKey);
  return { subject, privateKey, key: pemKey(privateKey), certificate };
}

/** A key with a certificate of this authority, for a client and a server. */
export function issue(by: Authority, request: Request): Signed {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const hosts = request.hosts ?? [];
  const extensions = [
    extension(ids.keyUsage, bits(Buffer.from([0b1000_0000]), 7), true), // digitalSignature
    extension(ids.extendedKeyUsage, sequence(oid(ids.client), oid(ids.server))),
    ...(hosts.length > 0 ? [extension(ids.alternativeNames, sequence(...hosts.map(alternativeName)))] : []),
  ];
  const body = { subject: request.subject, publicKey, extensions, validDays: request.validDays };
  return { key: pemKey(privateKey), certificate: signed(body, by.subject, by.privateKey) };
}

interface Body {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly validDays: number;
}

function signed(body: Body, issuer: Subject, key: KeyObject): string {
  const algorithm = sequence(oid(ids.ecdsaWithSha256));
  const hour = 3_600_000;
  // A clock that is set back a little must not make a new certificate invalid.
  const from = Date.now() - hour;
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const contents = sequence(
    wrapped(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    distinguishedName(issuer),
    sequence(time(new Date(from)), time(new Date(from + body.validDays * 24 * hour))),
    distinguishedName(body.subject),
    body.publicKey.export({ type: "spki", format: "der" }),
    wrapped(3, sequence(...body.extensions)),
  );
  return pem("CERTIFICATE", sequence(contents, algorithm, bits(sign("sha256", contents, key))));
}

function distinguishedName({ name, group }: Subject): Buffer {
  const attribute = (id: string, value: string) => set(sequence(oid(id), utf8(value)));
  return sequence(
    ...(group === undefined ? [] : [attribute(ids.organization, group)]),
    attribute(ids.commonName, name),
  );
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(value));
}

function alternativeName(host: string): Buffer {
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(host);
  return isAddress ? instead(7, Buffer.from(host.split(".").map(Number))) : instead(2, Buffer.from(host, "ascii"));
}

const pemKey = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
