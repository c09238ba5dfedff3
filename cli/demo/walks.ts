import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Load, type LoadRecord, percentile, type WholeSample } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { runChild } from "../child.ts";
import { Failure } from "../failure.ts";
import type { Progress } from "../progress.ts";
import type { WalkResult } from "../rollout/result.ts";
import type { Session } from "../session.ts";
import { changeableStack as stack } from "../workspace.ts";
import { begin, candidate, type DemoResult } from "./begin.ts";
import type { DemoEngine } from "./engine.ts";
import { orderErrors } from "./faults.ts";
import { type Walk, walkProblems, walksText } from "./walks-report.ts";

const badShare = 0.3;

/** A good release that the driver walks up, and then one that goes bad on the first rung, and undoes itself. */
export async function runWalks(session: Session, keep: boolean): Promise<DemoResult> {
  const { progress } = session;
  const stage = await begin(session, keep, { "golive:gate.mode": "on" });
  const { engine } = stage;
  const walks: Walk[] = [];

  walks.push(
    await progress.stage("a good release walks up", async (inner) => {
      const { load, stop } = await stage.startLoad();
      const result = await startWalk(session, inner);
      return walkOf("good", result, load, await stop());
    }),
  );
  await progress.stage("back to 0, and another release there", () => nextRelease(engine));
  walks.push(
    await progress.stage(`a release that fails ${badShare * 100} % of its requests`, async (inner) => {
      const { load, stop } = await stage.startLoad();
      const walking = startWalk(session, inner);
      await hasTraffic(load, walking);
      const broken = load.now();
      await orderErrors(badShare);
      const result = await walking;
      return walkOf("bad", result, load, await stop(), broken);
    }),
  );
  const more = await stage.end({ walks });
  return { text: `${walksText(walks)}${more}`, problems: walkProblems(walks) };
}

/** The walk as a person would start it, with what it says on the way. */
async function startWalk(session: Session, { note }: Progress): Promise<WalkResult> {
  const args = ["rollout", "start", "--stack", stack, "--json"];
  const options = { cwd: places.root, env: process.env, capture: true, session, onNote: note };
  const { stdout, stderr } = await runChild(join(places.root, "golive"), args, options);
  try {
    return JSON.parse(stdout) as WalkResult;
  } catch (error) {
    throw new Failure(`golive rollout start told no result:\n${stdout}${stderr}`, 1, { cause: error });
  }
}

/** A release on the candidate that differs from the one that was proven. */
async function nextRelease(engine: DemoEngine): Promise<void> {
  await engine.setTraffic(0);
  await engine.succeed(["up", "--yes", "--skip-preview"]);
  await engine.succeed(["config", "set", "--path", `golive:${candidate}.version`, "2.0.1"]);
  await engine.succeed(["up", "--yes", "--skip-preview"]);
}

/** Waits until the candidate answers users, or the walk has ended before. */
async function hasTraffic(load: Load, walking: Promise<unknown>): Promise<void> {
  const began = load.now();
  let over = false;
  const end = () => {
    over = true;
  };
  walking.then(end, end);
  for (;;) {
    const { counted } = await load.sample(began, load.now());
    if (counted[candidate] > 0 || over) return;
    await sleep(250);
  }
}

function walkOf(release: Walk["release"], result: WalkResult, load: Load, all: WholeSample, broken?: number): Walk {
  const { records, requests, failed, written, lost } = all;
  const { outcome, reason, steps, live } = result;
  const seconds = load.now() / 1000;
  return {
    ...{ release, outcome, reason, live: live ?? null, steps, seconds, requests, failed, written, lost },
    p95Ms: percentile(
      records.map(({ ms }) => ms),
      95,
    ),
    backSeconds: broken === undefined ? null : backSeconds(records, broken),
  };
}

/** From the first bad answer until the candidate's last one, in seconds; null: it never failed. */
function backSeconds(records: readonly LoadRecord[], broken: number): number | null {
  const after = records.filter(({ at, colour }) => at >= broken && colour === candidate);
  const first = after.find(({ ok }) => !ok);
  const last = after.reduce((latest, { at, ms }) => Math.max(latest, at + ms), 0);
  return first === undefined ? null : (last - first.at - first.ms) / 1000;
}
