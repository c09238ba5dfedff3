import process from "node:process";
import { places } from "../../local/places.ts";
import { parseJson } from "../../rollout/parse-json.ts";
import { type ChildResult, runChild } from "../child.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { accepted, type Finding, findingsText, judgeFindings, passes, type Severity } from "./findings.ts";
import { jobOf } from "./job.ts";

export const audit: Command = {
  help: `
golive delivery audit: known vulnerabilities of the npm packages, of the product and of its tools.

Usage: golive delivery audit

It fails on anything critical, and on anything high that has a fix. Accepted ones stand in cli/delivery/findings.ts, with a reason, an
owner and a last day. Exit codes: 0 passed, 1 failed, 2 the registry could not be asked.
`,
  async run(args, session) {
    const { positionals } = parseOptions("delivery audit", args, {});
    refusePositionals("delivery audit", positionals);
    const report = await runChild("npm", ["audit", "--json"], {
      cwd: places.root,
      env: process.env,
      capture: true,
      session,
    });
    const judgement = judgeFindings(auditFindings(report), ["npm"], accepted, new Date().toISOString().slice(0, 10));
    const text = findingsText(judgement);
    await jobOf().summary(`### npm packages\n\n\`\`\`\n${text}\n\`\`\`\n`);
    process.stdout.write(`${text}\n`);
    return passes(judgement) ? 0 : 1;
  },
};

interface AuditReport {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerable>>;
  readonly message?: string;
}

interface Vulnerable {
  readonly name: string;
  /** The advisories themselves, or names of packages that bring them along. */
  readonly via: readonly (string | Advisory)[];
  readonly fixAvailable: unknown;
}

interface Advisory {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly severity: string;
}

/** What `npm audit --json` found. @throws Failure when it could not ask: that must never look like nothing found. */
export function auditFindings({ stdout, stderr }: Pick<ChildResult, "stdout" | "stderr">): readonly Finding[] {
  const report = parsed(stdout);
  if (report?.vulnerabilities === undefined)
    throw new Failure(
      `npm audit could not ask the registry: ${report?.message ?? (stderr.trim() || "it said nothing")}`,
      2,
    );
  const all = Object.values(report.vulnerabilities);
  return all.flatMap(({ name, via, fixAvailable }) =>
    via.flatMap((advisory): readonly Finding[] => {
      // A package that only depends on a vulnerable one: that one is in the list itself.
      if (typeof advisory === "string") return [];
      const { url, severity, title } = advisory;
      const id = url.slice(url.lastIndexOf("/") + 1);
      return [
        { where: "npm", id, package: name, severity: severityOf(severity), title, fixable: fixAvailable !== false },
      ];
    }),
  );
}

const named: Readonly<Record<string, Severity>> = { info: "low", low: "low", moderate: "moderate", high: "high" };

/** A word that we do not know is taken for the worst. */
const severityOf = (word: string): Severity => named[word] ?? "critical";

function parsed(text: string): AuditReport | undefined {
  const read = parseJson(text);
  return typeof read === "object" && read !== null ? read : undefined;
}
