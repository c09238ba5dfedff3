import { describe, expect, it } from "vitest";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { runbookUrl } from "../../monitoring/alerts/runbook.ts";
import { production } from "../support/alerts.ts";
import { changing, runbookSections, sectionsOf } from "../support/runbooks.ts";

const alerts = [...alertsOf(production), ...alertsOf({ ...production, databaseKind: "statefulset" })];
const sections = await runbookSections();

describe("the runbook of an alert", () => {
  it("is a heading of a page that exists: whoever was woken lands on it", () => {
    const headings = new Set(sections.map(({ page, anchor }) => `${page}#${anchor}`));
    expect(
      alerts.filter(({ runbook }) => !headings.has(runbook)).map(({ name, runbook }) => `${name}: ${runbook}`),
    ).toEqual([]);
  });

  it("is about that alert: the heading is its name", () => {
    const names = new Map(sections.map(({ page, anchor, heading }) => [`${page}#${anchor}`, heading]));
    for (const { name, runbook } of alerts) expect(names.get(runbook)).toBe(name);
  });

  it("has an address on the web that ends in page and heading", () => {
    expect(runbookUrl("database#databasedown")).toMatch(
      /^https:\/\/github\.com\/.*\/docs\/runbooks\/database\.md#databasedown$/,
    );
  });

  it("is used: no page explains an alert that there is not", () => {
    const used = new Set(alerts.map(({ runbook }) => runbook));
    expect(sections.map(({ page, anchor }) => `${page}#${anchor}`).filter((each) => !used.has(each))).toEqual([]);
  });
});

describe.each(sections.map((section) => [`${section.page}#${section.anchor}`, section] as const))(
  "%s",
  (_, section) => {
    it("says what it means, what to look at, what to do and how to go back, in that order", () => {
      const parts = [...section.text.matchAll(/^\*\*(Means|Look|Do|Back)\.\*\*(.*)/gm)];
      expect(parts.map(([, part]) => part)).toEqual(["Means", "Look", "Do", "Back"]);
      const bodies = section.text.split(/^\*\*(?:Means|Look|Do|Back)\.\*\*/m).slice(1);
      for (const body of bodies) expect(body.trim()).not.toBe("");
    });

    it("names commands, marks those that change something, and uses no variable that nobody has set", () => {
      expect(section.commands.length).toBeGreaterThan(0);
      expect(section.commands.some(({ changes }) => !changes)).toBe(true);
      for (const { text, changes } of section.commands) {
        expect(text).not.toMatch(/^#/);
        expect(
          [...text.matchAll(/\$(\w+)/g)]
            .map(([, name]) => name)
            .filter((name) => name !== "NAMESPACE" && name !== "STACK"),
        ).toEqual([]);
        expect({ text, changes }).toEqual({ text, changes: changing.test(text) });
        // What never ends is no command for somebody in a hurry, nor for a test.
        expect(text).not.toMatch(/\s(-f|-w|--follow|--watch|port-forward)(\s|$)/);
      }
    });
  },
);

describe("the runbooks that the plan describes", () => {
  it.each(["HighErrorRate", "HighLatency", "DatabaseDown"])("have their six steps: %s (S1-68..70)", (heading) => {
    const text = sections.find((section) => section.heading === heading)?.text ?? "";
    expect([...text.matchAll(/^(\d)\. /gm)].map(([, number]) => number)).toEqual(["1", "2", "3", "4", "5", "6"]);
  });
});

describe("a page", () => {
  it("is read as GitHub shows it: anchors without punctuation, code left alone", () => {
    const page =
      "# Title\n\n## One, Two!\n\n```sh\n## no heading\n# changes the cluster\nrm a\nls \\\n  b\n```\n\n## One Two\n";
    expect(sectionsOf("page.md", page).map(({ anchor, commands }) => [anchor, commands])).toEqual([
      [
        "one-two",
        [
          { text: "## no heading", changes: false },
          { text: "rm a", changes: true },
          { text: "ls b", changes: false },
        ],
      ],
      ["one-two-1", []],
    ]);
  });
});
