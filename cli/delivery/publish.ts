import process from "node:process";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { markOf as previewMark } from "../preview/render.ts";
import { repositoryOf } from "./github.ts";
import { keptReport, type ReportKind, reportKinds } from "./job.ts";
import { required } from "./line.ts";

/** What GitHub takes for one comment or issue, in characters. */
const limit = 65_536;

export const publish: Command = {
  help: `
golive delivery publish: puts a report where people read it. A second run edits what the first one made.

Usage: golive delivery publish preview --stack STACK --pull-request NUMBER
       golive delivery publish drift --stack STACK

preview becomes one comment for each stack; drift becomes one issue for each stack, closed by the first run that finds none.
It needs GITHUB_TOKEN, GITHUB_API_URL and GITHUB_REPOSITORY, and nothing of Pulumi, the cluster or the cloud: in a workflow it is a
step of its own, and the only one that holds the token.
`,
  async run(args) {
    const { values, positionals } = parseOptions("delivery publish", args, {
      stack: { type: "string" },
      "pull-request": { type: "string" },
    });
    const [word, ...more] = positionals;
    refusePositionals("delivery publish", more);
    const kind = reportKinds.find((each) => each === word);
    if (kind === undefined)
      throw new Failure(`golive delivery publish: got ${word ?? "nothing"}; allowed: ${reportKinds.join(", ")}`, 2);
    const stack = required("publish", "stack", values.stack);
    const number =
      kind === "preview" ? numberOf(required("publish", "pull-request", values["pull-request"])) : undefined;
    const repository = repositoryOf();
    const report = await keptReport(kind, stack);
    const mark = markOf(kind, stack);
    const done =
      number !== undefined
        ? await repository.comment(number, mark, bodyOf(mark, report))
        : report.trim() === ""
          ? await repository.closeIssue(mark, "What is live is as the stack left it again.")
          : await repository.openIssue(mark, `Stack ${stack} has drifted`, bodyOf(mark, report));
    process.stdout.write(`${kind} of stack ${stack}: ${done}\n`);
    return 0;
  },
};

/** The first line of what we publish, by which it is found again; nobody sees it. A preview brings its own. */
export const markOf = (kind: ReportKind, stack: string) =>
  kind === "preview" ? previewMark(stack) : `<!-- golive ${kind} of stack ${stack} -->`;

/** A report below its mark. One that is too long ends after a whole line, and says so. */
export function bodyOf(mark: string, report: string): string {
  const whole = `${report.startsWith(mark) ? "" : `${mark}\n`}${report.trim()}\n`;
  if (whole.length <= limit) return whole;
  const note = "\n\n**Cut here: the rest is in the summary of the run.**\n";
  const kept = whole.slice(0, limit - note.length);
  return `${kept.slice(0, kept.lastIndexOf("\n"))}${note}`;
}

function numberOf(text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new Failure(`golive delivery publish: --pull-request: got "${text}"; allowed: its number`, 2);
}
