import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BackupKey, readKey } from "../../programs/database/backup/key.ts";
import { type Manifest, readManifest, writeManifest } from "../../programs/database/backup/manifest.ts";
import {
  backupName,
  chooseBackup,
  expired,
  newestBackup,
  removeBackup,
  removeParts,
  type Stored,
  storedBackups,
} from "../../programs/database/backup/store.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";

let directory: string;
let settings: ProgramSettings;
const key: BackupKey = { text: "k".repeat(64), path: "/etc/golive/backup-key/key" };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-store-"));
  const backup = { directory, key: join(directory, "key"), keep: 3, leastPercentOfPrevious: 50 };
  settings = { database: "taskflow", backup } as ProgramSettings;
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function manifestOf(name: string): Manifest {
  return {
    format: 1,
    name,
    database: "taskflow",
    file: `${name}.dump.enc`,
    bytes: 7,
    sha256: "ab",
    startedAt: "2026-11-21T13:00:00.000Z",
    finishedAt: "2026-11-21T13:00:01.000Z",
    marker: "12",
    version: "002",
    server: "15.18",
    locale: { encoding: "UTF8", collate: "C", ctype: "C" },
    tables: { "public.tasks": { rows: 2, hash: "-5" } },
  };
}

/** A backup as it lies there: its content is of no matter here. */
async function put(name: string): Promise<Manifest> {
  const manifest = manifestOf(name);
  await writeManifest(directory, manifest, key);
  await writeFile(join(directory, manifest.file), "content");
  return manifest;
}

const [first, second, third] = ["20261119T010000Z", "20261120T010000Z", "20261121T010000Z"].map(
  (at) => `taskflow-${at}`,
) as [string, string, string];

describe("the name of a backup", () => {
  it("has the database and the second in it, UTC", () => {
    expect(backupName("taskflow", new Date("2026-11-21T14:00:09.876+01:00"))).toBe("taskflow-20261121T130009Z");
  });
});

describe("the backups there are", () => {
  it("are listed newest first, each with what it holds, and damaged ones without", async () => {
    for (const name of [second, first, third]) await put(name);
    await writeFile(join(directory, `${third}.dump.enc`), "cut");
    await rm(join(directory, `${first}.dump.enc`));
    expect(await storedBackups(settings, key)).toEqual([
      { name: third, manifest: undefined },
      { name: second, manifest: manifestOf(second) },
      { name: first, manifest: undefined },
    ]);
    expect(await newestBackup(settings, key)).toEqual(manifestOf(second));
  });

  it("are those of this database, and nothing else that lies there", async () => {
    await put(second);
    for (const other of [
      "taskflow_staging-20261121T010000Z.json",
      "taskflow-notes.json",
      `${third}.json.part`,
      "lost+found",
    ]) {
      await writeFile(join(directory, other), "{}");
    }
    expect((await storedBackups(settings, key)).map(({ name }) => name)).toEqual([second]);
  });

  it("cannot be listed without their directory, and it is named", async () => {
    await rm(directory, { recursive: true });
    await expect(storedBackups(settings, key)).rejects.toThrow(
      `cannot read the backup directory ${directory}: ENOENT: no such file or directory, scandir '${directory}'; is its volume mounted?`,
    );
  });
});

describe("the choice of a backup", () => {
  it("is the newest whole one, or the one whose name, file or manifest is given", async () => {
    for (const name of [first, second]) await put(name);
    expect((await chooseBackup(settings, key)).name).toBe(second);
    for (const given of [first, `${first}.dump.enc`, `${first}.json`]) {
      expect((await chooseBackup(settings, key, given)).name).toBe(first);
    }
  });

  it("says which there are when there is none such", async () => {
    await expect(chooseBackup(settings, key)).rejects.toThrow(
      `no good backup of taskflow in ${directory}: there is none`,
    );
    await put(first);
    await put(second);
    await rm(join(directory, `${second}.dump.enc`));
    await expect(chooseBackup(settings, key, "taskflow-1")).rejects.toThrow(
      `no backup taskflow-1 of taskflow in ${directory}: there are ${second} (damaged), ${first}`,
    );
    await expect(chooseBackup(settings, key, second)).rejects.toThrow(
      `the backup ${join(directory, second)}.dump.enc is missing; there are ${second} (damaged), ${first}`,
    );
    await writeFile(join(directory, `${second}.dump.enc`), "cont");
    await expect(chooseBackup(settings, key, second)).rejects.toThrow(
      `the backup ${join(directory, second)}.dump.enc has 4 bytes instead of 7: it was cut short or changed; there are`,
    );
  });

  it.each([
    ["a count was changed", (text: string) => text.replace('"rows": 2', '"rows": 3')],
    ["it was cut short", (text: string) => text.slice(0, -20)],
    ["it is no JSON", () => "backup"],
    ["it has another shape", () => "[]"],
    ["it is unsigned", (text: string) => text.replace(/"signature": "\w+"/, '"signature": ""')],
    ["the signature is missing", (text: string) => text.replace("signature", "seal")],
  ])("refuses a manifest by name when %s", async (_, change) => {
    await put(first);
    const path = join(directory, `${first}.json`);
    await writeFile(path, change(await readFile(path, "utf8")));
    await expect(chooseBackup(settings, key, first)).rejects.toThrow(
      `the manifest ${path} was cut short or changed, or was signed with another key than the one in ${key.path}`,
    );
  });

  it("refuses the manifest of another backup under this name, and one of another key", async () => {
    await put(first);
    await writeFile(join(directory, `${second}.json`), await readFile(join(directory, `${first}.json`)));
    await expect(readManifest(directory, second, key)).rejects.toThrow("was cut short or changed");
    await expect(readManifest(directory, first, { text: "l".repeat(64), path: "/other" })).rejects.toThrow(
      "or was signed with another key than the one in /other",
    );
    expect(await readManifest(directory, first, key)).toEqual(manifestOf(first));
  });
});

describe("which backups are removed", () => {
  const stored = (...all: readonly [name: string, whole: boolean][]): readonly Stored[] =>
    all.map(([name, whole]) => ({ name, manifest: whole ? manifestOf(name) : undefined }));

  it.each<[string, readonly Stored[], number, readonly string[]]>([
    ["none of too few", stored(["c", true], ["b", true]), 3, []],
    ["none of just enough", stored(["c", true], ["b", true]), 2, []],
    ["the oldest of too many", stored(["d", true], ["c", true], ["b", true], ["a", true]), 2, ["b", "a"]],
    ["damaged ones do not count", stored(["d", false], ["c", true], ["b", false], ["a", true]), 2, []],
    [
      "damaged ones go when they are older than what is kept",
      stored(["d", true], ["c", false], ["b", true], ["a", false]),
      2,
      ["a"],
    ],
    ["never the last good one", stored(["b", false], ["a", true]), 1, []],
    ["never the last good one, whatever is asked for", stored(["b", true], ["a", true]), 0, ["a"]],
    ["nothing of nothing", [], 1, []],
  ])("%s", (_, all, keep, gone) => {
    expect(expired(all, keep)).toEqual(gone);
  });

  it("leaves the newest whole ones, as many as are kept or as there are, and nothing older", () => {
    const backups = fc
      .array(fc.boolean(), { maxLength: 30 })
      .map((all) => all.map((whole, index) => [String(999 - index), whole] as [string, boolean]));
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 10 }), (all, keep) => {
        const gone = expired(stored(...all), keep);
        const whole = all.filter(([, good]) => good).map(([name]) => name);
        const left = all.filter(([name]) => !gone.includes(name));
        const leftWhole = left.filter(([, good]) => good).map(([name]) => name);
        expect(leftWhole).toEqual(whole.slice(0, keep));
        if (whole.length >= keep) expect(left.at(-1)?.[0]).toBe(whole[keep - 1]);
        else expect(gone).toEqual([]);
      }),
    );
  });

  it("goes with its manifest, and what is gone already is no error", async () => {
    await put(first);
    await put(second);
    await removeBackup(directory, first);
    await removeBackup(directory, first);
    expect((await readdir(directory)).sort()).toEqual([`${second}.dump.enc`, `${second}.json`]);
  });

  it("removes half-written files of this database only", async () => {
    await put(first);
    const parts = [`${second}.dump.enc.part`, `${second}.json.part`];
    const others = ["taskflow_staging-20261121T010000Z.dump.enc.part", "notes.part"];
    for (const file of [...parts, ...others]) await writeFile(join(directory, file), "");
    expect(await removeParts(settings)).toEqual(parts);
    expect((await readdir(directory)).sort()).toEqual([...others, `${first}.dump.enc`, `${first}.json`].sort());
  });
});

describe("the backup key", () => {
  it("is 64 or more letters and digits, whatever line end follows", async () => {
    const path = join(directory, "key");
    await writeFile(path, `${"aB3".repeat(22)}\n`);
    expect(await readKey(path)).toEqual({ text: "aB3".repeat(22), path });
  });

  it.each([
    ["missing", undefined, "cannot read the backup key KEY: ENOENT"],
    ["empty", "", "the backup key KEY has 0 characters; 64 or more are needed, letters and digits only"],
    ["too short", "a".repeat(63), "the backup key KEY has 63 characters; 64 or more are needed"],
    [
      "no letters and digits",
      "-".repeat(64),
      "the backup key KEY has 64 characters; 64 or more are needed, letters and digits only",
    ],
  ])("that is %s is refused without being shown", async (_, text, message) => {
    await mkdir(join(directory, "keys"));
    const path = join(directory, "keys", "key");
    if (text !== undefined) await writeFile(path, text);
    await expect(readKey(path)).rejects.toThrow(message.replace("KEY", path));
  });
});
