import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { circumstancesVariable } from "../policies/circumstances.ts";

/**
 * What the policy pack has to be told of a stack, as a variable of the engine's environment: the engine itself tells a pack nothing
 * of the stack's configuration. Empty when the stack has no file: the pack then judges by production's levels and exempts nothing.
 *
 * @param project directory that holds the file of the stack.
 */
export async function policyCircumstances(project: string, stack: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(project, `Pulumi.${stack}.yaml`), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const file = parse(text) as { readonly config?: Readonly<Record<string, unknown>> | null } | null;
  const environment = file?.config?.["golive:environment"];
  const exemptions = file?.config?.["golive:exemptions"] ?? [];
  if (environment === undefined) return {};
  return { [circumstancesVariable]: JSON.stringify({ environment, exemptions }) };
}
