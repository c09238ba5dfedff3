import { describe, it } from "vitest";
import { environments } from "../../applications/application.ts";
import { exemptionTexts } from "../../policies/exemptions.ts";
import type { RuleText } from "../../policies/rule.ts";
import { rules } from "../../policies/rules.ts";
import { expectBlock } from "../support/generated-block.ts";

describe("docs/policies.md", () => {
  it("lists every rule of the pack with its level in each environment (GOLIVE_ACCEPT=1 writes them)", async () => {
    await expectBlock("docs/policies.md", "levels", levels([...rules, ...exemptionTexts]));
  });

  it("says of every rule why it stands, what it answers, and what to write instead (GOLIVE_ACCEPT=1 writes them)", async () => {
    await expectBlock("docs/policies.md", "rules", [...rules, ...exemptionTexts].map(section).join("\n\n"));
  });
});

function levels(texts: readonly RuleText[]): string {
  const rows = texts.map(
    ({ id, severity, levels }) =>
      `| [${id}](#${id.toLowerCase()}) | ${severity} | ${environments.map((environment) => levels[environment]).join(" | ")} |`,
  );
  return [`| rule | severity | ${environments.join(" | ")} |`, "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

const section = ({ id, summary, why, sources, example }: RuleText): string =>
  [
    `### ${id}`,
    `${summary} ${why}`,
    `Answers: ${sources.join(", ")}.`,
    `A violation:\n\n${code(example.bad)}`,
    `Instead:\n\n${code(example.good)}`,
  ].join("\n\n");

const code = (text: string): string => text.replace(/^/gm, "    ");
