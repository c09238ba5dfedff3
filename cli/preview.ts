import { resolve } from "node:path";
import process from "node:process";
import { type Command, parseOptions, refusePositionals } from "./command.ts";
import { Failure } from "./failure.ts";
import { evaluated } from "./preview/evaluated.ts";
import { ownPack, previewOf } from "./preview/judged.ts";
import type { Preview, Verdict } from "./preview/model.ts";
import { markdownOf, textOf } from "./preview/render.ts";
import { changeableStack } from "./workspace.ts";

const outputs: Readonly<Record<string, (preview: Preview) => string>> = {
  text: textOf,
  markdown: (preview) => markdownOf(preview),
  json: (preview) => `${JSON.stringify(preview, undefined, 2)}\n`,
};

/** What each verdict ends the command with. */
export const exitCodes: Readonly<Record<Verdict, number>> = { clear: 0, refused: 1, unknown: 2 };

export const preview: Command = {
  help: `
golive preview: what a run would do to a stack, for a reviewer who decides on it. It changes nothing.

Usage: golive preview [--stack NAME] [--output text|markdown|json] [--policy-pack DIRECTORY | --no-policies]

  --stack        the stack; default: ${changeableStack}
  --output       text (default); markdown: a pull request's comment, cut to GitHub's limit; json: everything
  --policy-pack  another pack than policies/
  --no-policies  do not judge it by policies: quicker, and no decision to merge by

It says how traffic moves, which migrations run, what is replaced or deleted, which fields change, and what the policies
object to; never a secret's value. What a rule could not decide is listed; "golive policy check" fails for it.
The same run gives the same text and the same plan, so that a second comment edits the first one without noise.

Exit code 0: nothing to object to. 1: refused, by the program, by a policy, by protection, because a workload would be replaced,
or because something that holds data would be replaced or deleted. 2: it could not be evaluated. A workload that is deleted and
holds nothing is listed, not refused: so a retired colour goes.

Examples:
  golive preview --stack production
  golive preview --stack staging --output markdown > comment.md
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("preview", args, {
      stack: { type: "string", default: changeableStack },
      output: { type: "string", default: "text" },
      "policy-pack": { type: "string" },
      "no-policies": { type: "boolean", default: false },
    });
    refusePositionals("preview", positionals);
    const { stack, output, "no-policies": unjudged, "policy-pack": pack } = values;
    const write = Object.hasOwn(outputs, output) ? outputs[output] : undefined;
    if (write === undefined) throw refuse(`--output: got "${output}"; allowed: ${Object.keys(outputs).join(", ")}`);
    if (unjudged && pack !== undefined) throw refuse("got --policy-pack and --no-policies; allowed: one of them");
    const directory = unjudged ? undefined : resolve(pack ?? ownPack);
    return await evaluated(async () => {
      const read = await previewOf(stack, { pack: directory, strict: false, session, progress: session.progress });
      process.stdout.write(write(read));
      return exitCodes[read.verdict];
    });
  },
};

const refuse = (problem: string) => new Failure(`golive preview: ${problem}. See: golive preview --help`, 2);
