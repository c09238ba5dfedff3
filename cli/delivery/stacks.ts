import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parse } from "yaml";
import { places } from "../../local/places.ts";
import { runChild } from "../child.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { changeableStack } from "../workspace.ts";
import { repositoryOf } from "./github.ts";
import { jobOf } from "./job.ts";

/** A stack that is delivered, and what goes live on it. */
export interface DeliveredStack {
  readonly name: string;
  readonly application: string;
}

export const stacks: Command = {
  help: `
golive delivery stacks: which stacks a change concerns, as a JSON list. In a GitHub job also as its output "stacks", and as
"shared" whether one of its files concerns more than one of them.

Usage: golive delivery stacks [--base COMMIT] [--head COMMIT] [--undelivered]

  --base COMMIT   where the change began; its merge base with --head counts. Without it, or where it is not known: every stack
  --head COMMIT   default: HEAD
  --undelivered   begin at the last commit of this branch whose run of this workflow was green instead: what a run that failed, was
                  cancelled or overtaken has left counts, too, and so does what one commit did and a later one undid. It reads
                  GITHUB_WORKFLOW_REF and GITHUB_REF_NAME, and needs GITHUB_TOKEN (actions: read)

A stack's own file concerns that stack; migrations/APPLICATION concerns the stacks of that application; documents, tests, local/ and
the workflows concern none; everything else concerns all. Stack ${changeableStack} is nobody's to deliver.

Example:
  golive delivery stacks --base origin/main
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("delivery stacks", args, {
      base: { type: "string", default: "" },
      head: { type: "string", default: "HEAD" },
      undelivered: { type: "boolean", default: false },
    });
    refusePositionals("delivery stacks", positionals);
    const { base, head, undelivered } = values;
    const delivered = await deliveredStacks(places.root);
    // A run that is started by hand has no base, and means every stack.
    const from = undelivered && base !== "" ? await lastDelivered(process.env) : base;
    const files = await (undelivered ? touchedFiles : changedFiles)(places.root, from, head);
    if (files === undefined) session.progress.note(`no base to compare with (got "${from}"): every stack counts`);
    else session.progress.note(`compared with ${from}`);
    const names = JSON.stringify(concernedStacks(files, delivered));
    await jobOf().output("stacks", names);
    await jobOf().output("shared", String(isShared(files, delivered)));
    process.stdout.write(`${names}\n`);
    return 0;
  },
};

/** Paths that no stack is made from. Whatever is not listed may be: a new folder concerns every stack until it stands here. */
const elsewhere = [
  /^(\.ci|\.github|docs|tests|local|cli)\//,
  /^[^/]+\.md$/,
  /^(LICENSE|golive|biome\.json|vitest\.config\.ts|\.editorconfig|\.gitignore)$/,
];

/** The names, sorted, of the stacks that a change of these files concerns; undefined files: nobody knows, so all. */
export function concernedStacks(
  files: readonly string[] | undefined,
  all: readonly DeliveredStack[],
): readonly string[] {
  const concerned = all.filter(({ name, application }) => {
    if (files === undefined) return true;
    return files.some((file) => {
      const stack = /^Pulumi\.([^/]+)\.yaml$/.exec(file)?.[1];
      if (stack !== undefined) return stack === name;
      const migrated = /^migrations\/([^/]+)\//.exec(file)?.[1];
      if (migrated !== undefined) return migrated === application;
      return !elsewhere.some((pattern) => pattern.test(file));
    });
  });
  return concerned.map(({ name }) => name).sort();
}

/** Whether a file concerns more than one stack: then what was not shown on the first may not go on to the next. */
export const isShared = (files: readonly string[] | undefined, all: readonly DeliveredStack[]): boolean =>
  files === undefined || files.some((file) => concernedStacks([file], all).length > 1);

/** The commit that the last green run of this job's workflow has delivered; empty when there was none. */
async function lastDelivered(env: NodeJS.ProcessEnv): Promise<string> {
  const workflow = /\/([^/@]+\.ya?ml)@/.exec(env.GITHUB_WORKFLOW_REF ?? "")?.[1];
  const branch = env.GITHUB_REF_NAME;
  if (workflow === undefined || !branch)
    throw new Failure(
      "golive delivery stacks: --undelivered: GITHUB_WORKFLOW_REF and GITHUB_REF_NAME must be set, as GitHub sets them for a job; elsewhere name a commit in --base",
      2,
    );
  return (await repositoryOf(env).lastGreen(workflow, branch)) ?? "";
}

/** Every stack that the checkout describes, but for the one of a person's own machine. */
export async function deliveredStacks(root: string): Promise<readonly DeliveredStack[]> {
  const names = (await readdir(root)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  return await Promise.all(
    names
      .filter((name) => name !== changeableStack)
      .map(async (name) => {
        const file: unknown = parse(await readFile(join(root, `Pulumi.${name}.yaml`), "utf8"));
        const application = (file as { config?: Record<string, unknown> } | null)?.config?.["golive:application"];
        if (typeof application === "string") return { name, application };
        throw new Failure(
          `Pulumi.${name}.yaml: golive:application: got ${JSON.stringify(application) ?? "nothing"}`,
          2,
        );
      }),
  );
}

/** The files that differ since the two had one history; undefined when git does not know where the change began. */
export async function changedFiles(root: string, base: string, head: string): Promise<readonly string[] | undefined> {
  if (!isBase(base, head)) return undefined;
  const common = await git(root, "merge-base", base, head);
  if (common.exitCode !== 0) return undefined;
  // A rename concerns where the file was, too.
  const changed = await git(root, "diff", "--name-only", "--no-renames", "-z", common.stdout.trim(), head);
  if (changed.exitCode !== 0) throw new Failure(`git cannot compare ${base} with ${head}:\n${changed.stderr.trim()}`);
  return filesIn(changed.stdout);
}

/**
 * The files that any commit since `base` has touched: what one did and the next undid may stand on a stack all the same, when the
 * second was never delivered. Undefined when `base` is no commit before `head`.
 */
export async function touchedFiles(root: string, base: string, head: string): Promise<readonly string[] | undefined> {
  if (!isBase(base, head)) return undefined;
  if ((await git(root, "merge-base", "--is-ancestor", base, head)).exitCode !== 0) return undefined;
  // Along main: a merge counts as one commit, with all that it brought.
  const log = ["log", "--first-parent", "--format=", "--name-only", "--no-renames", "-z"];
  const touched = await git(root, ...log, `${base}..${head}`);
  if (touched.exitCode !== 0) throw new Failure(`git cannot list ${base} to ${head}:\n${touched.stderr.trim()}`);
  return [...new Set(filesIn(touched.stdout))];
}

/** Whether there is anything to compare with. @throws Failure for what git would take for an option. */
function isBase(base: string, head: string): boolean {
  // A push that made the branch has zeros for what was there before.
  if (base === "" || /^0+$/.test(base)) return false;
  for (const name of [base, head]) {
    if (!/^[\w./~^@][\w./~^@-]*$/.test(name))
      throw new Failure(`golive delivery stacks: got ${JSON.stringify(name)}; allowed: a commit, a branch or a tag`, 2);
  }
  return true;
}

const git = (root: string, ...args: readonly string[]) =>
  runChild("git", ["-C", root, ...args], { cwd: root, env: process.env, capture: true });

const filesIn = (listed: string): readonly string[] => listed.split("\0").filter((file) => file !== "");
