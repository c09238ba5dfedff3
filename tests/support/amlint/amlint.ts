import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere } from "../../../local/files.ts";
import { places } from "../../../local/places.ts";
import { outcomeOf, run } from "../../../local/run.ts";

const requirements = join(import.meta.dirname, "requirements.txt");
const directory = join(places.golive, "amlint");

/** What the linter found: how bad, and which of its checks. */
export interface Finding {
  readonly level: "error" | "warn" | "info";
  readonly code: string;
  readonly message: string;
}

/**
 * Installs amlint, by pip and pinned with checksums, below `.golive/`, when it is not there yet.
 * @throws Failure when this machine has no Python with pip, or no package index can be reached; it says which.
 */
export async function ensureAmlint(): Promise<void> {
  const wanted = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex");
  const stamp = join(directory, "stamp");
  if ((await readIfThere(stamp)) === wanted) return;
  const building = `${directory}.new`;
  for (const old of [building, directory]) await rm(old, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
  await run("python3", ["-m", "pip", "install", ...options, "--target", building, "--requirement", requirements]);
  await rename(building, directory);
  await writeFile(stamp, wanted);
}

/** Lints a configuration against the rule file that its alerts come from. */
export async function amlint(configuration: string, rules: string): Promise<readonly Finding[]> {
  const args = ["-m", "amlint.cli", "check", configuration, "--rules", rules, "--format", "json"];
  const { code, stdout, stderr } = await outcomeOf("python3", args, { env: { PYTHONPATH: directory } });
  if (code > 1 || stdout.trim() === "") throw new Error(`amlint ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout);
}
