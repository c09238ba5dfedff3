import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseDocument } from "yaml";
import type { Colour } from "../../applications/application.ts";
import { places } from "../../local/places.ts";
import type { Settings } from "../../settings.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { openStack, settingsOf } from "../rollout/stack.ts";
import { type Evidence, evidenceIn, evidenceOf } from "./evidence.ts";
import { required } from "./line.ts";

export const promote: Command = {
  help: `
golive delivery promote: writes the release that one stack has proven into the file of the next, by digest: nothing is built anew.

Usage: golive delivery promote --from STACK --to STACK [--evidence JSON]

  --evidence JSON   what "golive delivery evidence --stack FROM" printed; default: it is read off the cluster now

It becomes the release of the candidate, which must be at 0 in the file. Commit it on a branch: its pull request has the preview.

Example:
  golive delivery promote --from staging --to production
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("delivery promote", args, {
      from: { type: "string" },
      to: { type: "string" },
      evidence: { type: "string" },
    });
    refusePositionals("delivery promote", positionals);
    const from = required("promote", "from", values.from);
    const to = required("promote", "to", values.to);
    const known =
      values.evidence === undefined
        ? await evidenceOf(await openStack(from, session.progress))
        : evidenceIn(values.evidence);
    const change = promotionOf(await settingsOf(from), await settingsOf(to), known);
    const file = join(places.root, `Pulumi.${to}.yaml`);
    const before = await readFile(file, "utf8");
    const after = withRelease(before, change);
    if (after !== before) await writeFile(file, after);
    const images = Object.values(change.images).map((reference) => `  ${reference}`);
    process.stdout.write(
      `Pulumi.${to}.yaml: ${change.colour} is release ${change.version} of stack ${from}\n${images.join("\n")}\n`,
    );
    return 0;
  },
};

/** What a promotion writes. */
export interface Promotion {
  readonly colour: Colour;
  readonly version: string;
  readonly images: Readonly<Record<string, string>>;
}

/**
 * The newest release that a stack has proven, for the candidate of the next one: its name and tag as the first stack's file has
 * them, its digest as the pods had it.
 * @throws Failure that says what is missing, and what to do.
 */
export function promotionOf(from: Settings, to: Settings, known: Evidence): Promotion {
  const applications = [from, to].map(({ application }) => application.name);
  if (applications.some((name) => name !== known.application) || known.stack !== from.stack)
    throw new Failure(
      `the evidence is of ${known.application} on ${known.stack}; allowed: of ${applications[0]} on ${from.stack}`,
    );
  if (to.candidateTraffic !== 0)
    throw new Failure(
      `stack ${to.stack}: ${to.candidate} has ${to.candidateTraffic} % of the traffic in Pulumi.${to.stack}.yaml; a release is only changed at 0. Finish or take back that rollout first`,
    );
  const stable = to.colours[to.stable].release?.version;
  // The candidate of a finished rollout is the newest; else the stable one is what there is to promote.
  const order = [from.candidate, from.stable];
  const releases = order.flatMap((colour) => {
    const release = from.colours[colour].release;
    const proven = known.releases.find(({ version }) => version === release?.version);
    return release === undefined || proven === undefined ? [] : [{ release, proven }];
  });
  const found = releases[0];
  if (found === undefined)
    throw new Failure(
      `stack ${from.stack} has proven no release that its file describes; it must have been at 100 %, with pods of an image from a registry. See: golive rollout status --stack ${from.stack}`,
    );
  const { release, proven } = found;
  if (release.version === stable)
    throw new Failure(`stack ${to.stack}: ${to.stable} runs ${stable} already: there is nothing newer to promote`);
  const images = Object.entries(release.images).map(([service, reference]) => {
    const digest = proven.digests[service];
    if (digest === undefined)
      throw new Failure(`the evidence of ${from.stack} has no digest for ${service} of ${release.version}`);
    return [service, `${reference.replace(/@sha256:[0-9a-f]{64}$/, "")}@${digest}`] as const;
  });
  return { colour: to.candidate, version: release.version, images: Object.fromEntries(images) };
}

/** A stack's file with another release of one colour. Comments, order and all else stay. */
export function withRelease(text: string, { colour, version, images }: Promotion): string {
  const file = parseDocument(text);
  const path = ["config", `golive:${colour}`];
  file.setIn([...path, "version"], version);
  for (const [service, reference] of Object.entries(images)) file.setIn([...path, "images", service], reference);
  // Long references stay on one line.
  return file.toString({ lineWidth: 0 });
}
