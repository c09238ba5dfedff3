import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { places } from "../places.ts";

/** A plugin of the engine that has a stand-in here. */
interface StandIn {
  readonly kind: "language" | "resource";
  readonly name: string;
  readonly main: string;
}

const standIns: readonly StandIn[] = [
  { kind: "resource", name: "kubernetes", main: "kubernetes/main.ts" },
  { kind: "resource", name: "random", main: "random/main.ts" },
  { kind: "resource", name: "postgresql", main: "postgresql/main.ts" },
  { kind: "language", name: "nodejs", main: "language/main.ts" },
];

const executableOf = ({ kind, name }: StandIn) => `pulumi-${kind}-${name}`;

/** The names of the plugins that have a stand-in, as a person calls them. */
export const standInNames: readonly string[] = standIns.map(({ name }) => name);

/** The resource plugins that the program needs: the versions are those of the SDK packages, which are made for one version each. */
export const resourcePlugins = standIns
  .filter(({ kind }) => kind === "resource")
  .map((standIn) => ({ name: standIn.name, version: sdkVersion(standIn.name), executable: executableOf(standIn) }));

function sdkVersion(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@pulumi/${name}/package.json`);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
}

/**
 * Makes an executable for each stand-in below `.golive/plugins`, and returns that directory, to be put on PATH.
 * They are rewritten only when they differ, as an engine may be starting one of them at this moment.
 */
export async function pluginPath(): Promise<string> {
  await mkdir(places.plugins, { recursive: true });
  const wanted = new Map(standIns.map((standIn) => [executableOf(standIn), launcher(standIn.main)]));
  await Promise.all([...wanted].map(([name, text]) => place(join(places.plugins, name), text)));
  const stale = (await readdir(places.plugins)).filter((name) => name.startsWith("pulumi-") && !wanted.has(name));
  await Promise.all(stale.map((name) => rm(join(places.plugins, name))));
  return places.plugins;
}

function launcher(main: string): string {
  return ["#!/bin/sh", `exec ${quoted(process.execPath)} ${quoted(join(import.meta.dirname, main))} "$@"`, ""].join(
    "\n",
  );
}

const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;

async function place(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => "")) === text) return;
  const building = `${path}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
  await writeFile(building, text);
  await chmod(building, 0o755);
  await rename(building, path);
}

/**
 * Puts the stand-ins where the engine looks first: a language host beside the engine, a resource plugin in its plugin cache.
 * The engine warns of every plugin that it finds on PATH, and these are no surprise.
 */
export async function linkStandIns(directory: string, kinds: readonly StandIn["kind"][]): Promise<void> {
  await Promise.all(
    links(directory)
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ link, target }) => point(link, target)),
  );
}

/** Takes the stand-ins out of a plugin cache again: real plugins stay. */
export async function unlinkStandIns(directory: string): Promise<void> {
  for (const { kind, link } of links(directory)) {
    if (kind === "resource" && (await isLink(link))) await rm(dirname(link), { recursive: true });
  }
}

function links(directory: string): readonly { kind: StandIn["kind"]; link: string; target: string }[] {
  return standIns.map((standIn) => {
    const executable = executableOf(standIn);
    const version = resourcePlugins.find(({ name }) => name === standIn.name)?.version;
    const cache = join(directory, "plugins", `resource-${standIn.name}-v${version}`);
    const place = standIn.kind === "resource" ? cache : directory;
    return { kind: standIn.kind, link: join(place, executable), target: join(places.plugins, executable) };
  });
}

const isLink = (path: string) =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

async function point(link: string, target: string): Promise<void> {
  if ((await readlink(link).catch(() => "")) === target) return;
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(target, link);
}
