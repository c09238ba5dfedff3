import { colours } from "../../applications/application.ts";
import { durationText } from "../duration.ts";
import type { Weights } from "../told.ts";
import type { Deployment } from "./deployment.ts";
import type { LedgerRecord } from "./record.ts";

/** The fields of a deployment record, in the words and the order of S4-89. */
export function deploymentFields(deployment: Deployment): readonly (readonly [field: string, value: string])[] {
  const { release, colour, by, start, end, seconds, issues, rollback, status, percent, application, stack } =
    deployment;
  return [
    ["Application", stack === undefined ? application : `${application} (stack ${stack})`],
    ["Deployment Date", start.slice(0, 10)],
    ["Version Deployed", `${release ?? "unknown"} (${colour})`],
    ["Deployed By", by.join(", ")],
    ["Start Time", start],
    ["End Time", end ?? "not ended"],
    ["Duration", seconds === undefined ? "not ended" : durationText(seconds)],
    ["Issues Encountered", issues.length === 0 ? "none" : issues.join("\n")],
    ["Rollback Required", rollback ? "Yes" : "No"],
    ["Status", status === "Partial" ? `Partial (at ${percent} %)` : status],
  ];
}

/** Both colours in one text. */
export const weightsText = (weights: Weights | undefined): string =>
  weights ? colours.map((colour) => `${colour} ${Math.round(weights[colour] * 10) / 10}`).join(", ") : "-";

/** Deployment records as a Markdown text: S4-89's fields, each step, and what it was decided by. */
export function markdownOf(deployments: readonly Deployment[], problems: readonly string[]): string {
  const verified =
    problems.length === 0
      ? "The ledger was verified: every record is as it was written."
      : ["**The ledger is broken:**", "", ...problems.map((problem) => `- ${text(problem)}`)].join("\n");
  return [...deployments.map(section), verified].join("\n\n");
}

function section(deployment: Deployment): string {
  const { application, release, colour, records } = deployment;
  const measured = records.filter(({ verdict }) => verdict !== undefined);
  return [
    `# Deployment record: ${text(application)} ${text(release ?? colour)}`,
    rows(["Field", "Value"], deploymentFields(deployment)),
    "## Steps",
    rows(
      ["Record", "Time", "Kind", "From", "To", "Who", "Commit", "Reason"],
      records.map(({ number, at, kind, from, to, who, commit, reason }) => [
        String(number),
        at,
        kind,
        weightsText(from),
        weightsText(to),
        who,
        commit ?? "-",
        reason,
      ]),
    ),
    ...(measured.length === 0 ? [] : ["## What was measured", ...measured.map(measurement)]),
  ].join("\n\n");
}

function measurement({ number, verdict, queries = [] }: LedgerRecord): string {
  const title = `Record ${number}: ${verdict?.outcome}, ${text(verdict?.reason ?? "")}`;
  const numbers = Object.entries(verdict?.numbers ?? {}).map(([name, value]) => [name, String(value)]);
  const asked = queries.map(({ promql, value }) => [code(promql), String(value)]);
  return [
    title,
    ...(numbers.length === 0 ? [] : [rows(["Number", "Value"], numbers)]),
    ...(asked.length === 0 ? [] : [rows(["Query", "Answer"], asked, (cell) => cell)]),
  ].join("\n\n");
}

function rows(header: readonly string[], cells: readonly (readonly string[])[], write = text): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...cells.map((row) => line(row.map(write)))].join("\n");
}

/** Texts of people and servers, which must not become a table, a link or HTML of their own. */
const text = (value: string) =>
  value
    .replace(/[\\|<>`*_[\]]/g, (sign) => (sign === "<" ? "&lt;" : sign === ">" ? "&gt;" : `\\${sign}`))
    .replace(/\s*\n\s*/g, "<br>");

const code = (value: string) => `\`${value.replaceAll("|", "\\|").replaceAll("`", "'").replace(/\s+/g, " ")}\``;
