import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../cli/progress.ts";
import { places } from "../places.ts";
import { ensureTree, hostTree } from "./packages.ts";

const tools = [
  ...["containerd", "containerd-shim-runc-v2", "ctr", "runc", "nft", "conntrack", "ip"],
  ...["ptp", "host-local", "loopback", "portmap"].map((name) => `cni/${name}`),
] as const;

/** Launchers of the unpacked tools: each finds its own libraries, whatever the machine has installed. */
export const hostTools = {
  path: join(places.debian, "host-tools"),
  cni: join(places.debian, "host-tools", "cni"),
  containerd: join(places.debian, "host-tools", "containerd"),
  shim: join(places.debian, "host-tools", "containerd-shim-runc-v2"),
  runc: join(places.debian, "host-tools", "runc"),
  ctr: join(places.debian, "host-tools", "ctr"),
  nft: join(places.debian, "host-tools", "nft"),
  ip: join(places.debian, "host-tools", "ip"),
} as const;

export async function ensureHostTools(progress: Progress): Promise<void> {
  const root = await ensureTree(hostTree, progress);
  if (existsSync(hostTools.path)) return;
  const building = `${hostTools.path}.new`;
  await rm(building, { recursive: true, force: true });
  await mkdir(join(building, "cni"), { recursive: true });
  for (const tool of tools) {
    const file = join(building, tool);
    await writeFile(file, launcher(root, binaryOf(root, tool)));
    await chmod(file, 0o755);
  }
  await rename(building, hostTools.path);
}

function binaryOf(root: string, tool: string): string {
  if (tool.startsWith("cni/")) return join(root, "usr", "lib", tool);
  const candidates = ["bin", "sbin"].map((directory) => join(root, "usr", directory, tool));
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the unpacked Debian packages in ${root} hold no ${tool}`);
  return found;
}

const launcher = (root: string, binary: string) => `#!/bin/sh
LD_LIBRARY_PATH='${join(root, "usr", "lib", "x86_64-linux-gnu")}' exec '${binary}' "$@"
`;
