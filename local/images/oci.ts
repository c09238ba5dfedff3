import { createHash } from "node:crypto";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Entry, type Written, writeTar } from "./tar.ts";

/** What a container of an image starts with. */
export interface ImageConfig {
  readonly user: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly directory?: string;
  readonly ports?: readonly number[];
  /** What asks it to end. Default: SIGTERM. */
  readonly stopSignal?: string;
}

/** A blob by its digest, as manifests name it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** An image in a layout: its name, and every blob that it needs. */
export interface BuiltImage {
  readonly name: string;
  readonly manifest: Descriptor;
  readonly blobs: readonly Descriptor[];
}

const media = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** A directory of blobs, each under its SHA-256. */
export class Layout {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  blobOf(digest: string): string {
    return join(this.directory, "blobs", digest.replace(":", "/"));
  }

  async layer(entries: AsyncIterable<Entry> | Iterable<Entry>): Promise<Descriptor> {
    const building = join(this.directory, "blobs", "layer");
    await mkdir(join(this.directory, "blobs", "sha256"), { recursive: true });
    const written: Written = await writeTar(building, entries);
    const descriptor = { mediaType: media.layer, digest: `sha256:${written.sha256}`, size: written.size };
    await rename(building, this.blobOf(descriptor.digest));
    return descriptor;
  }

  async image(name: string, layers: readonly Descriptor[], config: ImageConfig): Promise<BuiltImage> {
    const configBlob = await this.#json(media.config, configDocument(config, layers));
    const manifest = await this.#json(media.manifest, {
      schemaVersion: 2,
      mediaType: media.manifest,
      config: configBlob,
      layers,
    });
    return { name, manifest, blobs: [manifest, configBlob, ...layers] };
  }

  async holds(descriptor: Descriptor): Promise<boolean> {
    const found = await stat(this.blobOf(descriptor.digest)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    return found?.size === descriptor.size;
  }

  async #json(mediaType: string, document: unknown): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    await mkdir(join(this.directory, "blobs", "sha256"), { recursive: true });
    await writeFile(this.blobOf(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }
}

function configDocument(config: ImageConfig, layers: readonly Descriptor[]) {
  return {
    architecture: "amd64",
    os: "linux",
    config: {
      User: config.user,
      Env: Object.entries(config.env ?? {}).map(([name, value]) => `${name}=${value}`),
      ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
      ...(config.command === undefined ? {} : { Cmd: config.command }),
      ...(config.directory === undefined ? {} : { WorkingDir: config.directory }),
      ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
      ...(config.ports === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(config.ports.map((port) => [`${port}/tcp`, {}])) }),
    },
    // Layers are not compressed, so what is in them and what is sent have the same digest.
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
  };
}

/**
 * An archive of some images of a layout, as container runtimes import it: each blob once, however many images share it,
 * and none of those (by digest) that the runtime has.
 */
export async function writeArchive(
  file: string,
  layout: Layout,
  images: readonly BuiltImage[],
  present: ReadonlySet<string> = new Set(),
): Promise<void> {
  const index = {
    schemaVersion: 2,
    manifests: images.map(({ name, manifest }) => ({
      ...manifest,
      platform: { architecture: "amd64", os: "linux" },
      annotations: {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
      },
    })),
  };
  const text = (path: string, document: unknown): Entry => {
    return { kind: "file", path, mode: 0o644, content: Buffer.from(JSON.stringify(document)) };
  };
  const digests = new Set(images.flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
  const missing = [...digests].filter((digest) => !present.has(digest));
  const blobs = missing.sort().map((digest): Entry => {
    const path = `blobs/${digest.replace(":", "/")}`;
    return { kind: "file", path, mode: 0o644, content: { from: layout.blobOf(digest) } };
  });
  await writeTar(file, [text("oci-layout", { imageLayoutVersion: "1.0.0" }), text("index.json", index), ...blobs]);
}
