import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";
import type { Command } from "../command.ts";
import { pulumi } from "../pulumi.ts";
import { stackOf } from "./line.ts";
import { keepIdentity } from "./login.ts";

export const up: Command = {
  help: `
golive delivery up: brings a stack to what its file says, with the policy pack, as a job does.

Usage: golive delivery up --stack STACK

What may be asked was asked in the preview; what may not is refused again here, before anything is touched. The job's identity is
renewed while it runs. A step of the traffic waits for its gate: refused is exit code 1, and the next run may ask again.
`,
  async run(args, session) {
    const stack = stackOf("up", args);
    const env = await keepIdentity(session, process.env);
    const pack = join(places.root, "policies");
    const words = ["up", "--yes", "--skip-preview", "--stack", stack, "--policy-pack", pack, "--color", "never"];
    return (await pulumi(words, { session, progress: session.progress, env })).exitCode;
  },
};
