import { RunError } from "@pulumi/pulumi";
import { z } from "zod";
import type { MigrationResult } from "../../programs/database/migrations/migrate.ts";

export type { MigrationResult };

const count = z.int().min(0);
const milliseconds = z.number().min(0);
/** The program writes it, but what stands in a cluster may be cut short, or edited. */
const shape: z.ZodType<MigrationResult> = z.object({
  version: z.string(),
  // Left out where so many files were applied that a termination message cannot hold them.
  applied: z.record(z.string(), milliseconds).default({}),
  held: z.array(z.string()),
  indexes: count,
  policies: count,
  tables: count,
  backup: z.exactOptional(z.object({ file: z.string(), bytes: count })),
  durationMs: milliseconds,
});

/** The container of the Job that applies the migrations. */
export const migrateContainer = "migrate";

/** The part of a pod that is read. */
export interface PodObject {
  readonly metadata?: { readonly name?: string };
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: { readonly terminated?: { readonly message?: string } };
    }[];
  };
}

/**
 * Parses the text of a result.
 * @throws RunError that names `where` it stands, what it is, and `next`, what to do.
 */
export function parseResult(text: string, where: string, next: string): MigrationResult {
  const parsed = shape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = issue && issue.path.length > 0 ? `${issue.path.join(".")}: ${issue.message}` : "no JSON object";
  throw new RunError(`${where} is not the result of a migration (${what}): ${text.slice(0, 200) || "empty"}\n${next}`);
}

/** Undefined for a text that is no JSON: `parseResult` then says so, with the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What the pods of a migrations Job say that it did; undefined: none of them that succeeded is there any more.
 * @throws RunError when one succeeded, but says something else.
 */
export function resultOf(pods: readonly PodObject[], namespace: string): MigrationResult | undefined {
  const pod = pods.find(({ status }) => status?.phase === "Succeeded");
  if (!pod) return undefined;
  const name = pod.metadata?.name ?? "?";
  const container = pod.status?.containerStatuses?.find((each) => each.name === migrateContainer);
  return parseResult(
    container?.state?.terminated?.message ?? "",
    `the last word of container ${migrateContainer} in pod ${name}`,
    `The migrations are applied, only their figures are unknown. Next: kubectl -n ${namespace} delete pod ${name}, then \`pulumi up\` again.`,
  );
}
