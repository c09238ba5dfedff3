import process from "node:process";
import { places } from "../../local/places.ts";
import { reasonOf } from "../../programs/reason.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { fetchPublicRoute, type RoutePlace } from "../../rollout/kube/public-route.ts";
import { asideOf } from "../../rollout/ledger/drafts.ts";
import { commitOf } from "../../rollout/ledger/origin.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import { readRoute } from "../../rollout/observed.ts";
import { clearTombstone } from "../../rollout/rules/tombstones.ts";
import { type Command, parseOptions } from "../command.ts";
import { clusterOf, readStack } from "../database/stack.ts";
import { Failure } from "../failure.ts";

const name = "rollout clear";

export const clear: Command = {
  help: `
golive rollout clear: lets a release that was tripped climb again.

Usage: golive rollout clear RELEASE --name WHO --reason WHY [--stack STACK]

  RELEASE          the release's id, as the refusal and golive rollout status print it
  --name WHO       who takes it upon themselves
  --reason WHY     what is different now; both stand in the ledger
  --stack STACK    default: local
  --json           the result as one line of JSON

Example:
  golive rollout clear 2.4.0-9f86d081 --stack production --name "Ada Lovelace" --reason "the cache was down, not the release"
`,
  async run(args, session) {
    const order = clearOrder(args);
    const stack = await readStack(order.stack);
    const api = kubeApi(await clusterOf(stack, session.progress));
    const where = { namespace: stack.namespace, application: stack.application };
    const cleared = await clearRelease(api, where, { ...order, commit: await commitOf(places.root) });
    process.stdout.write(`${order.json ? JSON.stringify(cleared) : clearText(order.release, cleared)}\n`);
    return 0;
  },
};

export interface ClearOrder {
  readonly release: string;
  readonly who: string;
  readonly reason: string;
  readonly stack: string;
  readonly json: boolean;
}

/** What a command line asks for. @throws Failure that says what is missing. */
export function clearOrder(args: readonly string[]): ClearOrder {
  const { values, positionals } = parseOptions(name, args, {
    stack: { type: "string", default: "local" },
    name: { type: "string", default: "" },
    reason: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  });
  const [release, ...more] = positionals;
  const who = values.name.trim();
  const reason = values.reason.trim();
  const refuse = (problem: string) => new Failure(`golive ${name}: ${problem}. See: golive ${name} --help`, 2);
  if (release === undefined || more.length > 0)
    throw refuse(`got ${positionals.length === 0 ? "nothing" : `"${positionals.join(" ")}"`}; allowed: one release`);
  if (who === "") throw refuse("--name: got nothing; allowed: who takes it upon themselves");
  if (reason === "") throw refuse("--reason: got nothing; allowed: what is different now, in a few words");
  return { release, who, reason, stack: values.stack, json: values.json };
}

export interface ClearedRelease {
  /** Number of the record in the ledger. */
  readonly record: number;
  /** Tombstones that are still there. */
  readonly left: readonly string[];
}

/**
 * Takes a tombstone away. The ledger knows who and why before the route changes: nobody is let off unnamed.
 * @throws Failure that says what was not done.
 */
export async function clearRelease(
  api: KubeApi,
  where: RoutePlace,
  { release, who, reason, stack, commit }: Omit<ClearOrder, "json"> & { readonly commit?: string },
): Promise<ClearedRelease> {
  const because = (what: string) => (error: unknown) => {
    throw new Failure(`golive ${name}: ${what}: ${reasonOf(error)}`, 1, {
      cause: error,
    });
  };
  const { object } = await fetchPublicRoute(api, where).catch(because("the route could not be read"));
  const route = readRoute(object);
  const { application } = where;
  if (!route.tombstones.includes(release)) throw absent(release, route.tombstones);
  const draft = asideOf(route, { kind: "clear", application, stack, who, commit, reason: `${release}: ${reason}` });
  const { number } = await appendRecord(api, where, draft).catch(
    because(`${release} keeps its tombstone, for the ledger could not be written`),
  );
  const cleared = await clearTombstone(api, where, release).catch(
    because(`${release} keeps its tombstone, though record ${number} says that it was cleared; run this again`),
  );
  return { record: number, left: cleared.left };
}

const absent = (release: string, tombstones: readonly string[]) =>
  new Failure(
    `golive ${name}: got ${release}; allowed, as it has a tombstone: ${tombstones.join(", ") || "none: no release was tripped"}`,
    2,
  );

const clearText = (release: string, { record, left }: ClearedRelease) =>
  [
    `${release} may climb again (record ${record} of the ledger)`,
    ...(left.length > 0 ? [`still with a tombstone: ${left.join(", ")}`] : []),
  ].join("\n");
