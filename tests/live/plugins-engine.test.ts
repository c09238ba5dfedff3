import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Progress } from "../../cli/progress.ts";
import { engine } from "../../local/engine.ts";
import { places } from "../../local/places.ts";

const notes: string[] = [];
const progress: Progress = {
  note: (text) => notes.push(text),
  stage: (_, work) => work(progress),
};

describe("the engine", () => {
  let directory: string;

  beforeEach(async () => {
    notes.length = 0;
    directory = await mkdtemp(join(tmpdir(), "golive-engine-"));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  const executable = async (name: string, says: string) => {
    await writeFile(join(directory, name), `#!/bin/sh\necho ${says}\n`);
    await chmod(join(directory, name), 0o755);
    return join(directory, name);
  };

  it("works below .golive alone, with a passphrase that only its owner can read", async () => {
    const { env } = await engine(progress);
    expect(env).toMatchObject({
      PULUMI_BACKEND_URL: `file://${places.state}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: places.passphrase,
      PULUMI_HOME: places.pulumiHome,
      KUBECONFIG: places.kubeconfig,
    });
    expect((await stat(places.passphrase)).mode & 0o777).toBe(0o600);
  });

  it("says in one line that stand-ins are in use", async () => {
    const { standIns } = await engine(progress);
    const said = notes.filter((note) =>
      note.startsWith("stand-ins for the plugins kubernetes, random, postgresql, nodejs are in use"),
    );
    expect(said).toHaveLength(standIns ? 1 : 0);
  });

  it("refuses a Pulumi that is too old, and says which is needed", async () => {
    vi.stubEnv("GOLIVE_PULUMI", await executable("pulumi", "v3.100.0"));
    await expect(engine(progress)).rejects.toThrow(/is Pulumi 3\.100\.0; 3\.259\.0 or later is needed/);
  });

  it("refuses a directory of plugins that lacks one, and names it", async () => {
    await executable("pulumi-resource-kubernetes", "");
    vi.stubEnv("GOLIVE_PLUGINS", directory);
    await expect(engine(progress)).rejects.toThrow(
      /has no executable pulumi-resource-random and pulumi-resource-postgresql/,
    );
  });

  it("takes the plugins of such a directory before all others", async () => {
    await executable("pulumi-resource-kubernetes", "");
    await executable("pulumi-resource-random", "");
    await executable("pulumi-resource-postgresql", "");
    vi.stubEnv("GOLIVE_PLUGINS", directory);
    const { env, standIns } = await engine(progress);
    expect(standIns).toBe(false);
    expect(env.PATH?.startsWith(directory)).toBe(true);
    expect(notes).toEqual([]);
  });
});
