import { mkdir, rm, writeFile } from "node:fs/promises";
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

/**
 * Measures a full preview of stack production with the policy pack against the same one without it, in turns; and with a pack that has
 * no rule, which is what Pulumi asks for any pack: starting the SDK, and two questions for each resource.
 */
export async function benchPreview(session: Session): Promise<number> {
  const { progress } = session;
  await answeringCluster(progress);
  const directory = join(places.golive, "bench-preview");
  await rm(directory, { recursive: true, force: true });
  const options: PulumiOptions = {
    session,
    progress,
    capture: true,
    workspace: workspaceAt(join(directory, "workspace")),
  };
  const packs = {
    plain: [],
    empty: ["--policy-pack", await emptyPackIn(directory)],
    judged: ["--policy-pack", ownPack],
  };
  // The first preview makes the stack and fills Node's cache of compiled code; of the pack's, too.
  await progress.stage("one preview of each, unmeasured", async () => {
    for (const judgedBy of Object.values(packs)) await previewSeconds(judgedBy, options);
  });

  const seconds = { plain: [] as number[], empty: [] as number[], judged: [] as number[] };
  for (let turn = 1; turn <= times; turn++) {
    await progress.stage(`turn ${turn} of ${times}`, async () => {
      seconds.plain.push(await previewSeconds(packs.plain, options));
      seconds.empty.push(await previewSeconds(packs.empty, options));
      seconds.judged.push(await previewSeconds(packs.judged, options));
    });
  }
  await rm(directory, { recursive: true });

  const ratios = ratiosOf(seconds);
  await writeFile(
    join(places.golive, "bench-preview.json"),
    `${JSON.stringify({ ...seconds, ratios }, undefined, 2)}\n`,
  );
  process.stdout.write(`\n${reportText(seconds)}\n`);
  return ratios.judged < mostRatio ? 0 : 1;
}

/** Seconds of each preview, in order. */
export interface PreviewSeconds {
  readonly plain: readonly number[];
  readonly empty: readonly number[];
  readonly judged: readonly number[];
}

const ratiosOf = ({ plain, empty, judged }: PreviewSeconds) => ({
  empty: median(empty) / median(plain),
  judged: median(judged) / median(plain),
});

/** A pack without a rule, below `.golive/`: Node finds the SDK from there. */
async function emptyPackIn(directory: string): Promise<string> {
  const pack = join(directory, "empty-pack");
  const files = {
    "PulumiPolicy.yaml": JSON.stringify({ runtime: { name: "nodejs", options: { typescript: false } } }),
    "package.json": JSON.stringify({ name: "empty", version: "0.0.0", type: "module", main: "index.js" }),
    "index.js": 'import { PolicyPack } from "@pulumi/policy";\nnew PolicyPack("empty", { policies: [] });\n',
  };
  await mkdir(pack, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(pack, name), text);
  return pack;
}

async function previewSeconds(judgedBy: readonly string[], options: PulumiOptions): Promise<number> {
  const run = await pulumi(["preview", "--stack", stack, ...judgedBy], options);
  // A violation ends the preview like any other: it was judged to its end.
  const failed = judgedBy.length === 0 ? run.exitCode !== 0 : !/Policies:|Resources:/.test(run.stdout);
  if (failed) throw new Failure(`pulumi preview ended with exit code ${run.exitCode}:\n${run.stdout}${run.stderr}`);
  return run.seconds;
}

/** The seconds of each turn, how much longer a preview takes with the pack, and how much of that no pack can do without. */
export function reportText(seconds: PreviewSeconds): string {
  const row = (title: string, each: readonly number[]) => [
    title,
    ...each.map((value) => value.toFixed(2)),
    median(each).toFixed(2),
  ];
  const header = [`seconds of a preview of ${stack}`, ...seconds.plain.map((_, turn) => `#${turn + 1}`), "median"];
  const rows = [
    row("without policies", seconds.plain),
    row("with a pack without rules", seconds.empty),
    row("with the pack", seconds.judged),
  ];
  const { empty, judged } = ratiosOf(seconds);
  const verdict = judged < mostRatio ? "less than" : "NOT less than";
  return `${table(header, rows)}

ratio ${judged.toFixed(2)}: ${verdict} ${mostRatio.toFixed(2)} (a pack without rules: ${empty.toFixed(2)})`;
}
