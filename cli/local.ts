import { resolve } from "node:path";
import process from "node:process";
import { clusterDown, clusterLogs, clusterStatus, clusterUp } from "../local/cluster/cluster.ts";
import { logNames } from "../local/cluster/components.ts";
import { gateway } from "../local/gateway.ts";
import { stackImages } from "../local/images/recipes.ts";
import { type Command, parseOptions } from "./command.ts";
import { Failure } from "./failure.ts";
import type { Progress } from "./progress.ts";

const help = `The throw-away Kubernetes cluster on this machine: one real node, everything built or unpacked below .golive/.

Usage:
  golive local up            start it, or bring a running one up to date
  golive local down          stop it and throw away what it held; nothing of it stays on the machine
  golive local status        what runs; exit code 1 when something does not
  golive local logs NAME     what a component wrote: ${logNames.slice(0, 4).join(", ")},
                             ${logNames.slice(4).join(", ")}
  golive local images FILE   the images of the stack "local" as one archive, to load into a cluster of your own

It needs root. With GOLIVE_KUBECONFIG=FILE the cluster of that file's current context is used instead, and none is started.`;

const words: Readonly<Record<string, (operands: readonly string[], progress: Progress) => Promise<number>>> = {
  up,
  down,
  status,
  logs,
  images,
};

export const local: Command = {
  help,
  async run(args, session) {
    const { positionals } = parseOptions("local", args, {});
    const [word = "", ...operands] = positionals;
    const work = Object.hasOwn(words, word) ? words[word] : undefined;
    if (work === undefined) {
      const got = word === "" ? "nothing" : `"${word}"`;
      throw new Failure(
        `golive local: got ${got}; allowed: ${Object.keys(words).join(", ")}. See: golive local --help`,
        2,
      );
    }
    return await work(operands, session.progress);
  },
};

/** Refuses what a word has no use for, or lacks. */
function expect(word: string, operands: readonly string[], names: readonly string[]): void {
  if (operands.length === names.length) return;
  const usage = ["golive local", word, ...names].join(" ");
  throw new Failure(
    `golive local ${word}: got ${operands.length} operands (${operands.join(" ")}); usage: ${usage}`,
    2,
  );
}

async function up(operands: readonly string[], progress: Progress): Promise<number> {
  expect("up", operands, []);
  const cluster = await clusterUp(progress);
  const lines = [`KUBECONFIG=${cluster.kubeconfig}`];
  if (cluster.ours) lines.push(`gateway at http://${gateway.host}:${gateway.publicPort}`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

async function down(operands: readonly string[], progress: Progress): Promise<number> {
  expect("down", operands, []);
  await clusterDown(progress);
  return 0;
}

async function status(operands: readonly string[]): Promise<number> {
  expect("status", operands, []);
  const components = await clusterStatus();
  const width = Math.max(...components.map(({ name }) => name.length));
  for (const { name, state, detail } of components) {
    process.stdout.write(`${name.padEnd(width)}  ${state.padEnd(9)}  ${detail}`.trimEnd().concat("\n"));
  }
  return components.every(({ state }) => state === "running" || state === "given") ? 0 : 1;
}

async function logs(operands: readonly string[]): Promise<number> {
  expect("logs", operands, ["NAME"]);
  await clusterLogs(operands[0] ?? "", (text) => process.stdout.write(text));
  return 0;
}

async function images(operands: readonly string[], progress: Progress): Promise<number> {
  expect("images", operands, ["FILE"]);
  // Loaded only here: building images brings a bundler with it.
  const { ensureImages, layout } = await import("../local/images/images.ts");
  const { writeArchive } = await import("../local/images/oci.ts");
  const built = await ensureImages(progress, stackImages);
  const file = resolve(operands[0] ?? "");
  await writeArchive(file, layout, built);
  process.stdout.write(`${stackImages.join("\n")}\nin ${file}\n`);
  return 0;
}
