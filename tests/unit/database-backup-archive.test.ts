import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boxBytes, headBytes, seal, tagBytes, unseal } from "../../programs/database/backup/archive.ts";
import type { BackupKey } from "../../programs/database/backup/key.ts";

const key: BackupKey = { text: "k".repeat(64), path: "/etc/golive/backup-key/key" };
let directory: string;
let path: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-archive-"));
  path = join(directory, "taskflow.dump.enc");
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function* pieces(content: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let index = 0; at < content.length; index += 1) {
    const size = Math.max(1, sizes[index % sizes.length] ?? content.length);
    yield content.subarray(at, at + size);
    at += size;
  }
}

async function sealed(content: Buffer, sizes: readonly number[] = [100_000], by = key): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of seal(pieces(content, sizes), by)) parts.push(part);
  return Buffer.concat(parts);
}

/** What comes out of a file with these bytes. */
async function opened(bytes: Buffer, by = key): Promise<Buffer> {
  await writeFile(path, bytes);
  const parts: Buffer[] = [];
  for await (const part of unseal(path, by)) parts.push(part);
  return Buffer.concat(parts);
}

/** Some boxes that cannot be mistaken for each other. */
const dump = Buffer.alloc(boxBytes * 2 + 1_000, "row 1, row 2, row 3; ");
const box = boxBytes + tagBytes;

describe("a sealed dump", () => {
  it("comes out as it went in, whatever its size and the pieces it came in", async () => {
    const size = fc.oneof(
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: boxBytes - 2, max: boxBytes + 2 }),
      fc.integer({ min: 2 * boxBytes - 2, max: 2 * boxBytes + 2 }),
    );
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.array(fc.integer({ min: 1, max: 150_000 }), { minLength: 1 }),
        async (length, sizes) => {
          const content = Buffer.alloc(length, "0123456789abcdefg");
          const bytes = await sealed(content, sizes);
          const boxes = Math.max(1, Math.ceil(length / boxBytes));
          expect(bytes.length).toBe(headBytes + length + boxes * tagBytes);
          expect((await opened(bytes)).equals(content)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("is another text each time, and shows nothing of what is in it", async () => {
    const [one, other] = [await sealed(dump), await sealed(dump)];
    expect(one.equals(other)).toBe(false);
    expect(one.includes("row 1, row 2")).toBe(false);
  });

  it.each([
    ["nothing is left", 0],
    ["in the head", 20],
    ["between the head and the first box", headBytes],
    ["in the first box", headBytes + 500],
    ["in the tag of the first box", headBytes + boxBytes + 3],
    ["between two boxes", headBytes + box],
    ["between the last boxes", headBytes + 2 * box],
    ["in the last box", headBytes + 2 * box + 400],
    ["before the last byte", headBytes + 2 * box + 1_000 + tagBytes - 1],
  ])("that was cut short is noticed: %s", async (_, length) => {
    const bytes = await sealed(dump);
    await expect(opened(bytes.subarray(0, length))).rejects.toThrow(/was cut short/);
  });

  it("that was cut between two boxes is known to be cut, not changed", async () => {
    const bytes = await sealed(dump);
    await expect(opened(bytes.subarray(0, headBytes + box))).rejects.toThrow(
      `the backup ${path} was cut short: it ends after ${headBytes + box} bytes, and more of it is missing`,
    );
  });

  it("in which one bit was turned, anywhere, is noticed, and nothing of that box comes out", async () => {
    const bytes = await sealed(dump.subarray(0, boxBytes + 1_000));
    const places = fc.integer({ min: 0, max: bytes.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(places, async (bit) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        await expect(opened(changed)).rejects.toThrow(path);
      }),
      { numRuns: 60, examples: Array.from({ length: headBytes }, (_, byte) => [byte * 8 + 1]) },
    );
  });

  it.each([
    [
      "two boxes changed places",
      (bytes: Buffer) => [bytes.subarray(0, headBytes), second(bytes), first(bytes), third(bytes)],
    ],
    [
      "a box is there twice",
      (bytes: Buffer) => [bytes.subarray(0, headBytes), first(bytes), first(bytes), third(bytes)],
    ],
    ["a box is missing", (bytes: Buffer) => [bytes.subarray(0, headBytes), first(bytes), third(bytes)]],
    ["something was appended", (bytes: Buffer) => [bytes, Buffer.from("more")]],
    ["a whole backup was appended", (bytes: Buffer) => [bytes, bytes]],
  ])("whose boxes are not as they were written is noticed: %s", async (_, change) => {
    await expect(opened(Buffer.concat(change(await sealed(dump))))).rejects.toThrow(
      /was cut short or changed: byte \d+/,
    );
  });

  it("does not take a box of another backup with the same key", async () => {
    const [one, other] = [await sealed(dump), await sealed(dump)];
    const mixed = Buffer.concat([one.subarray(0, headBytes), first(one), second(other), third(one)]);
    await expect(opened(mixed)).rejects.toThrow(`byte ${headBytes + box} and what follows`);
  });

  it("of another key is refused by the names of the file and of the key", async () => {
    const other = { text: "l".repeat(64), path: "/keys/other" };
    await expect(opened(await sealed(dump), other)).rejects.toThrow(
      `the backup ${path} was made with another key than the one in /keys/other, or its first bytes were changed`,
    );
  });

  it.each([
    ["some other file", Buffer.alloc(200, "PGDMP"), "is no backup of golive"],
    ["a format of the future", "version", "has format version 9; this program reads version 1"],
  ])("is not mistaken for %s", async (_, content, message) => {
    const bytes = typeof content === "string" ? await sealed(dump) : content;
    if (typeof content === "string") bytes.writeUInt8(9, 8);
    await expect(opened(bytes)).rejects.toThrow(message);
  });

  it("that is missing is refused by name", async () => {
    const missing = join(directory, "missing");
    await expect(unseal(missing, key).next()).rejects.toThrow(`cannot read the backup ${missing}: ENOENT`);
  });

  it("is read through for a checksum, every byte once", async () => {
    const bytes = await sealed(dump);
    await writeFile(path, bytes);
    const digest = createHash("sha256");
    for await (const part of unseal(path, key, { digest })) expect(part.length).toBeGreaterThan(0);
    expect(digest.digest("hex")).toBe(
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    );
  });
});

const first = (bytes: Buffer) => bytes.subarray(headBytes, headBytes + box);
const second = (bytes: Buffer) => bytes.subarray(headBytes + box, headBytes + 2 * box);
const third = (bytes: Buffer) => bytes.subarray(headBytes + 2 * box);
