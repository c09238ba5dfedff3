import process from "node:process";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { markOf as previewMark } from "../preview/render.ts";
import { repositoryOf } from "./github.ts";
import { keptReport, type ReportKind, reportKinds } from "./job.ts";
import { required } from "./line.ts";
import { unevaluated } from "./preview.ts";

/** What GitHub takes for one comment or issue, in characters. */
const limit = 65_536;

export const publish: Command = {
  help: `
golive delivery publish: puts a report where people read it. A second run edits what the first one made.

Usage: golive delivery publish preview --stack STACK --pull-request NUMBER --commit COMMIT
       golive delivery publish drift --stack STACK

preview becomes one comment for each stack, which names the commit that was judged. Where no preview was kept, because a step before it
failed, the comment says that: what an earlier run found must not stand as if it were of this commit. drift becomes one issue for each
stack, closed by the first run that finds none.
It needs GITHUB_TOKEN, GITHUB_API_URL and GITHUB_REPOSITORY, and nothing of Pulumi, the cluster or the cloud: in a workflow it is a
step of its own, and the only one that holds the token.
`,
  async run(args) {
    const { values, positionals } = parseOptions("delivery publish", args, {
      stack: { type: "string" },
      "pull-request": { type: "string" },
      commit: { type: "string" },
    });
    const [word, ...more] = positionals;
    refusePositionals("delivery publish", more);
    const kind = reportKinds.find((each) => each === word);
    if (kind === undefined)
      throw new Failure(`golive delivery publish: got ${word ?? "nothing"}; allowed: ${reportKinds.join(", ")}`, 2);
    const stack = required("publish", "stack", values.stack);
    const done =
      kind === "preview"
        ? await publishPreview(
            stack,
            numberOf(required("publish", "pull-request", values["pull-request"])),
            commitOf(required("publish", "commit", values.commit)),
          )
        : await publishDrift(stack);
    process.stdout.write(`${kind} of stack ${stack}: ${done}\n`);
    return 0;
  },
};

async function publishPreview(stack: string, number: number, commit: string): Promise<string> {
  const repository = repositoryOf();
  const report = (await keptReport("preview", stack)) ?? unevaluated(stack);
  const mark = markOf("preview", stack);
  return await repository.comment(number, mark, bodyOf(mark, judgedAt(report, commit)));
}

async function publishDrift(stack: string): Promise<string> {
  const repository = repositoryOf();
  const report = await keptReport("drift", stack);
  if (report === undefined)
    throw new Failure(
      `there is no drift of stack ${stack} to publish; first: golive delivery drift --stack ${stack}`,
      2,
    );
  const mark = markOf("drift", stack);
  return report.trim() === ""
    ? await repository.closeIssue(mark, "What is live is as the stack left it again.")
    : await repository.openIssue(mark, `Stack ${stack} has drifted`, bodyOf(mark, report));
}

/** A preview's report with the commit that it is of, below its title: a reader sees whether that is the newest one. */
export const judgedAt = (report: string, commit: string): string =>
  report.replace(/^## .*$/m, (title) => `${title}\n\nOf commit \`${commit.slice(0, 10)}\`, as it would be merged.`);

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

function commitOf(text: string): string {
  if (/^[0-9a-f]{40,64}$/.test(text)) return text;
  throw new Failure(`golive delivery publish: --commit: got "${text}"; allowed: the whole hash of a commit`, 2);
}

function numberOf(text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new Failure(`golive delivery publish: --pull-request: got "${text}"; allowed: its number`, 2);
}
