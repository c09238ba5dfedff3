import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../cli/progress.ts";
import { readIfThere } from "../files.ts";
import { places } from "../places.ts";
import { run } from "../run.ts";
import { download, privateApt } from "./mirror.ts";

/** A directory of unpacked Debian packages. Nothing is installed: no maintainer script runs. */
export interface Tree {
  readonly name: string;
  readonly packages: readonly string[];
  /** Dependencies that are left out: their names begin so. `"all"` takes the packages alone. */
  readonly without: readonly string[] | "all";
}

/** What the node runs: its container runtime and network tools. The C library is the machine's own. */
export const hostTree: Tree = {
  name: "host",
  packages: ["containerd", "runc", "containernetworking-plugins", "nftables", "conntrack", "iproute2"],
  without: ["libc6", "libc-bin", "libgcc-s1", "gcc-12-base", "debconf"],
};

/** What the container images share. */
export const imageTree: Tree = {
  name: "images",
  packages: [
    ...["base-files", "bash", "coreutils", "dash", "findutils", "grep", "gzip", "hostname", "libc-bin", "sed", "tar"],
    ...["procps", "tzdata", "libstdc++6", "postgresql-15", "redis-server", "redis-tools"],
  ],
  // LLVM is only PostgreSQL's JIT (left out with it, see images/debian-layers.ts); the perl and system packages serve maintainer scripts.
  without: [
    "libllvm",
    "libz3",
    "locales",
    "libc-l10n",
    "perl",
    "libperl",
    "usrmerge",
    "debconf",
    "dpkg",
    "adduser",
    "ucf",
  ],
};

/** Prometheus and what it measures with. The C library is the machine's own, or the one of the image it is put into. */
export const monitoringTree: Tree = {
  name: "monitoring",
  packages: [
    ...["prometheus", "prometheus-alertmanager", "prometheus-node-exporter"],
    ...["prometheus-blackbox-exporter", "prometheus-postgres-exporter", "prometheus-redis-exporter"],
  ],
  // A font, nine libraries of a page that nobody opens, and an init system: Go programs need none of it.
  without: "all",
};

const trees = [hostTree, imageTree, monitoringTree];

const rootOf = (tree: Tree) => join(places.debian, tree.name);
const stampOf = (tree: Tree) => `${rootOf(tree)}.stamp`;
const fingerprint = (tree: Tree) => createHash("sha256").update(JSON.stringify(tree)).digest("hex");

async function isThere(tree: Tree): Promise<boolean> {
  return (await readIfThere(stampOf(tree))) === fingerprint(tree);
}

/** Whether every tree is there, so that nothing of apt is needed. */
export async function isUnpacked(): Promise<boolean> {
  const there = await Promise.all(trees.map(isThere));
  return !there.includes(false);
}

/** Gives the directory of the tree; downloads and unpacks it when it is not there yet. It appears whole or not at all. */
export async function ensureTree(tree: Tree, progress: Progress): Promise<string> {
  const root = rootOf(tree);
  if (await isThere(tree)) return root;
  return await progress.stage(`Debian packages: ${tree.packages.slice(0, 4).join(", ")} …`, async (stage) => {
    const building = `${root}.new`;
    for (const old of [building, stampOf(tree), root]) await rm(old, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    const apt = await privateApt(join(places.debian, `${tree.name}.apt`));
    const { packages, without } = tree;
    const archives = await download(apt, packages, { dependencies: without !== "all" });
    const files = (await readdir(archives)).filter((file) => file.endsWith(".deb")).sort();
    const kept = without === "all" ? files : files.filter((file) => !without.some((name) => file.startsWith(name)));
    await mergedUsr(building);
    for (const file of kept) await unpack(join(archives, file), building);
    await rm(apt.directory, { recursive: true, force: true });
    await rename(building, root);
    await writeFile(stampOf(tree), fingerprint(tree));
    stage.note(`${kept.length} packages`);
    return root;
  });
}

/** `/bin` and its like are links into `/usr`, as on every Debian since 12. */
async function mergedUsr(root: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await symlink(join("usr", name), join(root, name));
  }
}

async function unpack(file: string, root: string): Promise<void> {
  // dpkg-deb -x would put directories in the place of the links.
  const script =
    'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner';
  await run("bash", ["-c", script, "unpack", file, root]);
}
