import { createCipheriv, createDecipheriv, type Hash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { Problem } from "../problem.ts";
import type { BackupKey } from "./key.ts";

/**
 * The format of a backup file, version 1. Head: "golive-b", the version as one byte, 16 bytes of salt, 16 bytes that prove
 * the key. Then boxes of AES-256-GCM, each 64 KiB of the dump (the last one: what is left, perhaps nothing) and its tag of
 * 16 bytes. The key of a file is derived from the stack's key and the salt; the nonce of a box is its number and whether
 * it is the last. So a box that is changed, missing, moved or taken from another file is noticed, and so is a cut between
 * two boxes: the one that is last then does not say that it is.
 */
const magic = Buffer.from("golive-b");
const version = 1;
const saltBytes = 16;
const proofBytes = 16;
export const headBytes = magic.length + 1 + saltBytes + proofBytes;
export const boxBytes = 64 * 1024;
export const tagBytes = 16;
const cipher = "aes-256-gcm";

/** Encrypts a dump on its way to a file. */
export async function* seal(dump: AsyncIterable<Buffer>, key: BackupKey): AsyncGenerator<Buffer> {
  const salt = randomBytes(saltBytes);
  const { fileKey, proof } = derive(key, salt);
  const head = Buffer.concat([magic, Buffer.from([version]), salt, proof]);
  yield head;
  let number = 0;
  const box = (content: Buffer, last: boolean) => {
    const sealing = createCipheriv(cipher, fileKey, nonce(number++, last)).setAAD(head);
    return Buffer.concat([sealing.update(content), sealing.final(), sealing.getAuthTag()]);
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of dump) {
    rest = Buffer.concat([rest, piece]);
    // A full box is held back until more comes: only the end shows which one is the last.
    let at = 0;
    for (; rest.length - at > boxBytes; at += boxBytes) yield box(rest.subarray(at, at + boxBytes), false);
    rest = rest.subarray(at);
  }
  yield box(rest, true);
}

export interface Unsealing {
  /** Gets every byte of the file as it is read. Default: nobody does. */
  readonly digest?: Hash;
}

/**
 * The dump in a backup file. A piece comes out only when it is proven, but what follows may still be bad: the dump is good
 * when the end was reached.
 * @throws Problem that names the file: it is cut short, changed, of another key, or no backup.
 */
export async function* unseal(path: string, key: BackupKey, { digest }: Unsealing = {}): AsyncGenerator<Buffer> {
  const file = await openBackup(path);
  try {
    const { size } = await file.stat();
    const head = await read(file, 0, Math.min(headBytes, size));
    digest?.update(head);
    const fileKey = checkHead(path, head, key);
    let number = 0;
    for (let at = headBytes; number === 0 || at < size; number += 1) {
      const box = await read(file, at, Math.min(boxBytes + tagBytes, size - at));
      digest?.update(box);
      const last = at + box.length >= size;
      const content = openBox(box, head, fileKey, nonce(number, last));
      if (content === undefined) {
        const whole = last && openBox(box, head, fileKey, nonce(number, false)) !== undefined;
        throw new Problem(
          whole
            ? `the backup ${path} was cut short: it ends after ${size} bytes, and more of it is missing`
            : `the backup ${path} was cut short or changed: byte ${at} and what follows are not what was written`,
        );
      }
      if (content.length > 0) yield content;
      at += box.length;
    }
  } finally {
    await file.close();
  }
}

async function openBackup(path: string): Promise<FileHandle> {
  return await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`cannot read the backup ${path}: ${error.message}`, { cause: error });
  });
}

/** The key of the file that begins so. */
function checkHead(path: string, head: Buffer, key: BackupKey): Buffer {
  if (head.length < headBytes) throw new Problem(`the backup ${path} was cut short: it has ${head.length} bytes`);
  if (!head.subarray(0, magic.length).equals(magic)) {
    throw new Problem(`${path} is no backup of golive, or its first bytes were changed`);
  }
  const found = head[magic.length];
  if (found !== version) {
    throw new Problem(`the backup ${path} has format version ${found}; this program reads version ${version}`);
  }
  const salt = head.subarray(magic.length + 1, magic.length + 1 + saltBytes);
  const { fileKey, proof } = derive(key, salt);
  if (!timingSafeEqual(proof, head.subarray(headBytes - proofBytes))) {
    throw new Problem(
      `the backup ${path} was made with another key than the one in ${key.path}, or its first bytes were changed`,
    );
  }
  return fileKey;
}

function derive(key: BackupKey, salt: Buffer): { readonly fileKey: Buffer; readonly proof: Buffer } {
  // The key has more than 256 random bits: it needs no slow derivation, as a word that people remember would.
  const derived = Buffer.from(hkdfSync("sha256", key.text, salt, "golive backup 1", 32 + proofBytes));
  return { fileKey: derived.subarray(0, 32), proof: derived.subarray(32) };
}

function nonce(number: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(number), 3);
  bytes.writeUInt8(last ? 1 : 0, 11);
  return bytes;
}

function openBox(box: Buffer, head: Buffer, fileKey: Buffer, nonceOfBox: Buffer): Buffer | undefined {
  if (box.length < tagBytes) return undefined;
  const opening = createDecipheriv(cipher, fileKey, nonceOfBox, { authTagLength: tagBytes }).setAAD(head);
  opening.setAuthTag(box.subarray(box.length - tagBytes));
  try {
    return Buffer.concat([opening.update(box.subarray(0, box.length - tagBytes)), opening.final()]);
  } catch {
    // Node says no more than that the tag does not fit.
    return undefined;
  }
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(length, 0));
  let got = 0;
  while (got < bytes.length) {
    const { bytesRead } = await file.read(bytes, got, bytes.length - got, at + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return bytes.subarray(0, got);
}
