import process from "node:process";
import { z } from "zod";
import { colours } from "../../applications/application.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { type LiveRoute, openTrip, releaseAnnotation } from "../../rollout/observed.ts";
import { parseJson } from "../../rollout/parse-json.ts";
import type { Settings } from "../../settings.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { openStack, type RolloutStack } from "../rollout/stack.ts";
import { jobOf } from "./job.ts";
import { required, stackOf } from "./line.ts";

const provenRelease = z.object({
  version: z.string(),
  /** Digest of the image that every pod of a service runs: `sha256:…`. */
  digests: z.record(z.string(), z.string().regex(/^sha256:[0-9a-f]{64}$/)),
});

const evidenceForm = z.object({ stack: z.string(), application: z.string(), releases: z.array(provenRelease) });

/** What a stack has shown to work, for the next stack to rely on. */
export interface Evidence {
  readonly stack: string;
  readonly application: string;
  readonly releases: readonly ProvenRelease[];
}
export type ProvenRelease = Readonly<z.infer<typeof provenRelease>>;

export const evidence: Command = {
  help: `
golive delivery evidence: which images a stack has proven, by digest, read off the pods that run them. In a GitHub job also as its
output "evidence".

Usage: golive delivery evidence --stack STACK

A release counts when it was proven at 100 %, or is the stable one and has all traffic; never one that was tripped.
`,
  async run(args, session) {
    const stack = await openStack(stackOf("evidence", args), session.progress);
    const found = JSON.stringify(await evidenceOf(stack));
    await jobOf().output("evidence", found);
    process.stdout.write(`${found}\n`);
    return 0;
  },
};

export const promoted: Command = {
  help: `
golive delivery promoted: refuses a release that comes from nowhere. Each image of the stack's file must be one that the evidence
has, by digest, or one that the stack runs already.

Usage: golive delivery promoted --stack STACK --evidence JSON

  --evidence JSON   what "golive delivery evidence" printed for the stack before; in a workflow: the output of an earlier job

Exit codes: 0 every image is known, 1 some are not.
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("delivery promoted", args, {
      stack: { type: "string" },
      evidence: { type: "string" },
    });
    refusePositionals("delivery promoted", positionals);
    const name = required("promoted", "stack", values.stack);
    const known = evidenceIn(required("promoted", "evidence", values.evidence));
    const stack = await openStack(name, session.progress);
    const unknown = unknownImages(await stack.settings(), known, await runningDigests(stack));
    if (unknown.length === 0) {
      process.stdout.write(`every image of stack ${name} was proven on stack ${known.stack}, or runs already\n`);
      return 0;
    }
    throw new Failure(
      `stack ${name}: ${unknown.length === 1 ? "an image comes" : "images come"} from nowhere:\n${unknown.map((each) => `  ${each}`).join("\n")}\n` +
        `Allowed: what stack ${known.stack} has proven at 100 %. Next: golive delivery promote --from ${known.stack} --to ${name}`,
    );
  },
};

/** Reads evidence that came through another job. @throws Failure that says what is not right about it. */
export function evidenceIn(text: string): Evidence {
  const read = evidenceForm.safeParse(parseJson(text));
  if (read.success) return read.data;
  const [first] = read.error.issues;
  throw new Failure(
    `--evidence: ${first?.path.join(".") || "it"}: ${first?.message}; allowed: what golive delivery evidence prints`,
    2,
  );
}

/** What is read of a pod. */
export interface RunningPod {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly imageID: string;
      readonly ready: boolean;
    }[];
  };
}

export async function evidenceOf(stack: RolloutStack): Promise<Evidence> {
  const { application } = stack.place;
  const { route } = await stack.cluster.observe();
  const releases = route === undefined ? [] : provenReleases(route, await podsOf(stack.cluster.api, stack.place));
  return { stack: stack.name, application, releases };
}

/** The releases that were proven and still run, with the digests that all of their pods agree on. */
export function provenReleases(route: LiveRoute, pods: readonly RunningPod[]): readonly ProvenRelease[] {
  const { told, exposure, floor, tombstones, edits } = route;
  if (told === undefined) return [];
  const tripped = openTrip(route)?.colour;
  return colours.flatMap((colour) => {
    const release = told.releases[colour];
    const servesAll =
      colour !== told.candidate && edits.length === 0 && exposure[colour] === 100 && floor[colour] === 100;
    const counts = release !== undefined && (told.proven[colour] === release || servesAll);
    if (!counts || [...tombstones, ...told.outdated].includes(release) || tripped === colour) return [];
    const own = pods.filter(
      ({ metadata }) =>
        metadata?.labels?.version === colour &&
        metadata.annotations?.[releaseAnnotation] === release &&
        metadata.deletionTimestamp === undefined,
    );
    const digests = digestsOf(own);
    const version = own[0]?.metadata?.labels?.["app.kubernetes.io/version"];
    return digests === undefined || version === undefined ? [] : [{ version, digests }];
  });
}

/** Undefined: nothing runs, a pod is not ready, two disagree, or an image has no digest of a registry. */
function digestsOf(pods: readonly RunningPod[]): Readonly<Record<string, string>> | undefined {
  const digests: Record<string, string> = {};
  for (const { metadata, status } of pods) {
    const service = metadata?.labels?.component;
    const container = status?.containerStatuses?.find(({ name }) => name === service);
    const digest = digestOf(container?.imageID ?? "");
    if (service === undefined || container?.ready !== true || digest === undefined) return undefined;
    if (digests[service] !== undefined && digests[service] !== digest) return undefined;
    digests[service] = digest;
  }
  return pods.length === 0 ? undefined : digests;
}

/** `registry/name@sha256:…`, as a container runtime says what it pulled; an image that was only imported has none. */
export const digestOf = (reference: string): string | undefined => /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];

async function podsOf(api: KubeApi, { namespace, application }: RolloutStack["place"]): Promise<readonly RunningPod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(`app=${application},version`)}`;
  const { status, body } = await api.ask({ method: "GET", path });
  if (status !== 200)
    throw new Failure(`the pods of ${application} could not be read: the API server answered ${status}`);
  return (JSON.parse(body) as { readonly items?: readonly RunningPod[] }).items ?? [];
}

async function runningDigests(stack: RolloutStack): Promise<ReadonlySet<string>> {
  const pods = await podsOf(stack.cluster.api, stack.place);
  const ids = pods.flatMap(({ status }) => (status?.containerStatuses ?? []).map(({ imageID }) => digestOf(imageID)));
  return new Set(ids.filter((id) => id !== undefined));
}

/** The images of a stack's file that were neither proven before nor run already, each with where it stands. */
export function unknownImages(settings: Settings, known: Evidence, running: ReadonlySet<string>): readonly string[] {
  if (known.application !== settings.application.name)
    return [`the evidence is of ${known.application}, and stack ${settings.stack} is of ${settings.application.name}`];
  return colours.flatMap((colour) =>
    Object.entries(settings.colours[colour].release?.images ?? {}).flatMap(([service, reference]) => {
      const digest = digestOf(reference);
      const isKnown =
        digest !== undefined &&
        (running.has(digest) || known.releases.some(({ digests }) => digests[service] === digest));
      return isKnown ? [] : [`golive:${colour}.images.${service}  got ${reference}`];
    }),
  );
}
