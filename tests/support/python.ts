import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere } from "../../local/files.ts";
import { places } from "../../local/places.ts";
import { type Outcome, outcomeOf, run } from "../../local/run.ts";

/** A program in Python that only tests run: installed by pip below `.golive/`, pinned with checksums. */
export class PythonProgram {
  readonly #name: string;
  readonly #requirements: string;
  readonly #directory: string;

  /** `requirements`: pip's file of every package that it needs, none left out. */
  constructor(name: string, requirements: string) {
    this.#name = name;
    this.#requirements = requirements;
    this.#directory = join(places.golive, name);
  }

  /**
   * Installs it when it is not there yet.
   * @throws Failure when this machine has no Python with pip, or no package index can be reached; it says which.
   */
  async ensure(): Promise<void> {
    const wanted = createHash("sha256")
      .update(await readFile(this.#requirements))
      .digest("hex");
    const stamp = join(this.#directory, "stamp");
    if ((await readIfThere(stamp)) === wanted) return;
    const building = `${this.#directory}.new`;
    for (const old of [building, this.#directory]) await rm(old, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    const pinned = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", this.#requirements];
    const quiet = ["--quiet", "--disable-pip-version-check"];
    await run("python3", ["-m", "pip", "install", ...quiet, ...pinned, "--target", building]);
    await rename(building, this.#directory);
    await writeFile(stamp, wanted);
  }

  /** Runs one of its modules and gives what it said, if its exit code is one of `allowed`. */
  async run(module: string, args: readonly string[], allowed: readonly number[]): Promise<Outcome> {
    const outcome = await outcomeOf("python3", ["-m", module, ...args], { env: { PYTHONPATH: this.#directory } });
    const { code, stdout, stderr } = outcome;
    if (!allowed.includes(code)) throw new Error(`${this.#name} ended with ${code}: ${stderr}${stdout}`);
    return outcome;
  }
}
