import { randomUUID } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { parse, parseDocument } from "yaml";
import { places } from "../local/places.ts";
import { Failure } from "./failure.ts";

/** Where the engine works with a throw-away backend: copies of the project's files, and the state of its stacks. */
export interface Workspace {
  /** Holds the generated Pulumi.yaml and the copies of the stack files. */
  readonly project: string;
  /** Directory of the file backend. */
  readonly state: string;
  /** Where the files are copied from: the checkout, or a program of a test's own. */
  readonly source: string;
}

/** The one that `golive pulumi` and `golive demo` use. */
export const ownWorkspace: Workspace = { project: places.project, state: places.state, source: places.root };

/** One of its own, for a test or a measurement: nothing is shared with `golive pulumi`. */
export const workspaceAt = (directory: string, source = places.root): Workspace => ({
  project: join(directory, "project"),
  state: join(directory, "state"),
  source,
});

/** The stack whose copy a person may change: a step of its traffic must not show in `git status`. */
export const changeableStack = "local";

const stackFile = (directory: string, stack: string) => join(directory, `Pulumi.${stack}.yaml`);
// What the copy was made from, to tell when the checkout's file changed since.
const originFile = (workspace: Workspace, stack: string) => `${stackFile(workspace.project, stack)}.from`;

/** What a person should know about the copies that the engine is about to use. */
export interface ProjectState {
  readonly name: string;
  /** The checkout's file of the changeable stack is no longer what its copy was made from. */
  readonly outdated: boolean;
}

/**
 * Makes the project directory what the checkout says: Pulumi.yaml with an absolute `main`, and the file of the stack.
 * The copy of the changeable stack is made once and kept; any other is renewed, but for what the engine wrote into it.
 */
export async function setUpProject(workspace: Workspace, stack: string | undefined): Promise<ProjectState> {
  await mkdir(workspace.project, { recursive: true });
  await mkdir(workspace.state, { recursive: true });
  const project = parseDocument(await readFile(join(workspace.source, "Pulumi.yaml"), "utf8"));
  const main = project.get("main");
  project.set("main", resolve(workspace.source, typeof main === "string" ? main : "."));
  await replaceFile(join(workspace.project, "Pulumi.yaml"), project.toString());
  const name = project.get("name");
  if (typeof name !== "string") throw new Failure(`Pulumi.yaml: got name ${JSON.stringify(name)}; a text is needed`, 2);
  return { name, outdated: stack !== undefined && (await copyStackFile(workspace, stack)) };
}

async function copyStackFile(workspace: Workspace, stack: string): Promise<boolean> {
  const original = await textOf(stackFile(workspace.source, stack));
  if (original === undefined) return false;
  const copyPath = stackFile(workspace.project, stack);
  const copy = await textOf(copyPath);
  if (stack === changeableStack && copy !== undefined) {
    return (await textOf(originFile(workspace, stack))) !== original;
  }
  await replaceFile(copyPath, withSaltOf(copy, original));
  if (stack === changeableStack) await replaceFile(originFile(workspace, stack), original);
  return false;
}

/** Makes the copy of a stack's file anew from the checkout. What the engine wrote into it to decrypt the state stays. */
export async function resetStackFile(workspace: Workspace, stack: string): Promise<void> {
  const copyPath = stackFile(workspace.project, stack);
  const copy = await textOf(copyPath);
  const original = await textOf(stackFile(workspace.source, stack));
  if (original === undefined) throw await unknownStack(workspace, stack);
  await replaceFile(copyPath, withSaltOf(copy, original));
  await replaceFile(originFile(workspace, stack), original);
}

/**
 * The checkout's stack file for another backend than its own: its secrets provider belongs to the real backend and goes,
 * the salt that the throw-away backend gave the earlier copy comes in.
 */
export function withSaltOf(copy: string | undefined, original: string): string {
  const file = parseDocument(original);
  for (const key of ["secretsprovider", "encryptedkey", "encryptionsalt"]) file.delete(key);
  const salt = copy === undefined ? undefined : parseDocument(copy).get("encryptionsalt");
  if (salt !== undefined) file.set("encryptionsalt", salt);
  return file.toString();
}

/** A text in the checkout's file of a stack, such as `golive:hostname`. */
export async function stackText(workspace: Workspace, stack: string, key: string): Promise<string> {
  const text = await textOf(stackFile(workspace.source, stack));
  if (text === undefined) throw await unknownStack(workspace, stack);
  const value: unknown = (parse(text) as { config?: Record<string, unknown> | null } | null)?.config?.[key];
  if (typeof value === "string") return value;
  throw new Failure(`Pulumi.${stack}.yaml: ${key}: got ${JSON.stringify(value) ?? "nothing"}; a text is needed`, 2);
}

/** Whether the throw-away backend has this stack. */
export async function stackExists(workspace: Workspace, project: string, stack: string): Promise<boolean> {
  const state = join(workspace.state, ".pulumi", "stacks", project, `${stack}.json`);
  return (await exists(state)) || (await exists(`${state}.gz`));
}

/** Whether the checkout describes this stack. */
export const stackIsDescribed = (workspace: Workspace, stack: string) => exists(stackFile(workspace.source, stack));

export async function unknownStack(workspace: Workspace, stack: string): Promise<Failure> {
  const names = (await readdir(workspace.source))
    .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  const file = relative(process.cwd(), stackFile(workspace.source, stack));
  const shown = isAbsolute(file) || file.startsWith("..") ? `Pulumi.${stack}.yaml` : file;
  return new Failure(`no stack "${stack}": there is no ${shown}; allowed: ${names.sort().join(", ")}`, 2);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Replaces a file in one go, and only when it differs: another engine may be reading it at this moment. */
async function replaceFile(path: string, text: string): Promise<void> {
  if ((await textOf(path)) === text) return;
  const next = `${path}.${randomUUID()}`;
  try {
    await writeFile(next, text);
    await rename(next, path);
  } finally {
    await rm(next, { force: true });
  }
}
