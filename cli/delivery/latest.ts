import process from "node:process";
import { places } from "../../local/places.ts";
import type { Command } from "../command.ts";
import { Failure } from "../failure.ts";
import { repositoryOf } from "./github.ts";
import { stackOf } from "./line.ts";
import { concernedStacks, deliveredStacks } from "./stacks.ts";

export const latest: Command = {
  help: `
golive delivery latest: refuses a commit that a newer one of its branch has overtaken for this stack.

Usage: golive delivery latest --stack STACK

A job may wait for hours for somebody to approve it. Run after a newer one, it would take the stack back to what it was, traffic and
all: a way down is never refused. What it would have brought is not lost: a refused run is not green, and the run of the newest
commit takes in all since the last green one (golive delivery stacks --undelivered). It reads GITHUB_SHA and GITHUB_REF_NAME, and needs GITHUB_TOKEN (contents: read).
`,
  async run(args) {
    const stack = stackOf("latest", args);
    const { GITHUB_SHA: commit, GITHUB_REF_NAME: branch } = process.env;
    if (!commit || !branch)
      throw new Failure(
        "golive delivery latest: GITHUB_SHA and GITHUB_REF_NAME must be set, as GitHub sets them for a job",
        2,
      );
    const files = await repositoryOf().changedSince(commit, branch);
    if (!concernedStacks(files, await deliveredStacks(places.root)).includes(stack)) {
      process.stdout.write(`nothing newer on ${branch} concerns stack ${stack}\n`);
      return 0;
    }
    throw new Failure(
      `stack ${stack}: ${branch} has a newer commit that concerns it, so ${commit.slice(0, 10)} is not delivered any more. The run of the newest commit brings it along: it takes in all that no green run has delivered`,
    );
  },
};
