import { describe, expect, it } from "vitest";
import type { Alert } from "../../monitoring/alerts/alert.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { Clock } from "../../monitoring/clock.ts";
import { catalogue } from "../../monitoring/metrics/catalogue.ts";
import { renderRules } from "../../monitoring/rules/render.ts";
import { production } from "../support/alerts.ts";
import { expectBlock } from "../support/generated-block.ts";
import { runbookSections } from "../support/runbooks.ts";

describe("docs/operations/monitoring.md", () => {
  it("lists every alert of a stack in production (GOLIVE_ACCEPT=1 writes them)", async () => {
    await expectBlock("docs/operations/monitoring.md", "alerts", alertsTable(alertsOf(production)));
  });
});

describe("what the runbooks ask Prometheus", () => {
  it("is about metrics that there are: nobody who was woken reads an empty answer as good news", async () => {
    const names = new Set([
      ...catalogue.flatMap(({ name, type }) =>
        type === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => `${name}${suffix}`) : [name],
      ),
      ...renderRules(production, new Clock()).flatMap(({ rules }) =>
        rules.flatMap((rule) => ("record" in rule ? [rule.record] : [])),
      ),
    ]);
    const asked = (await runbookSections()).flatMap(({ page, anchor, commands }) =>
      commands.flatMap(({ text }) => metricsAsked(text).map((name) => ({ name, from: `${page}#${anchor}` }))),
    );
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ name }) => !names.has(name))).toEqual([]);
  });
});

/** The metrics in the expression of a `promtool query`: every name that is no function, no label and no keyword. */
function metricsAsked(command: string): readonly string[] {
  const [, expression = ""] = /promtool query instant \S+ '(.*)'$/.exec(command) ?? [];
  const bare = expression.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring|group_left)\s*\([^)]*\)/g, " ");
  const keywords = ["and", "or", "unless", "bool", "offset"];
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?![\w:]*\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !keywords.includes(name));
}

function alertsTable(alerts: readonly Alert[]): string {
  const rows = alerts.map(
    ({ name, severity, team, summary, runbook }) =>
      `| ${name} | ${severity} | ${team} | ${summary} | [${runbook.split("#")[0]}](../runbooks/${runbook.replace("#", ".md#")}) |`,
  );
  return ["| alert | severity | team | says | runbook |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}
