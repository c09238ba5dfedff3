import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";
import { bundleSample } from "../../local/sample/bundle.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";

const startSeconds = 30;

/** The sample's backend as a process of this machine, until the session's end. Gives its address. */
export async function startBackend(session: Session, environment: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(places.golive, { recursive: true });
  const directory = await mkdtemp(join(places.golive, "bench-"));
  session.atEnd("remove the backend's files", () => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "backend.mjs");
  await writeFile(file, (await bundleSample()).backend);
  const child = spawn(process.execPath, [file], {
    env: { COLOUR: "blue", RELEASE_VERSION: "2.0.0", PORT: "0", FAULT_PORT: "0", DRAIN_SECONDS: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  session.atEnd("stop the backend", async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  });
  const url = `http://127.0.0.1:${await portOf(child)}`;
  await ready(url);
  return url;
}

/** The port that it says it listens at. */
async function portOf(child: ChildProcess): Promise<string> {
  let output = "";
  return await new Promise((resolve, reject) => {
    const give = (text: string) => {
      output += text;
      const port = /"message":"listening".*"port":(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(port);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", give);
    child.once("exit", (code) => reject(new Failure(`the backend ended with exit code ${code}:\n${output.trim()}`)));
    child.once("error", reject);
  });
}

async function ready(url: string): Promise<void> {
  const deadline = performance.now() + startSeconds * 1000;
  for (;;) {
    const { ok, status } = await fetch(`${url}/ready`);
    if (ok) return;
    if (performance.now() > deadline)
      throw new Failure(`the backend was not ready within ${startSeconds} s: ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
