import process from "node:process";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import {
  type Application,
  type Colour,
  colours,
  type Environment,
  environments,
  otherColour,
  type SecretKey,
} from "./applications/application.ts";
import { applications } from "./applications/catalogue.ts";
import { Ladder } from "./rollout/ladder.ts";
import { defaults } from "./settings/environments.ts";
import { imageProblem } from "./settings/images.ts";
import { type Problem, SettingsError, suggestion } from "./settings/problems.ts";

/** What a colour runs: a version, one image for each service, and configuration of its own. */
export interface Release {
  readonly version: string;
  readonly images: Readonly<Record<string, string>>;
  /** Extra environment in clear, on top of the application's. */
  readonly config: Readonly<Record<string, string>>;
}

export interface ColourSettings {
  readonly release: Release | undefined;
  /** Scaled to 0 pods, but still declared (rule 8 of the ladder). */
  readonly retired: boolean;
}

export type DatabaseSettings =
  | {
      readonly kind: "statefulset";
      readonly image: string;
      readonly storage: string;
      readonly storageClass: string | undefined;
    }
  | { readonly kind: "external"; readonly host: string; readonly port: number };

export interface CacheSettings {
  readonly image: string;
  /** Size of its volume, a Kubernetes quantity. */
  readonly storage: string;
  readonly storageClass: string | undefined;
  /** Memory limit of the pod in MiB; Redis itself may use 70 % of it (fork needs room for copy-on-write). */
  readonly memoryMiB: number;
}

export interface GatewaySettings {
  readonly name: string;
  readonly namespace: string;
  /** Listener of the public route, and the one that only the inside reaches. */
  readonly section: string;
  readonly internalSection: string;
}

/** One release change on a colour that serves: spent once, recorded on the route. */
export interface InPlace {
  readonly colour: Colour;
  readonly reason: string;
}

/** A stack's configuration, parsed and frozen. Only this module reads config. */
export interface Settings {
  readonly stack: string;
  readonly application: Application;
  readonly environment: Environment;
  /** Named after the environment (C18). */
  readonly namespace: string;
  /** Kubernetes context, always explicit; the file is `$KUBECONFIG` or `~/.kube/config` when undefined. */
  readonly cluster: { readonly context: string; readonly kubeconfig: string | undefined };
  readonly hostname: string;
  readonly gateway: GatewaySettings;
  readonly colours: Readonly<Record<Colour, ColourSettings>>;
  readonly candidate: Colour;
  readonly stable: Colour;
  readonly candidateTraffic: number;
  readonly ladder: Ladder;
  readonly inPlace: InPlace | undefined;
  readonly retireAfterHours: number;
  readonly database: DatabaseSettings;
  readonly cache: CacheSettings;
  /** Exact references, or prefixes that end in `/`, and what stands in their place. */
  readonly imageMirrors: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Partial<Record<SecretKey | "databasePassword", string>>>;
}

/** Raw config of one project namespace: key without `golive:`, value as the engine hands it over (JSON text for objects). */
export interface RawSettings {
  readonly stack: string;
  readonly values: Readonly<Record<string, string>>;
  readonly secretKeys: ReadonlySet<string>;
  /** A preview may go without the secrets that only an `up` needs, so that a reviewer needs none. */
  readonly preview: boolean;
}

const text = (allowed: string) => z.string(`allowed: ${allowed}`).min(1, `allowed: ${allowed}`);
const name = z
  .string("allowed: a Kubernetes name")
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "allowed: a Kubernetes name (a-z, 0-9, -)");
const host = z
  .string("allowed: a DNS name")
  .regex(/^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, "allowed: a DNS name");
const quantity = z
  .string("allowed: a size such as 10Gi")
  .regex(/^[1-9][0-9]*(Mi|Gi|Ti)$/, "allowed: a size such as 10Gi");
const colour = z.enum(colours, "allowed: blue, green");
const release = z.strictObject({
  version: z
    .string("allowed: a version such as 1.2.3")
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, "allowed: a version such as 1.2.3 (a label value)"),
  images: z.record(z.string(), z.string("allowed: name:tag or name@sha256:…")),
  config: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "allowed: names of environment variables"),
      z.string("allowed: text (put numbers in quotes)"),
    )
    .default({}),
  retired: z.boolean("allowed: true or false").default(false),
});
const rung = z.strictObject({
  percent: z.number("allowed: an integer from 1 to 100"),
  soakMinutes: z.number("allowed: minutes, 0 or more"),
});

const shape = {
  application: z.enum(Object.keys(applications), `allowed: ${Object.keys(applications).join(", ")}`),
  environment: z.enum(environments, `allowed: ${environments.join(", ")}`),
  cluster: z.strictObject({ context: text("the name of a kubeconfig context"), kubeconfig: text("a path").optional() }),
  hostname: host,
  gateway: z.strictObject({ name, namespace: name, section: name, internalSection: name }),
  blue: release.optional(),
  green: release.optional(),
  candidate: colour,
  candidateTraffic: z.int("allowed: an integer percent, 0 or a rung of the ladder"),
  ladder: z
    .union([z.string(), z.array(rung)], "allowed: a ladder's name, or a list of {percent, soakMinutes}")
    .optional(),
  inPlace: z.strictObject({ colour, reason: text("why this cannot wait for weight 0") }).optional(),
  retireAfterHours: z.number("allowed: hours, 0 or more").min(0, "allowed: hours, 0 or more").optional(),
  database: z
    .discriminatedUnion(
      "kind",
      [
        z.strictObject({
          kind: z.literal("statefulset"),
          image: z.string().optional(),
          storage: quantity.optional(),
          storageClass: name.optional(),
        }),
        z.strictObject({
          kind: z.literal("external"),
          host,
          port: z.int("allowed: a port").min(1, "allowed: 1 to 65535").max(65535, "allowed: 1 to 65535").default(5432),
        }),
      ],
      "allowed: {kind: statefulset, …} or {kind: external, host, port}",
    )
    .optional(),
  cache: z
    .strictObject({
      image: z.string().optional(),
      storage: quantity.optional(),
      storageClass: name.optional(),
      memoryMiB: z.int("allowed: MiB").min(64, "allowed: 64 MiB or more").optional(),
    })
    .optional(),
  imageMirrors: z.record(z.string(), text("an image reference")).default({}),
  sentryDsn: text("a secret").optional(),
  databasePassword: text("a secret").optional(),
};
const schema = z.strictObject(shape);
const secretKeys = ["sentryDsn", "databasePassword"] as const;
const textKeys = new Set(["application", "environment", "hostname", "candidate", "sentryDsn", "databasePassword"]);

/**
 * Parses one stack's configuration.
 * @throws SettingsError with every problem found: the key, what was got, what is allowed.
 */
export function parseSettings(raw: RawSettings): Settings {
  const problems: Problem[] = [];
  const input = Object.fromEntries(Object.entries(raw.values).map(([key, value]) => [key, decode(key, value)]));
  const parsed = schema.safeParse(input);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => explain(issue, input)));
  for (const key of secretKeys)
    if (raw.values[key] !== undefined && !raw.secretKeys.has(key))
      problems.push({
        key,
        text: `stands in clear; a secret is required here: pulumi config set --secret golive:${key}`,
      });
  if (!parsed.success) throw new SettingsError(raw.stack, problems);

  const value = parsed.data;
  const application = applications[value.application];
  if (!application) throw new SettingsError(raw.stack, problems);
  const standard = defaults[value.environment];
  const { ladder, ladderProblems } = ladderOf(value.ladder, application, value.environment);
  problems.push(...ladderProblems);
  if (ladder && !ladder.allows(value.candidateTraffic))
    problems.push({
      key: "candidateTraffic",
      text: `got ${value.candidateTraffic}; allowed on this ladder: ${ladder.percents.join(", ")}`,
    });

  for (const each of colours) problems.push(...releaseProblems(each, value[each], application, value.environment));
  const stable = otherColour(value.candidate);
  if (!value[stable] && !value[value.candidate])
    problems.push({ key: stable, text: "got no release; one colour at least needs {version, images}" });
  if (value.candidateTraffic > 0 && !value[value.candidate])
    problems.push({
      key: value.candidate,
      text: `got no release, but it is the candidate with candidateTraffic ${value.candidateTraffic}; allowed: a release {version, images}, or candidateTraffic 0`,
    });

  const database = databaseOf(value.database ?? { kind: "statefulset" }, standard);
  if (database.kind === "external" && value.databasePassword === undefined && !raw.preview)
    problems.push({
      key: "databasePassword",
      text: "got nothing; an external database needs it: pulumi config set --secret golive:databasePassword",
    });
  const cache: CacheSettings = {
    image: value.cache?.image ?? standard.cache.image,
    storage: value.cache?.storage ?? standard.cache.storage,
    storageClass: value.cache?.storageClass,
    memoryMiB: value.cache?.memoryMiB ?? standard.cache.memoryMiB,
  };
  for (const [key, image] of [
    ["database.image", database.kind === "statefulset" ? database.image : undefined],
    ["cache.image", cache.image],
  ] as const) {
    const problem = image === undefined ? undefined : imageProblem(image, false);
    if (problem) problems.push({ key, text: problem });
  }
  if (problems.length > 0 || !ladder) throw new SettingsError(raw.stack, problems);

  const colourOf = (each: Colour): ColourSettings => {
    const given = value[each];
    if (!given) return { release: undefined, retired: false };
    const { retired, ...rest } = given;
    return { release: rest, retired };
  };
  return deepFreeze({
    stack: raw.stack,
    application,
    environment: value.environment,
    namespace: value.environment,
    cluster: { context: value.cluster.context, kubeconfig: value.cluster.kubeconfig },
    hostname: value.hostname,
    gateway: value.gateway,
    colours: { blue: colourOf("blue"), green: colourOf("green") },
    candidate: value.candidate,
    stable,
    candidateTraffic: value.candidateTraffic,
    ladder,
    inPlace: value.inPlace,
    retireAfterHours: value.retireAfterHours ?? standard.retireAfterHours,
    database,
    cache,
    imageMirrors: value.imageMirrors,
    secrets: {
      ...(value.sentryDsn === undefined ? {} : { sentryDsn: value.sentryDsn }),
      ...(value.databasePassword === undefined ? {} : { databasePassword: value.databasePassword }),
    },
  });
}

/** Reads and parses the configuration of the stack that runs. The only place that asks Pulumi for config. */
export function readSettings(): Settings {
  const own = (key: string) => key.startsWith("golive:");
  const bare = (key: string) => key.slice("golive:".length);
  const all = pulumi.runtime.allConfig();
  const secret: unknown = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]");
  return parseSettings({
    stack: pulumi.getStack(),
    values: Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (own(key) ? [[bare(key), value]] : []))),
    secretKeys: new Set(Array.isArray(secret) ? secret.map(String).filter(own).map(bare) : []),
    preview: pulumi.runtime.isDryRun(),
  });
}

/** Objects, numbers and booleans arrive as JSON text; what is meant as text stays text, whatever it looks like. */
function decode(key: string, value: string): unknown {
  if (textKeys.has(key)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function explain(issue: z.core.$ZodIssue, input: Readonly<Record<string, unknown>>): readonly Problem[] {
  const key = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = issue.path.length === 0 ? Object.keys(shape) : (knownKeys[key] ?? []);
    return issue.keys.map((unknown) => ({
      key: key === "" ? unknown : `${key}.${unknown}`,
      text: `unknown key${suggestion(unknown, known)}`,
    }));
  }
  const got = issue.path.reduce<unknown>(
    (value, part) => (typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined),
    input,
  );
  const shown = secretKeys.some((secret) => secret === issue.path[0]) ? "a value" : JSON.stringify(got);
  const inner = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return [{ key, text: `got ${got === undefined ? "nothing" : shown}; ${inner ?? issue.message}` }];
}

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  blue: Object.keys(release.shape),
  green: Object.keys(release.shape),
  cluster: ["context", "kubeconfig"],
  gateway: ["name", "namespace", "section", "internalSection"],
  cache: ["image", "storage", "storageClass", "memoryMiB"],
  database: ["kind", "image", "storage", "storageClass", "host", "port"],
  inPlace: ["colour", "reason"],
};

function ladderOf(
  given: string | readonly { percent: number; soakMinutes: number }[] | undefined,
  application: Application,
  environment: Environment,
): { ladder: Ladder | undefined; ladderProblems: readonly Problem[] } {
  const names = Object.keys(application.ladders);
  const standard = application.ladders[names[0] ?? ""] ?? [];
  const rungs = given === undefined ? standard : typeof given === "string" ? application.ladders[given] : given;
  if (!rungs)
    return {
      ladder: undefined,
      ladderProblems: [
        {
          key: "ladder",
          text: `got ${JSON.stringify(given)}; allowed: ${names.join(", ")}, or a list of {percent, soakMinutes}`,
        },
      ],
    };
  const made = Ladder.of(rungs);
  const problems = made instanceof Ladder ? [] : made.map((text) => ({ key: "ladder", text: `got ${text}` }));
  if (environment === "production") {
    const first = rungs[0]?.percent ?? 0;
    if (first > 10)
      problems.push({ key: "ladder", text: `got first rung ${first}; allowed in production: at most 10` });
    const least = Math.min(...standard.map((each) => each.soakMinutes));
    for (const each of rungs)
      if (each.soakMinutes < least)
        problems.push({
          key: "ladder",
          text: `got soakMinutes ${each.soakMinutes} on rung ${each.percent}; allowed in production: at least ${least}`,
        });
  }
  return { ladder: made instanceof Ladder ? made : undefined, ladderProblems: problems };
}

function releaseProblems(
  colour: Colour,
  given: { images: Readonly<Record<string, string>> } | undefined,
  application: Application,
  environment: Environment,
): readonly Problem[] {
  if (!given) return [];
  const services = application.services.map((service) => service.name);
  const problems: Problem[] = [];
  for (const service of services) {
    const image = given.images[service];
    const key = `${colour}.images.${service}`;
    const problem =
      image === undefined
        ? "got nothing; an image is required for each service"
        : imageProblem(image, environment === "production");
    if (problem) problems.push({ key, text: problem });
  }
  for (const unknown of Object.keys(given.images).filter((each) => !services.includes(each)))
    problems.push({ key: `${colour}.images.${unknown}`, text: `no such service${suggestion(unknown, services)}` });
  return problems;
}

type GivenDatabase = NonNullable<z.infer<typeof schema>["database"]>;

function databaseOf(given: GivenDatabase, standard: (typeof defaults)[Environment]): DatabaseSettings {
  if (given.kind === "external") return given;
  return {
    kind: "statefulset",
    image: given.image ?? standard.database.image,
    storage: given.storage ?? standard.database.storage,
    storageClass: given.storageClass,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
