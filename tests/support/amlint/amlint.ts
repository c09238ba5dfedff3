import { join } from "node:path";
import { PythonProgram } from "../python.ts";

const program = new PythonProgram("amlint", join(import.meta.dirname, "requirements.txt"));

/** What the linter found: how bad, and which of its checks. */
export interface Finding {
  readonly level: "error" | "warn" | "info";
  readonly code: string;
  readonly message: string;
}

/** Installs amlint below `.golive/` when it is not there yet. */
export const ensureAmlint = (): Promise<void> => program.ensure();

/** Lints a configuration against the rule file that its alerts come from. */
export async function amlint(configuration: string, rules: string): Promise<readonly Finding[]> {
  const args = ["check", configuration, "--rules", rules, "--format", "json"];
  const { stdout } = await program.run("amlint.cli", args, [0, 1]);
  return JSON.parse(stdout);
}
