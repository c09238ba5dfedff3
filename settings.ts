import process from "node:process";
import * as pulumi from "@pulumi/pulumi";
import { type Application, type Colour, type Environment, otherColour } from "./applications/application.ts";
import { applications } from "./applications/catalogue.ts";
import { Ladder } from "./rollout/ladder.ts";
import { type Circumstances, crossProblems, rungsOf } from "./settings/checks.ts";
import {
  type BackupPlan,
  backupOf,
  type DatabaseSettings,
  databaseOf,
  type ProgramImages,
  programsOf,
} from "./settings/database.ts";
import { defaults } from "./settings/environments.ts";
import { type GateSettings, gateOf } from "./settings/gate.ts";
import { type LoggingSettings, loggingOf } from "./settings/logging.ts";
import { type MonitoringSettings, monitoringOf } from "./settings/monitoring.ts";
import { type NetworkSettings, networkOf } from "./settings/network.ts";
import type { ReleaseOverride } from "./settings/override.ts";
import { SettingsError } from "./settings/problems.ts";
import { type Complete, type Given, parseForm, schema, secretKeys } from "./settings/schema.ts";

export type { BackupPlan, DatabaseSettings, ProgramImages } from "./settings/database.ts";

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
  readonly override: ReleaseOverride | undefined;
  readonly gate: GateSettings;
  readonly retireAfterHours: number;
  readonly database: DatabaseSettings;
  readonly backup: BackupPlan;
  /** Counts the rotations of the generated database passwords: one more changes them, without a dropped connection (S4-21). */
  readonly rotation: number;
  /** The last contract migration that may run, by file name; undefined: all are held, but on an empty database. */
  readonly contract: string | undefined;
  readonly programs: ProgramImages;
  readonly cache: CacheSettings;
  readonly monitoring: MonitoringSettings;
  readonly logging: LoggingSettings;
  readonly network: NetworkSettings;
  /** Exact references, or prefixes that end in `/`, and what stands in their place. */
  readonly imageMirrors: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Partial<Record<(typeof secretKeys)[number], string>>>;
}

/** Raw config of one project namespace: key without `golive:`, value as the engine hands it over (JSON text for objects). */
export interface RawSettings extends Circumstances {
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Parses one stack's configuration.
 * @throws SettingsError with every problem found: the key, what was got, what is allowed.
 */
export function parseSettings(raw: RawSettings): Settings {
  const form = parseForm(raw.values);
  const problems = [...form.problems, ...crossProblems(form.given, raw)];
  if (problems.length > 0) throw new SettingsError(raw.stack, problems);
  return settingsOf(raw.stack, schema.parse(form.given));
}

function settingsOf(stack: string, given: Complete): Settings {
  const application = applications[given.application];
  const ladder = application && Ladder.of(rungsOf(given.ladder, application) ?? []);
  if (!application || !(ladder instanceof Ladder)) throw new SettingsError(stack, []);
  const { environment, candidate } = given;
  const standard = defaults[environment];
  const database = databaseOf(given.database, standard);
  const monitoring = monitoringOf(given.monitoring, standard, { hostname: given.hostname, environment });
  return deepFreeze({
    stack,
    application,
    environment,
    namespace: environment,
    cluster: { context: given.cluster.context, kubeconfig: given.cluster.kubeconfig },
    hostname: given.hostname,
    gateway: given.gateway,
    colours: { blue: colourOf(given.blue), green: colourOf(given.green) },
    candidate,
    stable: otherColour(candidate),
    candidateTraffic: given.candidateTraffic,
    ladder,
    inPlace: given.inPlace,
    override: given.override,
    retireAfterHours: given.retireAfterHours ?? standard.retireAfterHours,
    database,
    backup: backupOf(given.backup, standard),
    rotation: given.rotation,
    contract: given.contract,
    programs: programsOf(given.programs, database, standard),
    cache: {
      image: given.cache?.image ?? standard.cache.image,
      storage: given.cache?.storage ?? standard.cache.storage,
      storageClass: given.cache?.storageClass,
      memoryMiB: given.cache?.memoryMiB ?? standard.cache.memoryMiB,
    },
    imageMirrors: given.imageMirrors ?? {},
    monitoring,
    gate: gateOf(given.gate, standard, monitoring),
    logging: loggingOf(given.logging, standard),
    network: networkOf(given.network),
    secrets: Object.fromEntries(
      secretKeys.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]] as const])),
    ),
  });
}

function colourOf(given: Given["blue"]): ColourSettings {
  if (!given) return { release: undefined, retired: false };
  const { retired, ...release } = given;
  return { release, retired };
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

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
