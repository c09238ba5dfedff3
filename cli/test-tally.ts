/** How many tests of a run passed, failed, and did not run. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What was skipped, by full name. */
  readonly skippedNames: readonly string[];
}

export const noTests: Tally = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };

/** What Vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Counts a report. A file that failed without a failed test (it could not be loaded) counts as one failure. */
export function tallyOf(report: Report): Tally {
  let tally = noTests;
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter(({ status }) => status === "failed").length;
    const unrun = file.assertionResults.filter(({ status }) => status !== "failed" && status !== "passed");
    tally = add(tally, {
      passed: file.assertionResults.length - failed - unrun.length,
      failed: failed === 0 && file.status === "failed" ? 1 : failed,
      skipped: unrun.length,
      skippedNames: unrun.map(({ fullName }) => fullName),
    });
  }
  return tally;
}

export const add = (a: Tally, b: Tally): Tally => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  skippedNames: [...a.skippedNames, ...b.skippedNames],
});

/** The last line of `golive test`. */
export function summary({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
