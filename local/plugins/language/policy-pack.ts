import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import grpc from "@grpc/grpc-js";
import type { RunPluginRequest } from "@pulumi/pulumi/proto/language_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";

type Call = grpc.ServerWritableStream<RunPluginRequest, InstanceType<typeof language.RunPluginResponse>>;

/** Policy packs that run for the engine. */
export class PolicyPacks {
  readonly #running = new Set<ChildProcess>();

  /**
   * Runs one: its output, the number of its port first, goes back as the stream's messages. It ends when the engine closes the
   * stream, which is all that the engine does to end it.
   */
  run(call: Call): void {
    const refusal = refusalOf(call.request);
    if (refusal !== undefined) {
      fail(call, grpc.status.UNIMPLEMENTED, refusal);
      return;
    }
    const directory = call.request.getInfo()?.getProgramDirectory() ?? call.request.getPwd();
    const child = spawn(process.execPath, packArguments(directory, call.request.getArgsList()), {
      // The SDK takes the pack's version from the package.json of the directory that it runs in.
      cwd: directory,
      env: environmentOf(call.request.getEnvList()),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    child.stdout.on("data", (chunk: Buffer) => write(call, (response) => response.setStdout(chunk)));
    child.stderr.on("data", (chunk: Buffer) => write(call, (response) => response.setStderr(chunk)));
    child.once("error", ({ message }) =>
      fail(call, grpc.status.UNKNOWN, `the policy pack could not be started: ${message}`),
    );
    child.once("close", (code) => {
      this.#running.delete(child);
      // One that was ended by a signal has no code of its own, and did not do what it was asked.
      write(call, (response) => response.setExitcode(code ?? 1));
      call.end();
    });
    call.once("cancelled", () => child.kill("SIGKILL"));
  }

  /** Ends them all at once: a pack has nothing to put back. */
  end(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }
}

function fail(call: Call, code: grpc.status, details: string): void {
  call.destroy(Object.assign(new Error(details), { code, details }));
}

/** Why a plugin cannot be run here; undefined when it can. */
export function refusalOf(request: RunPluginRequest): string | undefined {
  if (request.getKind() !== "analyzer")
    return `the stand-in for the nodejs plugin runs programs and policy packs only, not a plugin of kind ${request.getKind()} (${request.getName()})`;
  return request.getAttachDebugger() ? "the stand-in for the nodejs plugin attaches no debugger" : undefined;
}

/** The SDK's launcher of packs takes the engine's address, which stands last in the arguments, then the pack's directory. */
function packArguments(directory: string, args: readonly string[]): readonly string[] {
  const launcher = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
  return [launcher, ...args, directory];
}

/** `NAME=value` entries as an environment; the last of a name holds, as the engine means it. */
export function environmentOf(entries: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

function write(call: Call, fill: (response: InstanceType<typeof language.RunPluginResponse>) => void): void {
  if (call.cancelled || call.destroyed) return;
  const response = new language.RunPluginResponse();
  fill(response);
  call.write(response);
}
