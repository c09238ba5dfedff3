import process from "node:process";
import { type Colour, colours } from "../../applications/application.ts";
import { smokeColour } from "../../components/release/smoke.ts";
import type { SmokeReport } from "../../rollout/preflight/smoke.ts";
import type { Settings } from "../../settings.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";
import { changeableStack } from "../workspace.ts";
import { openStack, type RolloutStack } from "./stack.ts";

const name = "rollout smoke";

export const smoke: Command = {
  help: `
golive rollout smoke: the application's smoke tests against one colour alone, past the public route.

Usage: golive rollout smoke [--stack STACK] [--colour COLOUR] [--json]

Each test is one request, sent once, to a ready pod behind the Service of that colour; a kubeconfig that may read EndpointSlices
and open port-forwards is all it takes. Exit code 1 when one did not pass. docs/operations/preflight.md says what they leave.

  --stack STACK     default: ${changeableStack}
  --colour COLOUR   blue or green; default: the candidate
  --json            the result as one line of JSON

Examples:
  golive rollout smoke --stack staging
  golive rollout smoke --colour blue --json
`,
  async run(args, session) {
    const { values, positionals } = parseOptions(name, args, {
      stack: { type: "string", default: changeableStack },
      colour: { type: "string" },
      json: { type: "boolean", default: false },
    });
    refusePositionals(name, positionals);
    const colour = colourOf(values.colour);
    const stack = await openStack(values.stack, session.progress);
    const report = await smokeOf(stack, await stack.settings(), colour);
    process.stdout.write(`${values.json ? JSON.stringify(report) : smokeText(report)}\n`);
    return report.passed ? 0 : 1;
  },
};

/** Undefined: the candidate. @throws Failure that says which colours there are. */
export function colourOf(given: string | undefined): Colour | undefined {
  const colour = colours.find((each) => each === given);
  if (given === undefined || colour !== undefined) return colour;
  throw new Failure(`golive ${name}: --colour: got "${given}"; allowed: ${colours.join(", ")}`, 2);
}

/** Runs the smoke tests against a colour of a stack; by default its candidate. @throws Failure where it has no release. */
export async function smokeOf(
  { cluster, place }: Pick<RolloutStack, "cluster" | "place">,
  { application, colours: configured, candidate }: Settings,
  colour: Colour = candidate,
): Promise<SmokeReport> {
  const { release } = configured[colour];
  if (release === undefined) throw new Failure(`${colour} has no release: there is nothing to test`);
  const { namespace } = place;
  return await smokeColour(cluster.config, { namespace, application, colour, version: release.version });
}

/** A line for each test, and under one that did not pass what was asked, expected and got. */
export function smokeText({ tests, passed, colour, version, milliseconds }: SmokeReport): string {
  const rows = tests.map(({ outcome, name: what, milliseconds: ms }) => [outcome, what, `${ms} ms`]);
  const bad = tests.filter(({ outcome }) => outcome !== "passed");
  const details = bad.map(
    (each) => `${each.name}: ${each.asked}\n  expected  ${each.expected}\n  got       ${each.got}`,
  );
  const count =
    tests.length === 0 ? "there are no smoke tests" : `${tests.length - bad.length} of ${tests.length} passed`;
  const end = `${passed ? "passed" : "FAILED"}: ${colour} ${version}, ${count} in ${(milliseconds / 1000).toFixed(1)} s`;
  return [...(rows.length === 0 ? [] : [table(["outcome", "test", "time"], rows, 2)]), ...details, end].join("\n\n");
}
