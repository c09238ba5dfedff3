import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { monitoringImages } from "../../local/images/monitoring.ts";
import { Layout, writeArchive } from "../../local/images/oci.ts";
import { imageRecipes, stackImages } from "../../local/images/recipes.ts";
import { type Entry, entriesOf, writeTar } from "../../local/images/tar.ts";
import { mirrored } from "../../settings/images.ts";
import { stackSettings } from "../support/platform.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "golive-images-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const file = (path: string, text: string, mode = 0o644): Entry => {
  return { kind: "file", path, mode, content: Buffer.from(text) };
};

const long = `${"deep/".repeat(30)}file`;
const entries: readonly Entry[] = [
  { kind: "directory", path: "data", mode: 0o755, owner: 999 },
  file("data/run.sh", "#!/bin/sh\n", 0o755),
  { kind: "link", path: "data/link", target: "run.sh" },
  { kind: "link", path: "data/far", target: `/${long}` },
  file(long, "a name that does not fit into a header"),
  file("empty", ""),
];

describe("a layer", () => {
  it("is read by GNU tar as it was meant", async () => {
    const archive = join(directory, "layer.tar");
    await writeTar(archive, entries);
    const listing = execFileSync("tar", ["--list", "--verbose", "--numeric-owner", "--utc", "--file", archive], {
      encoding: "utf8",
    });
    expect(
      listing
        .trim()
        .split("\n")
        .map((line) => line.replace(/ +/g, " ")),
    ).toEqual([
      "drwxr-xr-x 999/999 0 1970-01-01 00:00 data/",
      "-rwxr-xr-x 0/0 10 1970-01-01 00:00 data/run.sh",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00 data/link -> run.sh",
      `lrwxrwxrwx 0/0 0 1970-01-01 00:00 data/far -> /${long}`,
      `-rw-r--r-- 0/0 38 1970-01-01 00:00 ${long}`,
      "-rw-r--r-- 0/0 0 1970-01-01 00:00 empty",
    ]);
    execFileSync("tar", ["--extract", "--no-same-owner", "--file", archive, "--directory", directory]);
    expect(readFileSync(join(directory, long), "utf8")).toBe("a name that does not fit into a header");
  });

  it("gives the same bytes for the same contents, and says their digest", async () => {
    const [first, second] = [join(directory, "1.tar"), join(directory, "2.tar")];
    const written = await writeTar(first, entries);
    expect(await writeTar(second, entries)).toEqual(written);
    const bytes = readFileSync(first);
    expect(bytes.equals(readFileSync(second))).toBe(true);
    expect(written).toEqual({ sha256: sha256(bytes), size: bytes.length });
  });

  it("takes a directory in the order of its names, without what is left out, and drops set-uid", async () => {
    const root = join(directory, "root");
    mkdirSync(join(root, "b"), { recursive: true });
    mkdirSync(join(root, "secret"));
    writeFileSync(join(root, "b", "su"), "x", { mode: 0o755 });
    execFileSync("chmod", ["4755", join(root, "b", "su")]);
    symlinkSync("b/su", join(root, "a"));
    const found: Entry[] = [];
    for await (const entry of entriesOf(root, (path) => path === "secret")) found.push(entry);
    expect(found).toEqual([
      { kind: "link", path: "a", target: "b/su" },
      { kind: "directory", path: "b", mode: 0o755 },
      { kind: "file", path: "b/su", mode: 0o755, content: { from: join(root, "b", "su") } },
    ]);
  });
});

describe("an archive of images", () => {
  it("names each image, and holds a blob that they share once, under its digest", async () => {
    const layout = new Layout(join(directory, "layout"));
    const base = await layout.layer([file("etc/passwd", "root:x:0:0\n")]);
    const own = await layout.layer([file("app/main.mjs", "1")]);
    const config = {
      user: "1000:1000",
      env: { APP_VERSION: "1.0.0" },
      command: ["node", "/app/main.mjs"],
      ports: [3000],
    };
    const one = await layout.image("golive.local/one:1.0.0", [base, own], config);
    const two = await layout.image("golive.local/two:2.0.0", [base], { user: "999:999", stopSignal: "SIGINT" });
    const archive = join(directory, "archive.tar");
    await writeArchive(archive, layout, [one, two]);

    execFileSync("tar", ["--extract", "--file", archive, "--directory", directory]);
    const json = (path: string) => JSON.parse(readFileSync(join(directory, path), "utf8"));
    const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
    expect(json("oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
    const { manifests } = json("index.json");
    expect(manifests.map((entry: { annotations: object }) => entry.annotations)).toEqual([
      { "io.containerd.image.name": "golive.local/one:1.0.0", "org.opencontainers.image.ref.name": "1.0.0" },
      { "io.containerd.image.name": "golive.local/two:2.0.0", "org.opencontainers.image.ref.name": "2.0.0" },
    ]);
    const listing = execFileSync("tar", ["--list", "--file", archive], { encoding: "utf8" }).trim().split("\n");
    expect(new Set(listing).size).toBe(listing.length);
    expect(listing).toHaveLength(2 + 2 + 2 + 2); // index and layout; two each of manifests, configurations, layers
    for (const path of listing.filter((name) => name.startsWith("blobs/"))) {
      expect(`blobs/sha256/${sha256(readFileSync(join(directory, path)))}`).toBe(path);
    }
    const manifest = json(blob(manifests[0].digest));
    expect(manifest.layers).toEqual([base, own]);
    expect(json(blob(manifest.config.digest))).toEqual({
      architecture: "amd64",
      os: "linux",
      config: {
        User: "1000:1000",
        Env: ["APP_VERSION=1.0.0"],
        Cmd: ["node", "/app/main.mjs"],
        ExposedPorts: { "3000/tcp": {} },
      },
      rootfs: { type: "layers", diff_ids: [base.digest, own.digest] },
    });
    expect(json(blob(json(blob(manifests[1].digest)).config.digest)).config).toEqual({
      User: "999:999",
      Env: [],
      StopSignal: "SIGINT",
    });
  });
});

describe("an archive for a runtime that has some blobs", () => {
  it("leaves those out, and still names every image and its manifest", async () => {
    const layout = new Layout(join(directory, "layout"));
    const base = await layout.layer([file("etc/passwd", "root:x:0:0\n")]);
    const own = await layout.layer([file("app/main.mjs", "1")]);
    const image = await layout.image("golive.local/one:1.0.0", [base, own], { user: "999:999" });
    const archive = join(directory, "archive.tar");
    await writeArchive(archive, layout, [image], new Set([base.digest]));
    const listing = execFileSync("tar", ["--list", "--file", archive], { encoding: "utf8" }).trim().split("\n");
    const blobs = image.blobs.filter(({ digest }) => digest !== base.digest).map(({ digest }) => digest);
    const paths = blobs.map((digest) => `blobs/${digest.replace(":", "/")}`);
    expect(listing.sort()).toEqual([...paths, "index.json", "oci-layout"].sort());
  });
});

describe("the images that stack local names", () => {
  it("all have a recipe", () => {
    const made = imageRecipes.map(({ name }) => name);
    expect(stackImages.filter((name) => !made.includes(name))).toEqual([]);
  });

  it("are there for all that its monitoring names, by a mirror", () => {
    const { monitoring, imageMirrors } = stackSettings("local");
    const named = Object.values(monitoring.images).filter((image) => image !== undefined);
    expect(named).toHaveLength(6);
    expect(named.map((image) => mirrored(image, imageMirrors)).filter((image) => !stackImages.includes(image))).toEqual(
      [],
    );
  });

  it("start monitoring as the public images do, since the operator gives arguments only, and not as root", () => {
    const started = monitoringImages.map(({ name, config }) => [name, config.user, config.entrypoint?.join(" ")]);
    expect(started).toEqual([
      ["golive.local/prometheus:3.5", "65534:65534", "/bin/prometheus"],
      ["golive.local/alertmanager:0.25", "65534:65534", "/bin/alertmanager"],
      ["golive.local/node-exporter:1.5", "65534:65534", "/bin/node_exporter"],
      ["golive.local/blackbox-exporter:0.23", "65534:65534", "/bin/blackbox_exporter"],
      ["golive.local/postgres-exporter:0.11", "65534:65534", "/bin/postgres_exporter"],
      ["golive.local/redis-exporter:1.45", "59000:59000", "/redis_exporter"],
    ]);
  });

  it("have Node among them, at the place where the official image has it, for a user who is not root", () => {
    expect(imageRecipes.find(({ name }) => name === "golive.local/node:24")).toEqual({
      name: "golive.local/node:24",
      layers: ["debian", "node"],
      config: {
        user: "1000:1000",
        env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        command: ["node"],
      },
    });
  });
});
