import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "../platform.ts";
import { PythonProgram } from "../python.ts";
import { objectName, type PeerFinding } from "./finding.ts";

const program = new PythonProgram("checkov", join(import.meta.dirname, "requirements.txt"));

interface Check {
  readonly check_id: string;
  readonly check_name: string;
  readonly resource: string;
}

/** What of its report is read. */
interface Report {
  readonly results: {
    readonly failed_checks: readonly Check[];
    readonly skipped_checks: readonly Check[];
  };
  readonly summary: { readonly passed: number; readonly parsing_errors: number };
}

export interface CheckovVerdict {
  readonly findings: readonly PeerFinding[];
  /** How many checks it held something against and found good: none, and it has read nothing. */
  readonly passed: number;
}

/** Installs checkov below `.golive/` when it is not there yet. */
export const ensureCheckov = (): Promise<void> => program.ensure();

/** All that checkov has to say of the Kubernetes objects in a YAML stream. It asks nobody on the network. */
export async function checkov(yaml: string, environment: Stack): Promise<CheckovVerdict> {
  const directory = await mkdtemp(join(tmpdir(), "golive-checkov-"));
  try {
    const file = join(directory, "stack.yaml");
    await writeFile(file, yaml);
    const offline = ["--skip-download", "--compact"];
    const args = ["--file", file, "--framework", "kubernetes", "--output", "json", ...offline];
    const { stdout } = await program.run("checkov.main", args, [0, 1]);
    const { results, summary }: Report = JSON.parse(stdout);
    if (summary.parsing_errors > 0) throw new Error("checkov could not read the whole stream");
    // What an annotation on an object made it skip is no less found: the ledger has the reasons.
    const findings = [...results.failed_checks, ...results.skipped_checks].map(
      ({ check_id, check_name, resource }) => ({
        ...{ judge: "checkov" as const, check: check_id, environment, said: check_name },
        object: objectOf(resource, environment),
      }),
    );
    return { findings, passed: summary.passed };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `Deployment.staging.guard`, and for what it makes a Pod of by itself `Pod.staging.guard.<its labels>`. */
function objectOf(resource: string, environment: Stack): string {
  const [kind = "", namespace = "", name = ""] = resource.split(".");
  return objectName(kind, namespace, name, environment);
}
