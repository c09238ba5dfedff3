import process from "node:process";
import { type Command, parseOptions } from "./command.ts";
import { Failure } from "./failure.ts";
import { evaluated } from "./preview/evaluated.ts";
import { ownPack, previewOf } from "./preview/judged.ts";
import type { PolicyFinding, Preview } from "./preview/model.ts";
import { counted } from "./preview/read.ts";
import { exitCodes } from "./preview.ts";
import { changeableStack } from "./workspace.ts";

export const policy: Command = {
  help: `
golive policy: whether a stack keeps the rules of policies/, decided before anything is changed.

Usage: golive policy check [--stack NAME]

  check    previews the stack and judges all that it declares. Pulumi itself lets a mandatory rule pass when a value is not
           known before the update; here such a rule is listed as undecidable, and the check fails.
  --stack  the stack; default: ${changeableStack}

Exit code 0: every mandatory rule holds. 1: one does not, one could not be decided, or the run is refused for another
reason. 2: it could not be evaluated. What each rule wants and why: docs/policies.md.

Example:
  golive policy check --stack production
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("policy", args, {
      stack: { type: "string", default: changeableStack },
    });
    if (positionals.join(" ") !== "check")
      throw new Failure(
        `golive policy: got ${positionals.length === 0 ? "nothing" : `"${positionals.join(" ")}"`}; allowed: check. See: golive policy --help`,
        2,
      );
    return await evaluated(async () => {
      const read = await previewOf(values.stack, { pack: ownPack, strict: true, session, progress: session.progress });
      process.stdout.write(`${checkText(read)}\n`);
      return exitCodes[read.verdict];
    });
  },
};

/** All three verdicts, the gravest first, and what follows from them. */
export function checkText({ stack, policies, objections, verdict }: Preview): string {
  const conclusion =
    verdict === "clear" ? `stack ${stack} keeps the mandatory policies` : `stack ${stack}: ${objections.join("\n")}`;
  if (policies === undefined) return conclusion;
  const { violations, undecidable } = policies;
  const line =
    (word: string) =>
    ({ rule, level, resource, message }: PolicyFinding) =>
      `${word} (${level}) ${rule}, ${resource}: ${message}`;
  const found = [...violations.map(line("violation")), ...undecidable.map(line("undecidable"))];
  const counts = `${counted(violations.length, "violation")}, ${undecidable.length} undecidable`;
  return [...found, `${counts}; ${conclusion}`].join("\n");
}
