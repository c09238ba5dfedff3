import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { places } from "../local/places.ts";
import { commitOf } from "../rollout/ledger/origin.ts";
import type { TestEvidence } from "../rollout/preflight/evidence.ts";
import type { Tally } from "./test-tally.ts";

const usualFile = join(places.golive, "test", "report.json");

const form = z.object({ commit: z.string(), passed: z.number(), failed: z.number(), skipped: z.number() });

/** Keeps how a run of all tests ended, and of which commit it was: `golive rollout preflight` asks. */
export async function keepTestReport({ passed, failed, skipped }: Tally, file: string = usualFile): Promise<void> {
  const report: TestEvidence = { commit: await commitOf(places.root), passed, failed, skipped };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report)}\n`);
}

/** How the last run of all tests in this checkout ended; undefined: none was kept. @throws Error when the file is none of ours. */
export async function lastTestReport(file: string = usualFile): Promise<TestEvidence | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const read = form.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  throw new Error(
    `${file} is no report of golive test: ${read.error.issues.map(({ path }) => path.join(".")).join(", ")}`,
  );
}
