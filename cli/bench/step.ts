import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseDocument } from "yaml";
import { places } from "../../local/places.ts";
import { answeringCluster } from "../cluster-address.ts";
import { Failure } from "../failure.ts";
import { candidateTraffic, type PulumiOptions, type PulumiResult, pulumi } from "../pulumi.ts";
import type { Session } from "../session.ts";
import { median, table } from "../table.ts";
import { changeableStack, ownWorkspace, type Workspace } from "../workspace.ts";

const times = 5;
const traffic = "golive:candidateTraffic";

/** Measures one rung's `up` of stack local against the `up` of a program without resources, in turns. */
export async function benchStep(session: Session): Promise<number> {
  const { progress } = session;
  await answeringCluster(progress);
  // The workspace is named, so that a PULUMI_BACKEND_URL of the user's does not lead to a real state.
  const stack: PulumiOptions = { session, progress, capture: true, workspace: ownWorkspace, stack: changeableStack };
  await progress.stage(`stack ${changeableStack} at 0`, () => startAtZero(stack));
  const empty = await progress.stage("a program without resources", () => emptyProgram(stack));

  const stepSeconds: number[] = [];
  const emptySeconds: number[] = [];
  for (let turn = 1; turn <= times; turn++) {
    const percent = turn % 2 === 1 ? 10 : 0;
    await progress.stage(`turn ${turn} of ${times}: step to ${percent}, and the empty program`, async () => {
      stepSeconds.push(await upAfterSetting(traffic, percent, stack));
      emptySeconds.push(await upAfterSetting("turn", turn, empty));
    });
  }
  await progress.stage("back to 0", () => upAfterSetting(traffic, 0, stack));

  const ratio = median(stepSeconds) / median(emptySeconds);
  const report = {
    step: { seconds: stepSeconds, median: median(stepSeconds) },
    empty: { seconds: emptySeconds, median: median(emptySeconds) },
    ratio,
  };
  await writeFile(join(places.golive, "bench.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  const row = (title: string, seconds: readonly number[]) => [
    title,
    ...seconds.map((value) => value.toFixed(2)),
    median(seconds).toFixed(2),
  ];
  const header = ["seconds of pulumi up", ...stepSeconds.map((_, turn) => `#${turn + 1}`), "median"];
  const text = table(header, [
    row(`one step of stack ${changeableStack}`, stepSeconds),
    row("empty program", emptySeconds),
  ]);
  process.stdout.write(`\n${text}\n\nratio ${ratio.toFixed(2)}\n`);
  return 0;
}

/** The stack as a step finds it: up, at 0. */
async function startAtZero(stack: PulumiOptions): Promise<void> {
  if ((await candidateTraffic(stack)) === undefined) {
    throw new Failure(`stack ${changeableStack} is not up. Bring it up and leave it running: golive demo --keep`, 2);
  }
  await upAfterSetting(traffic, 0, stack);
}

async function upAfterSetting(key: string, value: number, options: PulumiOptions): Promise<number> {
  succeeded(`config set ${key} ${value}`, await pulumi(["config", "set", key, `${value}`], options));
  const up = await pulumi(["up", "--yes"], options);
  succeeded(`up at ${key} ${value}`, up);
  return up.seconds;
}

function succeeded(what: string, { exitCode, stdout, stderr }: PulumiResult): void {
  if (exitCode !== 0) throw new Failure(`pulumi ${what} ended with exit code ${exitCode}:\n${stdout}${stderr}`);
}

/**
 * The least that an `up` can be: our runtime settings, the SDK, and one output that changes.
 * It stands below the checkout, so that it resolves the same SDK.
 */
async function emptyProgram(options: PulumiOptions): Promise<PulumiOptions> {
  const directory = join(places.golive, "bench");
  const workspace: Workspace = {
    project: join(directory, "project"),
    state: join(directory, "state"),
    source: join(directory, "program"),
  };
  await rm(directory, { recursive: true, force: true });
  await mkdir(workspace.source, { recursive: true });
  const project = parseDocument(await readFile(join(places.root, "Pulumi.yaml"), "utf8"));
  project.set("name", "empty");
  project.delete("config");
  await writeFile(join(workspace.source, "Pulumi.yaml"), project.toString());
  await writeFile(join(workspace.source, `Pulumi.${changeableStack}.yaml`), "config: {}\n");
  const program =
    'import * as pulumi from "@pulumi/pulumi";\nexport const turn = new pulumi.Config().require("turn");\n';
  await writeFile(join(workspace.source, "index.ts"), program);
  const empty = { ...options, workspace };
  await upAfterSetting("turn", 0, empty);
  return empty;
}
