import process from "node:process";
import { KubeConfig } from "@kubernetes/client-node";
import { type Colour, colours } from "../../applications/application.ts";
import { places } from "../../local/places.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import type { RoutePlace } from "../../rollout/kube/public-route.ts";
import { whoOf } from "../../rollout/ledger/origin.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { clusterOf, readStack } from "../database/stack.ts";
import { Failure } from "../failure.ts";
import type { Progress } from "../progress.ts";
import type { Session } from "../session.ts";
import { changeableStack } from "../workspace.ts";
import { abortNow, abortText } from "./abort-now.ts";

const name = "rollout abort";

const options = {
  stack: { type: "string" },
  now: { type: "boolean", default: false },
  colour: { type: "string" },
  reason: { type: "string" },
  name: { type: "string" },
  namespace: { type: "string" },
  application: { type: "string" },
  kubeconfig: { type: "string" },
  commit: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;
const nowOnly = ["colour", "reason", "name", "namespace", "application", "kubeconfig"] as const;

export const abort: Command = {
  help: `
golive rollout abort: all traffic off the candidate.

Usage: golive rollout abort [--now] [--stack STACK]

  (nothing)         writes candidateTraffic 0 into the stack's file, then pulumi up; also acknowledges a trip
  --now             one patch of the public route, with a kubeconfig alone: needs no state, no registry, no Prometheus, no lock.
                    The release gets a tombstone: it climbs again only after golive rollout clear

  --colour COLOUR   with --now: takes the traffic off this colour instead of the candidate (after the switch of roles)
  --reason WHY      with --now: stands on the route and in the ledger; default: "by hand"
  --name WHO        with --now: default: $GOLIVE_WHO, else the user of git, else of the system
  --commit          without --now: commits the stack's file before the up
  --stack STACK     default: local
  --json            the result as one line of JSON

With --now, on a machine without the stack's file: --namespace NAMESPACE --application NAME [--kubeconfig FILE], its current context.

Examples:
  golive rollout abort --now --stack production --reason "checkout fails since 14:02"
  golive rollout abort --now --namespace production --application taskflow
  golive rollout abort --stack production
`,
  async run(args, session) {
    const { values, positionals } = parseOptions(name, args, options);
    refusePositionals(name, positionals);
    const { now, commit, json } = values;
    if (!now) {
      const stray = nowOnly.find((option) => values[option] !== undefined);
      if (stray !== undefined) throw refuse(`got --${stray}; allowed: with --now only`);
      return abortByRun({ stack: values.stack ?? changeableStack, json, commit }, session);
    }
    if (commit) throw refuse("got --commit with --now, which writes no file");
    const colour = values.colour === undefined ? undefined : colourOf(values.colour);
    const { api, where, stack } = await targetOf(values, session.progress);
    const reason = (values.reason ?? "by hand").trim();
    const by = values.name ?? (await whoOf(places.root, process.env));
    const result = await abortNow(api, where, { colour, reason, by, stack });
    process.stdout.write(`${json ? JSON.stringify(result) : abortText(result)}\n`);
    return 0;
  },
};

const refuse = (problem: string) => new Failure(`golive ${name}: ${problem}. See: golive ${name} --help`, 2);

interface Target {
  readonly api: KubeApi;
  readonly where: RoutePlace;
  readonly stack: string | undefined;
}

/** Whose route it is: as a stack's file says, or as the command line does. */
async function targetOf(
  given: Readonly<Partial<Record<"stack" | "namespace" | "application" | "kubeconfig", string>>>,
  progress: Progress,
): Promise<Target> {
  const { namespace, application, kubeconfig } = given;
  if (namespace === undefined && application === undefined && kubeconfig === undefined) {
    const stack = await readStack(given.stack ?? changeableStack);
    const where = { namespace: stack.namespace, application: stack.application };
    return { api: kubeApi(await clusterOf(stack, progress)), where, stack: stack.name };
  }
  if (given.stack !== undefined) throw refuse("got --stack with --namespace, --application or --kubeconfig");
  if (namespace === undefined || application === undefined)
    throw refuse("--namespace and --application: got one of them or none; allowed: both, or --stack alone");
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  return { api: kubeApi(config), where: { namespace, application }, stack: undefined };
}

function colourOf(text: string): Colour {
  const colour = colours.find((each) => each === text);
  if (colour) return colour;
  throw refuse(`--colour: got "${text}"; allowed: ${colours.join(", ")}`);
}

/** The way of every other step: the stack's file says 0 before the cluster does. */
async function abortByRun(
  { stack, json, commit }: { readonly stack: string; readonly json: boolean; readonly commit: boolean },
  session: Session,
): Promise<number> {
  // Loaded only here: who aborts at once waits for nothing that is not needed.
  const [{ step }, { openStack }, { DriverLease, holderText }] = await Promise.all([
    import("./step.ts"),
    import("./stack.ts"),
    import("./lease.ts"),
  ]);
  const { cluster, place } = await openStack(stack, session.progress);
  const holder = await new DriverLease(cluster.api, place, "").holder();
  if (holder)
    throw new Failure(
      `golive ${name}: ${holderText(holder)}. golive ${name} --now --stack ${stack} takes the traffic away at once; ` +
        "that driver then writes the stack's file and ends",
    );
  return step(
    { word: "step", stack, json, to: 0, onConflict: "wait", commit, patienceSeconds: 0, reason: "" },
    session,
  );
}
