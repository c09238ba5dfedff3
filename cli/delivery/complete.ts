import process from "node:process";
import { z } from "zod";
import { parseJson } from "../../rollout/parse-json.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { required } from "./line.ts";

const needsForm = z.record(z.string(), z.object({ result: z.string(), outputs: z.record(z.string(), z.string()) }));

/** How the jobs that a job waits for have ended, and what they told: GitHub's context `needs`. */
export type Needs = Readonly<z.infer<typeof needsForm>>;

export const complete: Command = {
  help: `
golive delivery complete: refuses unless each job before this one has succeeded, or had no stack to work on. A matrix has a check for
each stack, under changing names; the job with this step has one name, which main's protection can require.

Usage: golive delivery complete --needs JSON

  --needs JSON   GitHub's context "needs", with the job "stacks" among its jobs

Exit codes: 0 complete, 1 not.
`,
  async run(args) {
    const { values, positionals } = parseOptions("delivery complete", args, { needs: { type: "string" } });
    refusePositionals("delivery complete", positionals);
    const needs = needsIn(required("complete", "needs", values.needs));
    const open = openJobs(needs);
    if (open.length > 0)
      throw new Failure(
        `not complete: ${open.join("; ")}. Allowed: success, or skipped where the job stacks found none. Next: its log; a fork's ` +
          "pull request gets no preview, until somebody who may write here pushes its branch to this repository",
      );
    process.stdout.write(`complete: ${Object.keys(needs).join(", ")}\n`);
    return 0;
  },
};

/** The jobs that are no reason to go on, each with how it ended. */
export function openJobs(needs: Needs): readonly string[] {
  const { stacks } = needs;
  const nothingToDo = stacks?.result === "success" && stacks.outputs.stacks === "[]";
  return Object.entries(needs).flatMap(([job, { result }]) =>
    result === "success" || (result === "skipped" && nothingToDo) ? [] : [`job ${job}: ${result}`],
  );
}

/** @throws Failure that says what is not right about it. */
function needsIn(text: string): Needs {
  const read = needsForm.safeParse(parseJson(text));
  if (read.success && read.data.stacks !== undefined) return read.data;
  throw new Failure("golive delivery complete: --needs: allowed: toJSON(needs), with the job stacks in it", 2);
}
