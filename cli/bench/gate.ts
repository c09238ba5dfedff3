import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { taskflow } from "../../applications/taskflow.ts";
import { places } from "../../local/places.ts";
import { Clock, hours, minutes } from "../../monitoring/clock.ts";
import { type Thresholds, thresholdsOf } from "../../rollout/gate/thresholds.ts";
import type { Session } from "../session.ts";
import { type BadRelease, type GateReport, type GoodRelease, gateText, missedAims } from "./gate-report.ts";
import { type Ending, endings } from "./gate-simulation.ts";

/** Requests a second to a candidate that has a tenth: a busy service, a small one, one that is hardly used. */
const rates = [150, 15, 1.5] as const;
/** What stable always answers, and a good release as well (S1-77). */
const usual = 0.001;
/** How many requests fail in a row, on average. */
const bursts = 10;
const step = minutes(15);

const goodReleases = [
  { name: "0.1 % fail, each on its own", failing: usual, stable: usual, burst: 1, aim: 1 },
  { name: `0.1 % fail, in bursts of ${bursts}`, failing: usual, stable: usual, burst: bursts, aim: 1 },
  { name: `5 % fail of both colours, in bursts of ${bursts}`, failing: 0.05, stable: 0.05, burst: bursts, aim: 1 },
] as const;

const badPercents = [2, 5, 10, 30, 100] as const;
const runs = 200;
/** The aim of the issue: a release of which 30 % fails, at 150 requests a second. */
const aimOf = (percent: number, rate: number) => (percent >= 30 && rate === 150 ? { aim: 5 } : {});

/** Simulates releases against the gate and the guard's fast test, prints how often they are wrong, and judges that. */
export async function benchGate({ progress }: Session, days: number): Promise<number> {
  const thresholds = thresholdsOf(taskflow, new Clock());
  const good: GoodRelease[] = [];
  for (const { name, failing, stable, burst, aim } of goodReleases) {
    for (const [index, rate] of rates.entries()) {
      const scene = {
        candidate: { rate, failing, burst },
        stable: { rate: rate * 9, failing: stable, burst },
        step,
        seed: index + 1,
      };
      const ended = await progress.stage(`${days} days: ${name}, ${rate} a second`, () =>
        endings(scene, days * hours(24), thresholds),
      );
      good.push({ name, rate, days, endings: ended, aim });
    }
  }
  const bad = await progress.stage(`bad releases, ${runs} times each`, async () => {
    const releases: BadRelease[] = [];
    for (const percent of badPercents) {
      for (const rate of rates) releases.push(await findBad(percent, rate, thresholds));
    }
    return releases;
  });
  const report: GateReport = { good, bad, patience: step };
  await writeFile(join(places.golive, "bench-gate.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`\n${gateText(report)}\n`);
  const missed = missedAims(report);
  for (const problem of missed) process.stderr.write(`golive bench gate: ${problem}\n`);
  return missed.length === 0 ? 0 : 1;
}

async function findBad(percent: number, rate: number, thresholds: Thresholds): Promise<BadRelease> {
  const candidate = { rate, failing: percent / 100, burst: 1 };
  const stable = { rate: rate * 9, failing: usual, burst: 1 };
  const found: (Ending | undefined)[] = [];
  for (let run = 1; run <= runs; run++) {
    const [first] = await endings({ candidate, stable, step, seed: run }, step, thresholds, "first");
    found.push(first);
  }
  return { percent, rate, endings: found, ...aimOf(percent, rate) };
}
