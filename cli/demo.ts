import process from "node:process";
import { type Command, parseOptions, refusePositionals } from "./command.ts";
import { runSteps } from "./demo/steps.ts";
import { runWalks } from "./demo/walks.ts";

export const demo: Command = {
  help: `
golive demo: TaskFlow goes live on a real cluster, and its traffic is stepped by repeated "pulumi up", under load.

Usage: golive demo [--keep] [--rollout]

  --keep      leave the cluster and the stack running at the end, and say how to reach them
  --rollout   walk two releases by "golive rollout start" instead: a good one to 100, and one that fails 30 % of its
              requests, which must undo itself

Starts the throw-away cluster (or uses the one in GOLIVE_KUBECONFIG), brings stack local up with blue (version 1) and green
(version 2), puts load on its gateway at loopback (users who log in, read tasks and write some), and steps the candidate's
traffic to 10, 50, 100 and back to 0. Exits 1 when a request failed, a task that was written is lost, or a share was off by
more than 3 points. Writes .golive/demo.json.
The first run builds the cluster (minutes); after that it takes less than three, with --rollout less than ten.

Examples:
  golive demo
  golive demo --rollout
  golive demo --keep && golive pulumi preview --stack local
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("demo", args, {
      keep: { type: "boolean", default: false },
      rollout: { type: "boolean", default: false },
    });
    refusePositionals("demo", positionals);
    const { text, problems } = await (values.rollout ? runWalks : runSteps)(session, values.keep);
    process.stdout.write(`\n${text}\n`);
    for (const problem of problems) process.stderr.write(`golive demo: ${problem}\n`);
    return problems.length === 0 ? 0 : 1;
  },
};
