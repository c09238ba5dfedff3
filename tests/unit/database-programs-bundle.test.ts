import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { places } from "../../local/places.ts";
import { outcomeOf } from "../../local/run.ts";
import { bundlePrograms } from "../../programs/bundle.ts";

let directory: string;
let bundle: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-bundle-"));
  bundle = (await bundlePrograms()).database;
  await writeFile(join(directory, "database.mjs"), bundle);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (...args: readonly string[]) =>
  outcomeOf(process.execPath, [join(directory, "database.mjs"), ...args], {
    env: { GOLIVE_DATABASE_SETTINGS: join(directory, "none.json") },
  });

describe("the bundled database programs", () => {
  it("fit into a ConfigMap with room to spare", () => {
    expect(Buffer.byteLength(bundle)).toBeLessThan(900 * 1024);
  });

  it("are the same text wherever they are made, with nothing of this machine in it", async () => {
    const before = process.cwd();
    try {
      process.chdir(tmpdir());
      expect((await bundlePrograms()).database).toBe(bundle);
    } finally {
      process.chdir(before);
    }
    expect(bundle).not.toContain(places.root);
  });

  it("say which commands there are when they get another one", async () => {
    expect(await run("bakcup")).toEqual({
      code: 1,
      stdout: "",
      stderr: `got the command "bakcup"; there are:
  check [--json]
  backup [--json]
  migrate [--dry-run] [--json]
  drill [--json]
  restore [NAME | --list] [--json]
  status [--json]
  verify [--json]
  seed [--from-dump NAME | --tasks N] [--json]
  metrics [--json]
`,
    });
  });

  it.each([
    [["backup", "now"], "got now; usage: backup [--json]"],
    [["backup", "--dry-run"], "Unknown option '--dry-run'"],
    [["restore", "a", "b"], "got a b; usage: restore [NAME | --list] [--json]"],
    [["drill"], "cannot read the settings "],
  ])("refuse %j before anything is touched", async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });
});
