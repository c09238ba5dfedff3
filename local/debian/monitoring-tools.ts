import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../cli/progress.ts";
import { writeWhole } from "../files.ts";
import { places } from "../places.ts";
import { ensureTree, monitoringTree } from "./packages.ts";

const root = join(places.debian, monitoringTree.name);
const launchers = join(places.debian, "monitoring-tools");
const program = (name: string) => join(root, "usr", "bin", name);
const launched = (name: string) => join(launchers, name);

/** The programs that tests run on the machine itself: the same that the cluster's images hold. */
export const monitoringTools = {
  promtool: program("promtool"),
  prometheus: program("prometheus"),
  amtool: launched("amtool"),
  alertmanager: launched("alertmanager"),
  postgresExporter: program("prometheus-postgres-exporter"),
  redisExporter: program("prometheus-redis-exporter"),
  nodeExporter: program("prometheus-node-exporter"),
  blackboxExporter: program("prometheus-blackbox-exporter"),
} as const;

export async function ensureMonitoringTools(progress: Progress): Promise<void> {
  await ensureTree(monitoringTree, progress);
  await mkdir(launchers, { recursive: true });
  await write("amtool", program("amtool"));
  await write("alertmanager", program("prometheus-alertmanager"));
}

/**
 * Debian's Alertmanager reads its default templates below /usr/share, where the machine has none: it sees the unpacked
 * directory there, in a mount namespace of its own. That takes root, as the throw-away cluster does.
 */
async function write(name: string, binary: string): Promise<void> {
  const script = `#!/bin/sh
exec unshare --mount --propagation private sh -c 'mount --bind "$0" /usr/share && exec "$@"' \\
  '${join(root, "usr", "share")}' '${binary}' "$@"
`;
  await writeWhole(launched(name), script);
  await chmod(launched(name), 0o755);
}
