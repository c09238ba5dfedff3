import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `golive` of a clone to its end. */
export function golive(
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { ...user, env: { ...process.env, GOLIVE_KUBECONFIG: "", ...env } };
    execFile(process.execPath, [join(root, "cli", "main.ts"), ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** The files of this working tree as another clone, with an empty `.golive/`. */
export function cloneElsewhere(): { root: string; shareBuilt(): void; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), "golive-clone-"));
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: places.root,
  });
  execFileSync(
    "tar",
    ["--create", "--null", "--files-from=-", "--ignore-failed-read", "--file", join(root, "files.tar")],
    {
      cwd: places.root,
      input: files,
      stdio: ["pipe", "ignore", "ignore"],
    },
  );
  execFileSync("tar", ["--extract", "--file", join(root, "files.tar"), "--directory", root]);
  rmSync(join(root, "files.tar"));
  symlinkSync(join(places.root, "node_modules"), join(root, "node_modules"));
  return {
    root,
    /** Gives it what was built here, so that it could start a cluster at once. */
    shareBuilt() {
      mkdirSync(join(root, ".golive"), { recursive: true });
      for (const name of ["bin", "debian", "images"]) {
        symlinkSync(join(places.golive, name), join(root, ".golive", name));
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
