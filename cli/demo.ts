import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { gateway } from "../local/gateway.ts";
import { type Load, settleSeconds, startLoad } from "../local/load/load.ts";
import { places } from "../local/places.ts";
import { borrowCluster } from "./borrowed-cluster.ts";
import { type Command, parseOptions, refusePositionals } from "./command.ts";
import { type Scraped, scraped } from "./demo-prometheus.ts";
import {
  type DemoRefusal,
  type DemoReport,
  type DemoStep,
  neededRequests,
  reportText,
  shortcomings,
} from "./demo-report.ts";
import { Failure } from "./failure.ts";
import { Prometheus } from "./prometheus.ts";
import { candidateTraffic, type PulumiOptions, type PulumiResult, pulumi } from "./pulumi.ts";
import type { Session } from "./session.ts";
import { ownWorkspace, resetStackFile, changeableStack as stack, stackText } from "./workspace.ts";

export const demo: Command = {
  help: `
golive demo: TaskFlow goes live on a real cluster, and its traffic is stepped by repeated "pulumi up", under load.

Usage: golive demo [--keep]

  --keep   leave the cluster and the stack running at the end, and say how to reach them

Starts the throw-away cluster (or uses the one in GOLIVE_KUBECONFIG), brings stack local up with blue (version 1) and green
(version 2), puts load on its gateway at loopback (users who log in, read tasks and write some), and steps the candidate's
traffic to 10, 50, 100 and back to 0. Exits 1 when a request failed, a task that was written is lost, or a share was off by
more than 3 points. Writes .golive/demo.json.
The first run builds the cluster (minutes); after that it takes less than three.

Examples:
  golive demo
  golive demo --keep && golive pulumi preview --stack local
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("demo", args, { keep: { type: "boolean", default: false } });
    refusePositionals("demo", positionals);
    return await runDemo(session, values.keep);
  },
};

const candidate = "green";
/** The default of `golive:monitoring`. */
const monitoringNamespace = "monitoring";
const requestsPerSecond = 250;
/** Bounds the load however long the steps take; a whole demo puts about 90 seconds of it. */
const loadSeconds = 600;

async function runDemo(session: Session, keep: boolean): Promise<number> {
  const { progress } = session;
  const hostname = await stackText(ownWorkspace, stack, "golive:hostname");
  const { started, ours } = await borrowCluster(session, keep);
  const engine = new DemoEngine(session);
  const destroyTitle = `destroy stack ${stack}`;
  const destroy = () => progress.stage(destroyTitle, () => engine.destroy());
  // A cluster that this demo started takes the stack with it, however the demo ends; from any other the demo takes it off.
  const onUp = () => void (keep || started || session.atEnd(destroyTitle, destroy));
  await progress.stage(`bring stack ${stack} up, all traffic on blue`, () => startFromZero(engine, ours, onUp));
  await progress.stage("both colours answer", () => waitForAnswers(hostname));

  const prometheus = new Prometheus(places.kubeconfig, monitoringNamespace);
  const load = await startLoad({
    origin: { host: gateway.host, port: gateway.publicPort },
    hostname,
    requestsPerSecond,
    seconds: loadSeconds,
  });
  const forgetLoad = session.atEnd("stop the load", async () => void (await load.stop()));
  progress.note(`load: ${requestsPerSecond} requests a second on ${hostname}, from now until after the last step`);
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
  const all = await load.stop();
  forgetLoad();

  const { requests, failed, failures, written, lost } = all;
  const seconds = rounded((all.to - all.from) / 1000);
  const whole = { requestsPerSecond, seconds, requests, failed, failures, written, lost };
  const report: DemoReport = { steps, refusals, load: whole };
  await writeFile(join(places.golive, "demo.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  if (started && !keep) await destroy();
  // What could not be put back is told at the end of the command.
  if (!keep) await session.end();

  process.stdout.write(`\n${reportText(report)}\n`);
  if (keep) process.stdout.write(`\n${howToReach(hostname, ours)}\n`);
  const problems = shortcomings(report);
  for (const problem of problems) process.stderr.write(`golive demo: ${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

/** Pulumi on the demo's stack, quiet unless something goes wrong. */
class DemoEngine {
  readonly #options: PulumiOptions;
  readonly #session: Session;
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
    // Named, so that a PULUMI_BACKEND_URL of the user's does not lead the demo to a real state.
    this.#options = { session, progress: session.progress, capture: true, workspace: ownWorkspace, stack };
  }

  /** Once the demo is stopped, nothing is begun any more: what it made is being taken down. */
  async run(args: readonly string[]): Promise<PulumiResult> {
    if (this.#session.endedBy !== undefined) throw new Failure(`stopped by ${this.#session.endedBy}`);
    return await this.#start(args);
  }

  async succeed(args: readonly string[], next = ""): Promise<PulumiResult> {
    return succeeded(args, await this.run(args), next);
  }

  /** Takes the stack down, also after the demo was stopped. */
  async destroy(): Promise<void> {
    await this.#last;
    const args = ["destroy", "--yes", "--skip-preview"];
    succeeded(args, await this.#start(args), `\n\nIt is left as it is. Remove it: ${removal}`);
  }

  #start(args: readonly string[]): Promise<PulumiResult> {
    const result = pulumi([...args, "--color", "never"], this.#options);
    // Its failure belongs to whoever asked for it; here only its end counts.
    this.#last = result.catch(() => undefined);
    return result;
  }

  setTraffic(percent: number): Promise<PulumiResult> {
    return this.succeed(["config", "set", "golive:candidateTraffic", `${percent}`]);
  }

  /** The candidate traffic of the last `up`; undefined when there was none. */
  traffic(): Promise<number | undefined> {
    return candidateTraffic(this.#options);
  }
}

function succeeded(args: readonly string[], result: PulumiResult, next: string): PulumiResult {
  if (result.exitCode === 0) return result;
  throw new Failure(`pulumi ${args.join(" ")} ended with exit code ${result.exitCode}:\n${reasonsIn(result)}${next}`);
}

/** What a failed run says last: its diagnostics, without the list of what it was doing. */
function reasonsIn({ stdout, stderr }: PulumiResult): string {
  const text = `${stdout}${stderr}`.trim();
  const diagnostics = text.lastIndexOf("\nDiagnostics:");
  return diagnostics < 0
    ? text
    : (text
        .slice(diagnostics + 1)
        .split(/\n(?:Outputs|Resources):/, 1)[0]
        ?.trimEnd() ?? text);
}

const removal = `golive pulumi destroy --yes --stack ${stack}`;

const startAnew = `\n\nThe demo cannot begin from where the stack is. Remove it and start again: ${removal}`;

/** Somebody else's cluster is not ours to throw away. */
const leftover = (ours: boolean) =>
  ours
    ? "\n\nIf a run that was cut off left something on the cluster, throw it away and start again: golive local down"
    : `\n\nIf a run that was cut off left something on the cluster, remove it and start again: ${removal}`;

/** Brings the stack to what the checkout says, at 0, from wherever an earlier run left it; `onUp` hears when it is the demo's. */
async function startFromZero(engine: DemoEngine, ours: boolean, onUp: () => void): Promise<void> {
  const before = await engine.traffic();
  if (before !== undefined && before > 0) {
    // The way down first, alone: whatever else the checkout changed may only come at 0.
    await engine.setTraffic(0);
    await engine.succeed(["up", "--yes", "--skip-preview"], startAnew);
  }
  await resetStackFile(ownWorkspace, stack);
  await engine.setTraffic(0);
  // What a first `up` makes is the demo's, also when it fails half way; a stack that was there is, once it could be taken over.
  if (before === undefined) onUp();
  await engine.succeed(["up", "--yes", "--skip-preview"], before === undefined ? leftover(ours) : startAnew);
  if (before !== undefined) onUp();
}

const answerSeconds = 60;

/** Waits until the public name and each colour alone answer: page and API. */
async function waitForAnswers(hostname: string): Promise<void> {
  const deadline = performance.now() + answerSeconds * 1000;
  const { publicPort, internalPort } = gateway;
  const wanted = [
    { port: publicPort, host: hostname, colour: "blue" },
    { port: internalPort, host: `blue.${hostname}`, colour: "blue" },
    { port: internalPort, host: `green.${hostname}`, colour: "green" },
  ].flatMap((each) => [
    { ...each, path: "/" },
    { ...each, path: "/api/version" },
  ]);
  for (const { port, host, colour, path } of wanted) {
    let got = await ask(port, host, path);
    while (got !== colour) {
      if (performance.now() > deadline) {
        const address = `http://${gateway.host}:${port}${path} (Host: ${host})`;
        throw new Failure(
          `${address}: got ${got} for ${answerSeconds} s; ${colour} should answer. See: golive local status`,
        );
      }
      await sleep(250);
      got = await ask(port, host, path);
    }
  }
}

/** The colour that answered with success, or what came instead. */
function ask(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: gateway.host, port, path, headers: { host }, agent: false, timeout: 5000 });
    outgoing.once("response", (response) => {
      const colour = response.headers["x-taskflow-colour"];
      response.resume();
      resolve(response.statusCode === 200 && typeof colour === "string" ? colour : `status ${response.statusCode}`);
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer within 5 s")));
    outgoing.once("error", (error) => resolve(error.message));
    outgoing.end();
  });
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

function howToReach(hostname: string, ours: boolean): string {
  const { host, publicPort, internalPort } = gateway;
  return `The cluster is left running, with blue at 100 % and green at 0 %:

  curl -H 'Host: ${hostname}' http://${host}:${publicPort}/api/version            what users reach
  curl -H 'Host: green.${hostname}' http://${host}:${internalPort}/api/version    green alone, whatever its share
  KUBECONFIG=${places.kubeconfig} ${join(places.bin, "kubectl")} -n ${stack} get pods

Take a step yourself:

  ./golive pulumi config set --stack ${stack} golive:candidateTraffic 10
  ./golive pulumi up --stack ${stack}

${ours ? "Stop it: ./golive local down" : `Remove it: ./${removal}`}`;
}
