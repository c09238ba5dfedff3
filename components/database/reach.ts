import { createHash } from "node:crypto";
import { lstat, mkdir, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings.ts";
import { serverName } from "./address.ts";
import { type Forwarded, openPortForward } from "./port-forward.ts";

/** How this program, which runs outside of the cluster, reaches the server. */
export interface Reach {
  readonly host: string;
  readonly port: number;
  readonly sslmode: "disable" | "verify-full";
  /** File with the authorities that may vouch for the server; undefined: the system's, or none is asked. */
  readonly sslrootcert: string | undefined;
}

const loopback = "127.0.0.1";

/** Where the program connects to. A server in the cluster stands behind a loopback port. */
export function reachOf({ database }: Settings): Reach {
  switch (database.kind) {
    case "statefulset":
    case "cloudnative-pg":
      // The way to the API server and to the node is encrypted, and ends on the pod's own loopback address.
      return { host: loopback, port: database.forwardPort, sslmode: "disable", sslrootcert: undefined };
    case "external":
      return {
        host: database.host,
        port: database.port,
        sslmode: "verify-full",
        sslrootcert: database.ca === undefined ? undefined : authorityFile(database.ca),
      };
  }
}

/** The pod behind the loopback port; undefined where the server is reached directly. */
export function forwardOf({ database, namespace }: Settings): Forwarded | undefined {
  const port = 5432;
  switch (database.kind) {
    case "statefulset":
      return { namespace, pod: `${serverName}-0`, port, localPort: database.forwardPort };
    case "cloudnative-pg": {
      const labels = `cnpg.io/cluster=${serverName},cnpg.io/instanceRole=primary`;
      return { namespace, pod: { labels }, port, localPort: database.forwardPort };
    }
    case "external":
      return undefined;
  }
}

/** How long an `up` waits for its port: a run that was killed a moment ago may still be ending. */
const defaultPatienceMs = 10_000;

/**
 * Makes ready what the declared database needs on this machine: the loopback port that leads to a server in the cluster, or
 * the file with an external server's authorities. Nothing is asked of the cluster or the server yet.
 * @throws RunError in an `up` when the port is taken; a preview goes on, since it seldom needs the server.
 */
export async function reachDatabase(
  settings: Settings,
  config: KubeConfig,
  patienceMs = defaultPatienceMs,
): Promise<void> {
  const { database } = settings;
  if (database.kind === "external" && database.ca !== undefined)
    await writeAuthorities(authorityFile(database.ca), database.ca);
  const target = settings.application.stores.postgresql && forwardOf(settings);
  if (!target) return;
  const deadline = Date.now() + patienceMs;
  while (!(await opened(config, target))) {
    if (pulumi.runtime.isDryRun()) {
      void pulumi.log.warn(
        `something else listens on ${loopback}:${target.localPort} (golive:database.forwardPort): this preview does not ask the database, ` +
          "and must not be run with --refresh",
      );
      return;
    }
    if (Date.now() > deadline)
      throw new pulumi.RunError(
        `golive:database.forwardPort  got ${target.localPort}, but something else listens on ${loopback}:${target.localPort}; ` +
          `this run needs it to reach the database\nNothing was touched. Next: end what listens there (another \`pulumi up\`?), ` +
          "or set golive:database.forwardPort to a port that is free",
      );
    await pause(250);
  }
}

/** Whether the loopback port could be had. */
async function opened(config: KubeConfig, target: Forwarded): Promise<boolean> {
  try {
    await openPortForward(config, target, (problem) => tellOnce(target, problem));
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

const told = new Set<string>();

/** The provider tries again, and knows no more than that its connection ended. */
function tellOnce({ namespace, pod }: Forwarded, problem: string): void {
  const name = typeof pod === "string" ? pod : `the pod with ${pod.labels}`;
  const text = `cannot reach the database at ${name} in namespace ${namespace}: ${problem}`;
  if (told.has(text)) return;
  told.add(text);
  void pulumi.log.warn(text);
}

const isTaken = (error: unknown) => error instanceof Error && "code" in error && error.code === "EADDRINUSE";

/** The same text has the same path on every run, so that the provider sees no change; others may share the directory's name. */
const authorityFile = (pem: string) =>
  join(tmpdir(), "golive-authorities", `${createHash("sha256").update(pem).digest("hex").slice(0, 16)}.crt`);

async function writeAuthorities(file: string, pem: string): Promise<void> {
  const directory = dirname(file);
  await mkdir(directory, { mode: 0o755, recursive: true });
  const found = await lstat(directory);
  // Whoever else may write here could swap the authorities, and with them the server.
  if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o022) !== 0)
    throw new pulumi.RunError(
      `${directory} is not a directory that only ${userInfo().username} may write: it is to hold the authorities of golive:database.ca\nNext: remove it, or set TMPDIR to a directory of your own`,
    );
  await writeFile(file, pem, { mode: 0o644 });
}
