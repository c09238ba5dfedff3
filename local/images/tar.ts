import { createHash } from "node:crypto";
import { type FileHandle, lstat, open, readdir, readFile, readlink, rename } from "node:fs/promises";
import { join } from "node:path";

/** One thing in an archive. Everything belongs to root unless `owner` says otherwise, and was last changed in 1970. */
export type Entry = { readonly path: string; readonly owner?: number } & (
  | { readonly kind: "file"; readonly mode: number; readonly content: Uint8Array | { readonly from: string } }
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
);

export interface Written {
  readonly sha256: string;
  readonly size: number;
}

const block = 512;
const types = { file: "0", link: "2", directory: "5" } as const;
const longName = "L";
const longTarget = "K";

/** Writes entries as a tar file, in the order given; the same entries always give the same bytes. */
export async function writeTar(file: string, entries: AsyncIterable<Entry> | Iterable<Entry>): Promise<Written> {
  const building = `${file}.new`;
  const handle = await open(building, "w");
  const hash = createHash("sha256");
  let size = 0;
  const put = async (bytes: Uint8Array) => {
    hash.update(bytes);
    size += bytes.length;
    await writeAll(handle, bytes);
  };
  try {
    for await (const entry of entries) for (const part of await partsOf(entry)) await put(part);
    await put(Buffer.alloc(2 * block));
  } finally {
    await handle.close();
  }
  await rename(building, file);
  return { sha256: hash.digest("hex"), size };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}

async function partsOf(entry: Entry): Promise<Uint8Array[]> {
  const content = entry.kind === "file" ? await contentOf(entry.content) : Buffer.alloc(0);
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.kind === "link" ? entry.target : "";
  const mode = entry.kind === "link" ? 0o777 : entry.mode;
  return [
    ...tooLong(longName, path),
    ...tooLong(longTarget, target),
    header({ path, target, mode, owner: entry.owner ?? 0, size: content.length, type: types[entry.kind] }),
    content,
    padding(content.length),
  ];
}

const contentOf = async (content: Uint8Array | { readonly from: string }) =>
  content instanceof Uint8Array ? content : await readFile(content.from);

const padding = (size: number) => Buffer.alloc((block - (size % block)) % block);

/** GNU tar's way to say a name that does not fit into the header's 100 bytes: an entry before it that holds the name. */
function tooLong(type: string, name: string): Uint8Array[] {
  const bytes = Buffer.from(`${name}\0`, "utf8");
  if (bytes.length <= 101) return [];
  const fields = { path: "././@LongLink", target: "", mode: 0, owner: 0, size: bytes.length, type };
  return [header(fields), bytes, padding(bytes.length)];
}

interface Header {
  readonly path: string;
  readonly target: string;
  readonly mode: number;
  readonly owner: number;
  readonly size: number;
  readonly type: string;
}

function header({ path, target, mode, owner, size, type }: Header): Buffer {
  const bytes = Buffer.alloc(block);
  const text = (value: string, offset: number, length: number) =>
    Buffer.from(value, "utf8").copy(bytes, offset, 0, length);
  const number = (value: number, offset: number, length: number) =>
    text(value.toString(8).padStart(length - 1, "0"), offset, length);
  text(path, 0, 100);
  number(mode, 100, 8);
  number(owner, 108, 8);
  number(owner, 116, 8);
  number(size, 124, 12);
  number(0, 136, 12); // changed: 1970, so that the bytes depend on the contents alone
  text("        ", 148, 8); // the checksum counts itself as blanks
  text(type, 156, 1);
  text(target, 157, 100);
  text("ustar  \0", 257, 8);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return bytes;
}

/** What a directory holds, in the order of names, without the paths that `leaveOut` names. */
export async function* entriesOf(root: string, leaveOut: (path: string) => boolean, below = ""): AsyncGenerator<Entry> {
  const names = (await readdir(join(root, below))).sort();
  for (const name of names) {
    const path = below === "" ? name : `${below}/${name}`;
    if (leaveOut(path)) continue;
    const from = join(root, path);
    const found = await lstat(from);
    if (found.isSymbolicLink()) yield { kind: "link", path, target: await readlink(from) };
    else if (found.isFile()) yield { kind: "file", path, mode: plainMode(found.mode), content: { from } };
    else if (found.isDirectory()) {
      yield { kind: "directory", path, mode: found.mode & 0o1777 };
      yield* entriesOf(root, leaveOut, path);
    }
  }
}

/** Nothing in an image of ours may raise its rights: set-uid and set-gid are dropped. */
const plainMode = (mode: number) => mode & 0o777;
