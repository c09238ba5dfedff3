/** Where a person who was called finds the pages below docs/runbooks/. */
const base = "https://github.com/golive/golive/blob/main/docs/runbooks";

export const runbookPages = ["application", "rollout", "database", "cache", "node", "monitoring", "logging"] as const;
export type RunbookPage = (typeof runbookPages)[number];

/** The `runbook` of an alert: the heading is its name, in lower case. */
export const runbook = (page: RunbookPage, alert: string): string => `${page}#${alert.toLowerCase()}`;

/** The address of a runbook that is given as `page#heading`. */
export function runbookUrl(runbook: string): string {
  const [page, heading] = runbook.split("#");
  return `${base}/${page}.md#${heading}`;
}
