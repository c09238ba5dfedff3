import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";
import type { Ended } from "./clone.ts";

/** `golive rollout` of this checkout at work on its own stack `local`, as a process that can be killed. */
export class RunningDriver {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(...args: readonly string[]) {
    const child = spawn(process.execPath, [join(places.root, "cli", "main.ts"), "rollout", ...args], {
      env: { ...process.env, GOLIVE_KUBECONFIG: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child = child;
    this.ended = once(child, "close").then(([code]) => ({
      code: typeof code === "number" ? code : -1,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** What it has told so far. */
  get told(): string {
    return this.#stderr;
  }

  /** SIGKILL, as when a machine dies: for the driver, and for the engine that it has started. */
  async kill(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter((each) => each);
    this.#child.kill("SIGKILL");
    // The engine leads a group of its own.
    for (const child of children) process.kill(-Number(child), "SIGKILL");
    await this.ended;
  }
}
