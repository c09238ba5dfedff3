import { z } from "zod";
import { colours } from "../../applications/application.ts";
import type { Verdict } from "../gate/verdict.ts";
import { parseJson } from "../parse-json.ts";
import { infinities, kinds, type LedgerRecord } from "./record.ts";

const number = z.union([
  z.number(),
  z.enum(["NaN", "+Inf", "-Inf"]).transform((word) => infinities[word] ?? Number.NaN),
]);
const weights = z.object({ blue: z.number(), green: z.number() });
const verdict: z.ZodType<Verdict> = z
  .object({
    outcome: z.enum(["pass", "hold", "rollback"]),
    reason: z.string(),
    numbers: z.record(z.string(), number),
    waitSeconds: number.optional(),
  })
  .transform(({ waitSeconds, ...rest }) => ({ ...rest, waitSeconds }));

/** Keys that it does not know are left alone: a newer golive may have written them, and the hash covers them. */
const shape: z.ZodType<LedgerRecord> = z.object({
  number: z.int().min(1),
  at: z.iso.datetime(),
  kind: z.enum(kinds),
  application: z.string(),
  stack: z.exactOptional(z.string()),
  candidate: z.enum(colours),
  from: z.exactOptional(weights),
  to: weights,
  releases: z.object({ blue: z.exactOptional(z.string()), green: z.exactOptional(z.string()) }),
  who: z.string(),
  commit: z.exactOptional(z.string()),
  plan: z.exactOptional(z.string()),
  reason: z.string(),
  verdict: z.exactOptional(verdict),
  queries: z.exactOptional(z.array(z.object({ promql: z.string(), value: number }))),
  before: z.string(),
  hash: z.string(),
});

/** What a text of the ledger says; a text that comes back says in a few words why it is no record. */
export function parseRecord(text: string): LedgerRecord | string {
  const value = parseJson(text);
  if (value === undefined) return "it is no JSON";
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .slice(0, 1)
    .map(({ path, message }) => `${path.join(".") || "it"}: ${message}`)
    .join();
}
