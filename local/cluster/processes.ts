import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { readIfThere, writeWhole } from "../files.ts";
import { places } from "../places.ts";
import { clusterDirs, mark } from "./layout.ts";

/** A process that cannot be mistaken for a later one with the same number. */
export interface Identity {
  readonly pid: number;
  /** When it started, in clock ticks since boot. */
  readonly started: number;
  /** Which boot of the machine. */
  readonly boot: string;
}

/** The cluster's processes, in the order in which they start. */
export const processNames = [
  "etcd",
  "kube-apiserver",
  "containerd",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
] as const;

export interface Program {
  readonly name: (typeof processNames)[number];
  readonly command: string;
  readonly args: readonly string[];
  /** Added to a small environment of our own. Default: nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its configuration file holds: when that or an argument changed, it is started anew. Default: none. */
  readonly config?: string;
  /** Started anew it would be another one: it runs on as it was started. Default: false. */
  readonly irreplaceable?: boolean;
}

/** What a pid file holds. */
interface Started extends Identity {
  readonly fingerprint: string;
}

export const boot = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** The start time in a line of `/proc/PID/stat`, whose second field (the name) may hold blanks and brackets. */
export function startedOf(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined; // ended, only not yet collected by its parent
  const ticks = Number(fields[19]);
  return Number.isInteger(ticks) ? ticks : undefined;
}

/** The identity of a running process; undefined when there is none with this number. */
export function identify(pid: number): Identity | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  const started = stat === undefined ? undefined : startedOf(stat);
  return started === undefined ? undefined : { pid, started, boot: boot() };
}

export function isAlive(identity: Identity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.started === identity.started && now.boot === identity.boot;
}

/** Files in /proc vanish with their process: that is an answer, not an error. */
export function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return undefined;
    throw error;
  }
}

export const logOf = (name: string) => join(clusterDirs.logs, `${name}.log`);
const pidFileOf = (name: string) => join(clusterDirs.pids, `${name}.json`);

/** The running process that this clone started under a name. */
export async function running(name: string): Promise<Started | undefined> {
  const text = await readIfThere(pidFileOf(name));
  const started = text === undefined ? undefined : (JSON.parse(text) as Started);
  return started !== undefined && isAlive(started) ? started : undefined;
}

/** Starts a program that outlives us, with its output in a log file, unless it runs already as it should. */
export async function ensureRunning(program: Program): Promise<Identity> {
  const { command, args, config } = program;
  const fingerprint = createHash("sha256").update(JSON.stringify({ command, args, config })).digest("hex");
  const already = await running(program.name);
  if (already !== undefined) {
    if (program.irreplaceable || already.fingerprint === fingerprint) return already;
    await stop([already], 10);
  }
  await mkdir(clusterDirs.logs, { recursive: true });
  await mkdir(clusterDirs.pids, { recursive: true });
  const log = await open(logOf(program.name), "a");
  try {
    const child = spawn(command, args, {
      cwd: "/",
      detached: true,
      env: { PATH: process.env.PATH, ...program.env, [mark]: places.root },
      stdio: ["ignore", log.fd, log.fd],
    });
    const identity = await started(child, program);
    const record: Started = { ...identity, fingerprint };
    await writeWhole(pidFileOf(program.name), JSON.stringify(record));
    child.unref();
    return identity;
  } finally {
    await log.close();
  }
}

function started(child: ChildProcess, program: Program): Promise<Identity> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      const identity = child.pid === undefined ? undefined : identify(child.pid);
      if (identity === undefined) reject(new Error(`${program.name} ended at once: see ${logOf(program.name)}`));
      else resolve(identity);
    });
  });
}

/** Asks processes to end, waits, and ends those by force that did not. */
export async function stop(identities: readonly Identity[], graceSeconds: number): Promise<void> {
  for (const identity of identities) signal(identity, "SIGTERM");
  const deadline = performance.now() + graceSeconds * 1000;
  while (identities.some(isAlive) && performance.now() < deadline) await sleep(25);
  for (const identity of identities) signal(identity, "SIGKILL");
  const end = performance.now() + 5000;
  while (identities.some(isAlive)) {
    if (performance.now() > end) {
      const left = identities.filter(isAlive).map(({ pid }) => pid);
      throw new Error(`process ${left.join(", ")} does not end, not even by SIGKILL`);
    }
    await sleep(25);
  }
}

function signal(identity: Identity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // ended in between
  }
}

/** Every process on the machine, with what tells whose it is. */
export function everyProcess(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Which clone a process was started for, by the mark in its environment. */
export function ownerOf(pid: number): string | undefined {
  const environment = readOrNothing(`/proc/${pid}/environ`) ?? "";
  const entry = environment.split("\0").find((item) => item.startsWith(`${mark}=`));
  return entry?.slice(mark.length + 1);
}

/** The name of a process: the first 15 bytes of its program's. */
export const nameOf = (pid: number) => readOrNothing(`/proc/${pid}/comm`)?.trim() ?? "?";

export const describe = (pid: number) => `${nameOf(pid)} (pid ${pid})`;
