import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Who runs a command, and from which commit. */
export interface Origin {
  readonly who: string;
  readonly commit: string;
}

/** Of a checkout. Never rejects: what cannot be found out is said in its place. */
export async function originOf(
  checkout: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Origin> {
  const [who, commit] = await Promise.all([whoOf(checkout, environment), commitOf(checkout)]);
  return { who, commit };
}

/** `$GOLIVE_WHO` (a pipeline knows who asked for the run), else the user that git knows, else that of the operating system. */
export async function whoOf(
  checkout: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const told = environment.GOLIVE_WHO?.trim();
  if (told) return told;
  const of = async (key: string) => {
    const said = await git(checkout, "config", key);
    return "text" in said ? said.text : "";
  };
  const [name, mail] = await Promise.all([of("user.name"), of("user.email")]);
  const known = [name, mail === "" ? "" : `<${mail}>`].filter((part) => part !== "").join(" ");
  return known === "" ? systemUser() : known;
}

/** The commit that a checkout is at; `… dirty` when its files are not that commit's; `unknown (why)`. */
export async function commitOf(checkout: string): Promise<string> {
  const head = await git(checkout, "rev-parse", "HEAD");
  if ("problem" in head) return `unknown (${head.problem})`;
  const changes = await git(checkout, "status", "--porcelain");
  return "text" in changes && changes.text === "" ? head.text : `${head.text} dirty`;
}

/** What git answers, or in a few words why it does not. */
async function git(checkout: string, ...args: readonly string[]): Promise<{ text: string } | { problem: string }> {
  try {
    const { stdout } = await run("git", ["-C", checkout, ...args]);
    return { text: stdout.trim() };
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === "ENOENT") return { problem: "there is no git" };
    return { problem: stderr?.trim().split("\n")[0] || String(error) };
  }
}

/** A user without an entry in the system's list has a number only. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
