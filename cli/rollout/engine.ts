import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { places } from "../../local/places.ts";
import { runChild } from "../child.ts";
import { Failure } from "../failure.ts";
import { type PulumiOptions, type PulumiResult, pulumi } from "../pulumi.ts";
import type { Session } from "../session.ts";
import type { UpOutcome } from "./drive.ts";
import { isRealBackend } from "./stack.ts";

/** Pulumi on one stack, as the driver needs it. */
export class RolloutEngine {
  readonly #stack: string;
  readonly #session: Session;
  readonly #checkout: string;

  /** `checkout`: where the stack's file is committed. */
  constructor(stack: string, session: Session, checkout: string = places.root) {
    this.#stack = stack;
    this.#session = session;
    this.#checkout = checkout;
  }

  /** Writes values into the stack's file, all or none. */
  async write(values: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(values).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    await this.#succeed(["config", "set-all", "--path", ...pairs]);
  }

  /** Takes a value out of the stack's file. */
  async remove(key: string): Promise<void> {
    await this.#succeed(["config", "rm", "--path", key]);
  }

  /** Commits the stack's file alone, when it differs from the last commit. */
  async commit(message: string): Promise<void> {
    if (!isRealBackend())
      throw new Failure(
        `golive rollout: got --commit, but stack ${this.#stack} is worked on as a copy below .golive/; commit goes with a backend of your own (PULUMI_BACKEND_URL)`,
        2,
      );
    const file = `Pulumi.${this.#stack}.yaml`;
    const git = (...args: readonly string[]) =>
      runChild("git", ["-C", this.#checkout, ...args], { cwd: this.#checkout, env: process.env, capture: true });
    const state = await git("status", "--porcelain", "--", file);
    if (state.exitCode === 0 && state.stdout.trim() === "") return;
    // A file that git does not know yet cannot be named in a commit.
    const added = state.exitCode === 0 ? await git("add", "--", file) : state;
    const done = added.exitCode === 0 ? await git("commit", "--quiet", "--message", message, "--", file) : added;
    if (done.exitCode !== 0)
      throw new Failure(`git could not commit ${file}, so nothing was run:\n${done.stdout}${done.stderr}`);
  }

  async up(): Promise<UpOutcome & { readonly locked: boolean }> {
    const directory = await mkdtemp(join(tmpdir(), "golive-up-"));
    try {
      const log = join(directory, "events.json");
      const args = ["up", "--yes", "--skip-preview", "--color", "never", "--event-log", log];
      // The engine keeps its log of events from people who did not ask for it.
      const result = await this.#run(args, { PULUMI_DEBUG_COMMANDS: "true" });
      const { exitCode, stdout, stderr, seconds } = result;
      if (exitCode === 0) return { succeeded: true, reason: "", seconds, locked: false };
      const errors = errorsIn(await readFile(log, "utf8").catch(absent));
      const said = errors.length > 0 ? errors.join("\n") : `${stderr}${stdout}`.trim();
      const reason = said === "" ? `pulumi up ended with exit code ${exitCode}` : said;
      return { succeeded: false, reason, seconds, locked: isLocked(`${stdout}${stderr}${reason}`) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #succeed(args: readonly string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#run(args, {});
    if (exitCode !== 0)
      throw new Failure(`pulumi ${args.join(" ")} ended with exit code ${exitCode}:\n${stdout}${stderr}`);
  }

  #run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<PulumiResult> {
    const { progress } = this.#session;
    const options: PulumiOptions = { session: this.#session, progress, capture: true, env };
    return pulumi([...args, "--stack", this.#stack], options);
  }
}

const absent = (error: NodeJS.ErrnoException): string => {
  if (error.code === "ENOENT") return "";
  throw error;
};

/** What the engine reported as errors, each once, without its colours. */
export function errorsIn(log: string): readonly string[] {
  const errors = log
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line) => {
      const { diagnosticEvent: event } = JSON.parse(line) as EngineEvent;
      if (event?.severity !== "error") return [];
      return [event.message.replace(/<\{%[^%]*%\}>/g, "").trim()];
    });
  // The last error of a run only says that there were some.
  const told = errors.filter((text) => text !== "" && text !== "update failed");
  return [...new Set(told)];
}

/** Another `up` has the stack: a file backend's lock, or a service's answer. */
export const isLocked = (text: string): boolean =>
  text.includes("the stack is currently locked by") || text.includes("[409] Conflict: Another update");
