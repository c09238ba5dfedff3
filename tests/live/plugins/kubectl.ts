import { join } from "node:path";
import { places } from "../../../local/places.ts";
import { outcomeOf, run } from "../../../local/run.ts";

const command = join(places.bin, "kubectl");
const cluster = ["--kubeconfig", places.kubeconfig, "--context", "golive-local"];

/** Asks or tells the cluster something beside the engine; gives what kubectl printed, and fails when it does. */
export function kubectl(...args: readonly string[]): Promise<string> {
  return run(command, [...cluster, ...args]);
}

/** The same with something to read. */
kubectl.withInput = (input: string, ...args: readonly string[]): Promise<string> =>
  run(command, [...cluster, ...args], { input });

/** All that kubectl says, whether it fails or not. */
export async function tryKubectl(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await outcomeOf(command, [...cluster, ...args]);
  return stdout + stderr;
}
