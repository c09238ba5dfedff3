import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";
import { answeringCluster } from "../cluster-address.ts";
import { Failure } from "../failure.ts";
import { ownPack } from "../preview/judged.ts";
import { type PulumiOptions, pulumi } from "../pulumi.ts";
import type { Session } from "../session.ts";
import { median, table } from "../table.ts";
import { workspaceAt } from "../workspace.ts";

const times = 5;
const stack = "production";
/** The pack may add less than this to the time of a preview. */
const mostRatio = 1.3;

/** Measures a full preview of stack production with the policy pack against the same one without it, in turns. */
export async function benchPreview(session: Session): Promise<number> {
  const { progress } = session;
  await answeringCluster(progress);
  const directory = join(places.golive, "bench-preview");
  await rm(directory, { recursive: true, force: true });
  const options: PulumiOptions = { session, progress, capture: true, workspace: workspaceAt(directory) };
  // The first preview makes the stack and fills Node's cache of compiled code; of the pack's, too.
  await progress.stage("one preview of each, unmeasured", async () => {
    await previewSeconds([], options);
    await previewSeconds(withPack, options);
  });

  const plain: number[] = [];
  const judged: number[] = [];
  for (let turn = 1; turn <= times; turn++) {
    await progress.stage(`turn ${turn} of ${times}`, async () => {
      plain.push(await previewSeconds([], options));
      judged.push(await previewSeconds(withPack, options));
    });
  }
  await rm(directory, { recursive: true });

  const ratio = median(judged) / median(plain);
  const report = { plain, judged, medians: { plain: median(plain), judged: median(judged) }, ratio };
  await writeFile(join(places.golive, "bench-preview.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`\n${reportText(plain, judged)}\n`);
  return ratio < mostRatio ? 0 : 1;
}

const withPack = ["--policy-pack", ownPack];

async function previewSeconds(judgedBy: readonly string[], options: PulumiOptions): Promise<number> {
  const run = await pulumi(["preview", "--stack", stack, ...judgedBy], options);
  // A violation ends the preview like any other: it was judged to its end.
  const failed = judgedBy.length === 0 ? run.exitCode !== 0 : !/Policies:|Resources:/.test(run.stdout);
  if (failed) throw new Failure(`pulumi preview ended with exit code ${run.exitCode}:\n${run.stdout}${run.stderr}`);
  return run.seconds;
}

/** The seconds of each turn, and how much longer a preview takes with the pack. */
export function reportText(plain: readonly number[], judged: readonly number[]): string {
  const row = (title: string, seconds: readonly number[]) => [
    title,
    ...seconds.map((value) => value.toFixed(2)),
    median(seconds).toFixed(2),
  ];
  const header = [`seconds of a preview of ${stack}`, ...plain.map((_, turn) => `#${turn + 1}`), "median"];
  const ratio = median(judged) / median(plain);
  const verdict = ratio < mostRatio ? "less than" : "NOT less than";
  return `${table(header, [row("without policies", plain), row("with the pack", judged)])}

ratio ${ratio.toFixed(2)}: ${verdict} ${mostRatio.toFixed(2)}`;
}
