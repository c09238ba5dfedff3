import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parse } from "yaml";
import { places } from "../../local/places.ts";
import { runChild } from "../child.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { changeableStack } from "../workspace.ts";
import { jobOf } from "./job.ts";

/** A stack that is delivered, and what goes live on it. */
export interface DeliveredStack {
  readonly name: string;
  readonly application: string;
}

export const stacks: Command = {
  help: `
golive delivery stacks: which stacks a change concerns, as a JSON list. In a GitHub job also as its output "stacks".

Usage: golive delivery stacks [--base COMMIT] [--head COMMIT]

  --base COMMIT   where the change began; its merge base with --head counts. Without it, or where it is not known: every stack
  --head COMMIT   default: HEAD

A stack's own file concerns that stack; migrations/APPLICATION concerns the stacks of that application; documents, tests, local/ and
the workflows concern none; everything else concerns all. Stack ${changeableStack} is nobody's to deliver.

Example:
  golive delivery stacks --base origin/main
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("delivery stacks", args, {
      base: { type: "string", default: "" },
      head: { type: "string", default: "HEAD" },
    });
    refusePositionals("delivery stacks", positionals);
    const delivered = await deliveredStacks(places.root);
    const files = await changedFiles(places.root, values.base, values.head);
    if (files === undefined)
      session.progress.note(`no base to compare with (got "${values.base}"): every stack counts`);
    const names = JSON.stringify(concernedStacks(files, delivered));
    await jobOf().output("stacks", names);
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
  // A push that made the branch has zeros for what was there before.
  if (base === "" || /^0+$/.test(base)) return undefined;
  for (const name of [base, head]) {
    if (!/^[\w./~^@][\w./~^@-]*$/.test(name))
      throw new Failure(`golive delivery stacks: got ${JSON.stringify(name)}; allowed: a commit, a branch or a tag`, 2);
  }
  const git = (...args: readonly string[]) =>
    runChild("git", ["-C", root, ...args], { cwd: root, env: process.env, capture: true });
  const common = await git("merge-base", base, head);
  if (common.exitCode !== 0) return undefined;
  // A rename concerns where the file was, too.
  const changed = await git("diff", "--name-only", "--no-renames", "-z", common.stdout.trim(), head);
  if (changed.exitCode !== 0) throw new Failure(`git cannot compare ${base} with ${head}:\n${changed.stderr.trim()}`);
  return changed.stdout.split("\0").filter((file) => file !== "");
}
