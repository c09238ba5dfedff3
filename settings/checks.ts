import {
  type Application,
  type Colour,
  colours,
  type Environment,
  environments,
  otherColour,
} from "../applications/application.ts";
import { applications } from "../applications/catalogue.ts";
import { Ladder } from "../rollout/ladder.ts";
import { documentedCredential } from "./documented-credentials.ts";
import { defaults } from "./environments.ts";
import { imageProblem, mirrored } from "./images.ts";
import { type Problem, suggestion } from "./problems.ts";
import { type Given, secretKeys } from "./schema.ts";

/** What is known beside the values themselves. */
export interface Circumstances {
  readonly stack: string;
  /** Keys that the engine keeps as secrets. */
  readonly secretKeys: ReadonlySet<string>;
  /** A preview may go without the secrets that only an `up` needs, so that a reviewer needs none. */
  readonly preview: boolean;
}

/** What is wrong between the values of a configuration; each check speaks only when the values it needs are there. */
export function crossProblems(given: Given, circumstances: Circumstances): readonly Problem[] {
  return [
    ...environmentProblems(given, circumstances),
    ...trafficProblems(given),
    ...colours.flatMap((colour) => releaseProblems(given, colour)),
    ...ownImageProblems(given),
    ...secretProblems(given, circumstances),
    ...notifyProblems(given, circumstances),
    ...gateProblems(given),
    ...overrideProblems(given),
  ];
}

/** The environment sets how much a policy weighs and what may be left out: a stack that is called production is no other. */
function environmentProblems({ environment }: Given, { stack }: Circumstances): readonly Problem[] {
  if (environment === undefined || stack === environment || !environments.some((each) => each === stack)) return [];
  return [{ key: "environment", text: `got "${environment}", but the stack is called ${stack}; allowed: ${stack}` }];
}

/** The rungs that a configuration asks for: by name, as a list, or the application's first ladder. Undefined: no such name. */
export function rungsOf(given: Given["ladder"], application: Application): Application["ladders"][string] | undefined {
  if (given === undefined) return Object.values(application.ladders)[0];
  if (typeof given !== "string") return given;
  return Object.hasOwn(application.ladders, given) ? application.ladders[given] : undefined;
}

function trafficProblems(given: Given): readonly Problem[] {
  const { candidate, candidateTraffic } = given;
  const application = applicationOf(given);
  const problems: Problem[] = application ? [...ladderProblems(given, application)] : [];
  const rungs = application && rungsOf(given.ladder, application);
  const ladder = rungs && Ladder.of(rungs);
  if (ladder instanceof Ladder && candidateTraffic !== undefined && !ladder.allows(candidateTraffic))
    problems.push({
      key: "candidateTraffic",
      text: `got ${candidateTraffic}; allowed on this ladder: ${ladder.percents.join(", ")}`,
    });
  if (candidate === undefined || candidateTraffic === undefined) return problems;
  const stable = otherColour(candidate);
  if (!given[candidate] && candidateTraffic > 0)
    problems.push({
      key: candidate,
      text: `got no release, but it is the candidate with candidateTraffic ${candidateTraffic}; allowed: a release {version, images}, or candidateTraffic 0`,
    });
  else if (!given[candidate] && !given[stable])
    problems.push({ key: stable, text: "got no release; one colour at least needs {version, images}" });
  return problems;
}

const applicationOf = ({ application }: Given): Application | undefined =>
  application === undefined ? undefined : applications[application];

function ladderProblems({ ladder, environment }: Given, application: Application): readonly Problem[] {
  const rungs = rungsOf(ladder, application);
  if (!rungs) {
    const names = Object.keys(application.ladders).join(", ");
    return [
      { key: "ladder", text: `got ${JSON.stringify(ladder)}; allowed: ${names}, or a list of {percent, soakMinutes}` },
    ];
  }
  const made = Ladder.of(rungs);
  const texts = made instanceof Ladder ? [] : [...made];
  if (environment === "production") {
    const least = Math.min(...(rungsOf(undefined, application) ?? []).map((rung) => rung.soakMinutes));
    const first = rungs[0]?.percent ?? 0;
    if (first > 10) texts.push(`first rung ${first}; allowed in production: at most 10`);
    for (const rung of rungs)
      if (rung.soakMinutes < least)
        texts.push(`soakMinutes ${rung.soakMinutes} on rung ${rung.percent}; allowed in production: at least ${least}`);
  }
  return texts.map((text) => ({ key: "ladder", text: `got ${text}` }));
}

function releaseProblems(given: Given, colour: Colour): readonly Problem[] {
  const release = given[colour];
  const application = applicationOf(given);
  if (!release || !application) return [];
  const services = application.services.map((service) => service.name);
  const missing = services.flatMap((service) => {
    const image = release.images[service];
    const text =
      image === undefined
        ? "got nothing; an image is required for each service"
        : pullProblem(image, given, needsDigest(given.environment));
    return text === undefined ? [] : [{ key: `${colour}.images.${service}`, text }];
  });
  const unknown = Object.keys(release.images)
    .filter((image) => !services.includes(image))
    .map((image) => ({ key: `${colour}.images.${image}`, text: `no such service${suggestion(image, services)}` }));
  return [...missing, ...unknown];
}

const needsDigest = (environment: Environment | undefined) => environment === "production";

/** What is wrong with an image, or with what a mirror puts in its place. */
function pullProblem(image: string, { imageMirrors = {} }: Given, byDigest: boolean): string | undefined {
  const problem = imageProblem(image, byDigest);
  const pulled = mirrored(image, imageMirrors);
  const behind = problem === undefined && pulled !== image ? imageProblem(pulled, byDigest) : undefined;
  return behind === undefined ? problem : `its mirror: ${behind}`;
}

/** Images of what golive runs beside the services. */
function ownImageProblems(given: Given): readonly Problem[] {
  const { database, cache, programs, monitoring } = given;
  const images = {
    "database.image": database && "image" in database ? database.image : undefined,
    "cache.image": cache?.image,
    "programs.image": programs?.image,
    "programs.postgresImage": programs?.postgresImage,
    ...Object.fromEntries(
      Object.entries(monitoring?.images ?? {}).map(([name, image]) => [`monitoring.images.${name}`, image]),
    ),
  };
  return Object.entries(images).flatMap(([key, image]) => {
    const text = image === undefined ? undefined : pullProblem(image, given, false);
    return text === undefined ? [] : [{ key, text }];
  });
}

function secretProblems(given: Given, circumstances: Circumstances): readonly Problem[] {
  const inClear = secretKeys
    .filter((key) => given[key] !== undefined && !circumstances.secretKeys.has(key))
    .map((key) => ({
      key,
      text: `stands in clear; a secret is required here: pulumi config set --secret golive:${key}`,
    }));
  // The engine hands a secret over in clear: in any other key it would end in a ConfigMap, the preview and the state.
  const misplaced = [...circumstances.secretKeys]
    .filter((key) => key in given && !secretKeys.some((secret) => secret === key))
    .map((key) => ({
      key,
      text: `holds a secret, but would put it in clear where everybody reads it; secrets may stand in: ${secretKeys.join(", ")}`,
    }));
  const known = secretKeys.flatMap((key) => {
    const whose = documentedCredential(given[key] ?? "");
    return whose === undefined ? [] : [{ key, text: `is ${whose}, which everybody may read; generate another one` }];
  });
  const problems = [...inClear, ...misplaced, ...known];
  if (given.database?.kind !== "external" || given.databaseAdminPassword !== undefined || circumstances.preview)
    return problems;
  return [
    ...problems,
    {
      key: "databaseAdminPassword",
      text: "got nothing; an external database needs it: pulumi config set --secret golive:databaseAdminPassword",
    },
  ];
}

/** Whether alerts reach somebody, and whether the secrets are there that this takes. */
function notifyProblems(given: Given, { preview }: Circumstances): readonly Problem[] {
  const { environment, monitoring = {}, onCallUrl } = given;
  const kind = monitoring.kind ?? (environment && defaults[environment].monitoring.kind);
  const { notify } = monitoring;
  if (kind === undefined) return [];
  if (kind !== "stack") return notify === undefined ? [] : [withoutEffect("notify", kind)];
  if (notify === undefined) return environment === "production" ? [nobodyIsTold] : [];
  const problems: Problem[] = [];
  if (notify.email.username !== undefined && given.smtpPassword === undefined && !preview)
    problems.push(missing("smtpPassword", "monitoring.notify.email.username"));
  if (notify.onCall && onCallUrl === undefined && !preview)
    problems.push(missing("onCallUrl", "monitoring.notify.onCall"));
  if (onCallUrl !== undefined && !isWebAddress(onCallUrl))
    problems.push({ key: "onCallUrl", text: "got a value that is no URL; allowed: an http or https URL" });
  return problems;
}

const withoutEffect = (key: string, kind: string): Problem => ({
  key: `monitoring.${key}`,
  text: `has no effect with kind ${kind}: who is told is decided where the Alertmanager is; allowed: with kind stack`,
});

const nobodyIsTold: Problem = {
  key: "monitoring.notify",
  text: "got nothing: in production alerts must reach somebody; allowed: {email: {smarthost, from}, onCall}, or another kind of monitoring",
};

const missing = (key: string, because: string): Problem => ({
  key,
  text: `got nothing; golive:${because} needs it: pulumi config set --secret golive:${key}`,
});

const isWebAddress = (text: string) => URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);

/** Whether what holds a step back has somebody to ask. */
function gateProblems({ environment, gate = {}, monitoring = {} }: Given): readonly Problem[] {
  if (environment === undefined) return [];
  const standard = defaults[environment];
  const mode = gate.mode ?? standard.gate.mode;
  const kind = monitoring.kind ?? standard.monitoring.kind;
  const problems: Problem[] = [];
  if (mode === "off" && environment === "production")
    problems.push({
      key: "gate.mode",
      text: "got off; allowed in production: on. One step that cannot wait has golive:override",
    });
  if (mode === "on" && kind === "none")
    problems.push({
      key: "gate.mode",
      text: `${gate.mode === undefined ? `is on in ${environment}` : "got on"}, but with monitoring.kind none nothing is measured; allowed: another kind of monitoring${environment === "production" ? "" : ", or gate.mode off"}`,
    });
  if (mode === "on" && kind === "existing" && gate.prometheus === undefined)
    problems.push({
      key: "gate.prometheus",
      text: "got nothing; with monitoring.kind existing it is not known who to ask; allowed: {namespace, service}, such as {namespace: monitoring, service: prometheus-operated:9090}",
    });
  if (kind === "stack" && gate.prometheus !== undefined)
    problems.push({
      key: "gate.prometheus",
      text: "has no effect with monitoring.kind stack: its own Prometheus is asked; allowed: with kind existing",
    });
  return problems;
}

function overrideProblems(given: Given): readonly Problem[] {
  const application = applicationOf(given);
  const rungs = application && rungsOf(given.ladder, application);
  const ladder = rungs && Ladder.of(rungs);
  if (!given.override || !(ladder instanceof Ladder) || ladder.allows(given.override.percent)) return [];
  const allowed = ladder.rungs.map(({ percent }) => percent).join(", ");
  return [{ key: "override.percent", text: `got ${given.override.percent}; allowed on this ladder: ${allowed}` }];
}
