import { setTimeout as sleep } from "node:timers/promises";
import { type Load, settleSeconds } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { Failure } from "../failure.ts";
import { Prometheus } from "../prometheus.ts";
import type { Session } from "../session.ts";
import { changeableStack as stack } from "../workspace.ts";
import { begin, candidate, type DemoResult, requestsPerSecond } from "./begin.ts";
import type { DemoEngine } from "./engine.ts";
import { type Scraped, scraped } from "./prometheus.ts";
import {
  type DemoRefusal,
  type DemoReport,
  type DemoStep,
  neededRequests,
  reportText,
  shortcomings,
} from "./report.ts";

/** The default of `golive:monitoring`. */
const monitoringNamespace = "monitoring";

/** A person's steps, 0 to 10, 50, 100 and back, each by one `pulumi up`, and one that is refused. */
export async function runSteps(session: Session, keep: boolean): Promise<DemoResult> {
  const { progress } = session;
  const stage = await begin(session, keep);
  const { engine } = stage;
  const prometheus = new Prometheus(places.kubeconfig, monitoringNamespace);
  const { load, stop } = await stage.startLoad();
  const steps: DemoStep[] = [];
  const refusals: DemoRefusal[] = [];
  const step = async (percent: number) =>
    void steps.push(await progress.stage(`step to ${percent} %`, () => takeStep(engine, load, prometheus, percent)));
  await step(10);
  refusals.push(await progress.stage("a step that skips a rung is refused", () => showRefusal(engine, 10, 100)));
  progress.note(`refused: ${refusals.at(-1)?.message}`);
  await step(50);
  await step(100);
  await step(0);
  const { requests, failed, failures, written, lost, from, to } = await stop();
  const whole = { requestsPerSecond, seconds: rounded((to - from) / 1000), requests, failed, failures, written, lost };
  const report: DemoReport = { steps, refusals, load: whole };
  const more = await stage.end(report);
  return { text: `${reportText(report)}${more}`, problems: shortcomings(report) };
}

// More than are needed, as a few come before the step has settled.
const measuredRequests = neededRequests + 500;
const settleLimitSeconds = 30;

/** One rung: the config value, the `up`, and the share that users see from then on. */
async function takeStep(engine: DemoEngine, load: Load, prometheus: Prometheus, percent: number): Promise<DemoStep> {
  const began = load.now();
  await engine.setTraffic(percent);
  const { seconds: upSeconds } = await engine.succeed(["up", "--yes"]);
  const ended = load.now();

  const measureMs = (measuredRequests / requestsPerSecond) * 1000;
  let until = ended + measureMs;
  let settled: number | undefined;
  for (;;) {
    await sleep(Math.max(0, until - load.now()));
    const { records } = await load.sample(ended, until);
    settled = settleSeconds(records, { colour: candidate, percent, from: ended });
    const enough = settled !== undefined && until - ended - settled * 1000 >= measureMs;
    if (enough || until - ended > measureMs + settleLimitSeconds * 1000) break;
    until += 1000;
  }
  const from = ended + (settled ?? 0) * 1000;
  const share = await load.sample(from, until);
  const whole = await load.sample(began, until);
  return {
    asked: percent,
    measured: rounded(share.share[candidate]),
    requests: share.requests,
    failed: whole.failed,
    p95Ms: rounded(whole.p95Ms),
    upSeconds: rounded(upSeconds),
    settleSeconds: settled === undefined ? null : rounded(settled),
    prometheus: await scrapedOf(load, prometheus, { from, to: until }),
  };
}

/** What Prometheus has of a time on the load's clock. Its last scrapes of that time are a second old, at most. */
async function scrapedOf(load: Load, prometheus: Prometheus, span: { from: number; to: number }) {
  const start = Date.now() - load.now();
  const [from, to] = [new Date(start + span.from), new Date(start + span.to)];
  const found = await scraped(prometheus, { namespace: stack, candidate, from, to });
  return found === undefined ? null : roundedParts(found);
}

const roundedParts = ({ share, errorPercent, p95Ms }: Scraped): Scraped => ({
  share: rounded(share),
  errorPercent: rounded(errorPercent),
  p95Ms: rounded(p95Ms),
});

const rounded = (value: number) => Math.round(value * 100) / 100;

/** Asks for a step that the rules forbid: the preview must fail and say why. */
async function showRefusal(engine: DemoEngine, from: number, asked: number): Promise<DemoRefusal> {
  await engine.setTraffic(asked);
  const { exitCode, stdout, stderr } = await engine.run(["preview"]);
  await engine.setTraffic(from);
  const message = /candidateTraffic \d+ -> \d+ .*/.exec(`${stdout}${stderr}`)?.[0].trim();
  if (exitCode === 0 || message === undefined) {
    throw new Failure(
      `the preview of ${from} -> ${asked} should be refused; it ended with ${exitCode}:\n${stdout}${stderr}`,
    );
  }
  return { from, asked, exitCode, message };
}
