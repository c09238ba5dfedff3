import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";
import { runChild } from "../child.ts";
import type { Command } from "../command.ts";
import { evaluated } from "../preview/evaluated.ts";
import { jobOf, keepReport } from "./job.ts";
import { stackOf } from "./line.ts";
import { keepIdentity } from "./login.ts";

export const preview: Command = {
  help: `
golive delivery preview: golive preview, kept as the report that "golive delivery publish preview" puts on the pull request.

Usage: golive delivery preview --stack STACK

Exit codes, as of golive preview: 0 nothing to object to, 1 refused, 2 could not be evaluated. There is a report in each case.
`,
  async run(args, session) {
    const stack = stackOf("preview", args);
    const identity = await evaluated(() => keepIdentity(session, process.env));
    const words = ["preview", "--stack", stack, "--output", "markdown"];
    const { exitCode, stdout, stderr } = await runChild(
      process.execPath,
      [join(places.root, "cli", "main.ts"), ...words],
      {
        cwd: places.root,
        env: { ...process.env, ...identity },
        capture: true,
        session,
        onNote: (line) => session.progress.note(line),
      },
    );
    // What went to standard error stays in the job's log: it is not made for a comment.
    const report = stdout.trim() === "" ? unevaluated(stack, exitCode) : stdout;
    await keepReport("preview", stack, report);
    await jobOf().summary(report);
    process.stdout.write(report);
    if (stdout.trim() === "" && stderr.trim() === "") process.stderr.write("golive preview said nothing\n");
    // Neither "nothing to object to" nor "refused" without a report that says so.
    return stdout.trim() === "" ? 2 : exitCode;
  },
};

/**
 * The report where there is none: a comment of an earlier run must not stand as if it were this one's. No exit code: the job did not
 * come as far as the preview.
 */
export function unevaluated(stack: string, exitCode?: number): string {
  const how = exitCode === undefined ? "the job ended before it" : `exit code ${exitCode}`;
  return `## Preview of ${stack}: could not be evaluated\n\nNothing is known about this change (${how}). The job's log says why.\n`;
}
