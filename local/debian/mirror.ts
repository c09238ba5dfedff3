import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../cli/failure.ts";
import { outcomeOf, run } from "../run.ts";

/** The Debian release that everything is taken from, whichever one the machine runs. */
const release = "bookworm";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * apt with lists, archives and a package database of our own: it takes nothing from the machine but the mirror's address,
 * its proxy settings and keys, and changes nothing on it.
 */
export interface Apt {
  readonly directory: string;
  readonly options: readonly string[];
}

export async function privateApt(directory: string): Promise<Apt> {
  const apt = { directory, options: optionsFor(directory) };
  await mkdir(join(directory, "lists", "partial"), { recursive: true });
  await mkdir(join(directory, "archives", "partial"), { recursive: true });
  await writeFile(join(directory, "status"), "");
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : "";
  await writeFile(join(directory, "sources.list"), `deb ${signed}${await mirror(directory)} ${release} main\n`);
  await run("apt-get", [...apt.options, "-qq", "update"]);
  return apt;
}

/** Downloads packages, alone or with all that they depend on; gives the directory of the files. */
export async function download(
  apt: Apt,
  packages: readonly string[],
  { dependencies }: { readonly dependencies: boolean },
): Promise<string> {
  const archives = join(apt.directory, "archives");
  if (dependencies) await run("apt-get", [...apt.options, "-qq", "-y", "--download-only", "install", ...packages]);
  else await run("apt-get", [...apt.options, "-qq", "download", ...packages], { cwd: archives });
  return archives;
}

function optionsFor(directory: string): string[] {
  const settings = {
    "Dir::Etc::sourcelist": join(directory, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(directory, "lists"),
    // An empty database: every dependency is downloaded, also those that the machine has installed.
    "Dir::State::status": join(directory, "status"),
    "Dir::Cache::archives": join(directory, "archives"),
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Debug::NoLocking": "true",
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/** Where the machine's own apt gets Debian from. */
async function mirror(directory: string): Promise<string> {
  const targets = ["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages"];
  let found = mirrorIn(await run("apt-get", targets));
  if (found === undefined) {
    // The machine's lists are empty (usual in container images): read them into a place of ours.
    const lists = join(directory, "machine-lists");
    await mkdir(join(lists, "partial"), { recursive: true });
    const elsewhere = ["-o", `Dir::State::lists=${lists}`, "-o", "Debug::NoLocking=true"];
    const update = await outcomeOf("apt-get", [...elsewhere, "-qq", "update"]);
    found = mirrorIn(await run("apt-get", [...elsewhere, ...targets]));
    if (found === undefined) {
      throw new Failure(
        `apt-get on this machine knows no Debian mirror. Debian 12 or newer is needed (Debian ${release} packages are unpacked below .golive/), ` +
          `or a cluster of your own: GOLIVE_KUBECONFIG=FILE.\n${update.stderr.trim()}`,
        2,
      );
    }
  }
  return found;
}

/** The main archive among lines of "URI RELEASE": not the security or updates suites, not another vendor's repository. */
export function mirrorIn(lines: string): string | undefined {
  const codenames = new Set(["bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable"]);
  for (const line of lines.split("\n")) {
    const [uri, suite] = line.trim().split(" ");
    if (uri !== undefined && suite !== undefined && codenames.has(suite)) return uri;
  }
  return undefined;
}
