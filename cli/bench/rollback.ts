import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../../local/cluster/api.ts";
import { gateway } from "../../local/gateway.ts";
import { type Load, startLoad } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { guardName } from "../../rollout/gate/guard-name.ts";
import { runChild } from "../child.ts";
import { answeringCluster } from "../cluster-address.ts";
import { candidate } from "../demo/begin.ts";
import { orderErrors } from "../demo/faults.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { ownWorkspace, changeableStack as stack, stackText } from "../workspace.ts";
import { figuresOf, missedAims, type RollbackFigures, rollbackText, type WayName } from "./rollback-report.ts";

const percent = 10;
const gateMode = "golive:gate.mode";
const badShare = 0.3;
const requestsPerSecond = 1500;
/** A way back that takes longer is not measured to its end. */
const patienceSeconds = 60;
/** So long the candidate must have answered nobody. */
const quietMs = 2000;

/** One way back: what makes the traffic go, and whether the guard is there meanwhile. */
interface Way {
  readonly name: WayName;
  readonly guards: number;
  readonly go: (session: Session) => Promise<void>;
}

const ways: readonly Way[] = [
  { name: "guard", guards: 2, go: async () => {} },
  {
    name: "abort --now",
    guards: 0,
    go: (session) => golive(session, ["rollout", "abort", "--now", "--stack", stack, "--reason", "bench rollback"]),
  },
  {
    name: "pulumi up",
    guards: 0,
    async go(session) {
      await setTraffic(session, 0);
      await golive(session, ["pulumi", "up", "--yes", "--stack", stack]);
    },
  },
];

/** Measures how long users meet a release that fails 30 % of its requests at 10 %, by each way back, and judges that. */
export async function benchRollback(session: Session): Promise<number> {
  const { progress } = session;
  await answeringCluster(progress);
  const hostname = await stackText(ownWorkspace, stack, "golive:hostname");
  const figures: RollbackFigures[] = [];
  // Where steps are not gated there is no guard.
  await progress.stage("a gate and its guard", () => gated(session, true));
  for (const way of ways) {
    await progress.stage(`${way.name}: candidate at ${percent} %`, () => prepare(way, session));
    figures.push(await progress.stage(`${way.name}: errors, and the way back`, () => measure(way, hostname, session)));
  }
  await progress.stage("back to 0, without them", async () => {
    await restore(session);
    await gated(session, false);
  });
  await writeFile(join(places.golive, "bench-rollback.json"), `${JSON.stringify(figures, undefined, 2)}\n`);
  process.stdout.write(`\n${rollbackText(figures)}\n`);
  const missed = missedAims(figures);
  for (const problem of missed) process.stderr.write(`golive bench rollback: ${problem}\n`);
  return missed.length === 0 ? 0 : 1;
}

async function golive(session: Session, args: readonly string[]): Promise<void> {
  const options = { cwd: places.root, env: process.env, capture: true, session };
  const { exitCode, stdout, stderr } = await runChild(join(places.root, "golive"), args, options);
  if (exitCode !== 0)
    throw new Failure(`golive ${args.join(" ")} ended with exit code ${exitCode}:\n${stdout}${stderr}`);
}

const setTraffic = (session: Session, to: number) =>
  golive(session, ["pulumi", "config", "set", "--stack", stack, "golive:candidateTraffic", `${to}`]);

async function gated(session: Session, on: boolean): Promise<void> {
  const change = on ? ["set", "--path", gateMode, "on"] : ["rm", "--path", gateMode];
  await golive(session, ["pulumi", "config", ...change, "--stack", stack]);
  await golive(session, ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack]);
}

async function restore(session: Session): Promise<void> {
  await orderErrors(0);
  await setTraffic(session, 0);
  await golive(session, ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack]);
  await scaleGuard(2);
}

/** From whatever the way before left: no errors, no trip, no tombstone, the candidate at its first rung. */
async function prepare({ guards }: Way, session: Session): Promise<void> {
  await restore(session);
  await clearTombstones(session);
  await setTraffic(session, percent);
  await golive(session, ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack]);
  // Not before: a step up from 0 is held without a guard. It has nothing to object to yet, and ends as soon as it is told to.
  await scaleGuard(guards);
}

async function clearTombstones(session: Session): Promise<void> {
  const path = "jsonpath={.metadata.annotations.golive/tombstones}";
  const text = await kubectl(["get", "httproute", "--namespace", stack, "--output", path, "taskflow"]);
  for (const release of text.split(" ").filter((word) => word !== "")) {
    const why = ["--name", "golive bench", "--reason", "its errors were ordered"];
    await golive(session, ["rollout", "clear", "--stack", stack, release, ...why]);
  }
}

async function scaleGuard(replicas: number): Promise<void> {
  const deployment = `deployment/${guardName}`;
  await kubectl(["scale", "--namespace", stack, "--replicas", `${replicas}`, deployment]);
  await kubectl(["rollout", "status", "--namespace", stack, "--timeout", "120s", deployment]);
}

async function measure({ name, go }: Way, hostname: string, session: Session): Promise<RollbackFigures> {
  const origin = { host: gateway.host, port: gateway.publicPort } as const;
  const seconds = patienceSeconds + 30;
  const load = await startLoad({ origin, hostname, requestsPerSecond, seconds, accounts: 0 });
  const forget = session.atEnd("stop the load", async () => void (await load.stop()));
  // A connection of every kind is open before anything goes wrong.
  await sleep(5000);
  const before = await load.sample(0, load.now());
  if (before.failed > 0)
    throw new Failure(`${before.failed} of ${before.requests} requests failed before any error was ordered`);
  await orderErrors(badShare);
  await until(load, async () => (await load.sample(before.to, load.now())).failed > 0, `${name}: no error came`);
  await go(session);
  const isOver = async () => {
    const now = load.now();
    const { counted } = await load.sample(now - quietMs, now);
    return counted[candidate] === 0;
  };
  await until(load, isOver, `${name}: the candidate still answers after ${patienceSeconds} s`);
  const { records } = await load.stop();
  forget();
  return figuresOf(name, records, candidate);
}

async function until(load: Load, holds: () => Promise<boolean>, problem: string): Promise<void> {
  const deadline = load.now() + patienceSeconds * 1000;
  while (!(await holds())) {
    if (load.now() > deadline) throw new Failure(problem);
    await sleep(100);
  }
}
