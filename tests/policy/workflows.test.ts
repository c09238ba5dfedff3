import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { binariesOf, goBuild } from "../../local/go/build.ts";
import { places } from "../../local/places.ts";
import { outcomeOf } from "../../local/run.ts";

const directory = join(places.root, ".github", "workflows");
const files = readdirSync(directory).map((file) => join(directory, file));

/** What actionlint has to say; empty when nothing. It asks no other tool: our steps are one command each. */
async function lint(...paths: readonly string[]): Promise<string> {
  const [actionlint = ""] = binariesOf("actionlint");
  const { code, stdout, stderr } = await outcomeOf(actionlint, ["-no-color", "-shellcheck=", "-pyflakes=", ...paths]);
  if (code > 1) throw new Error(`actionlint ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

describe("the workflows, as actionlint reads them", () => {
  beforeAll(() => goBuild("actionlint", lineProgress()), 5 * 60_000);

  it("are without a finding", async () => {
    expect(files.length).toBeGreaterThan(0);
    expect(await lint(...files)).toBe("");
  });

  it("would not be with a job that nobody defined, a value that does not exist or a right that GitHub does not know", async () => {
    const scratch = await mkdtemp(join(tmpdir(), "golive-workflows-"));
    try {
      const text = await readFile(join(directory, "deliver.yml"), "utf8");
      const faulty = text
        .replace("needs: [stacks, staging]", "needs: [stacks, stagging]")
        .replace("id-token: write", "id-tokens: write")
        .replace("needs.stacks.outputs.stacks", "needs.stacks.outputs.stakcs");
      const file = join(scratch, "deliver.yml");
      await writeFile(file, faulty);
      const found = await lint(file);
      for (const word of ["stagging", "id-tokens", "stakcs"]) expect(found).toContain(`"${word}"`);
    } finally {
      await rm(scratch, { recursive: true });
    }
  });
});
