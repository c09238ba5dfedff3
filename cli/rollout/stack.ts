import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parse } from "yaml";
import { renderRelease } from "../../components/release/manifests.ts";
import { places } from "../../local/places.ts";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { type MigrationPlan, planMigrations } from "../../programs/database/migrations/plan.ts";
import { type LiveCluster, openCluster } from "../../rollout/cluster.ts";
import type { Desired, Refused } from "../../rollout/decision.ts";
import { desiredOf } from "../../rollout/desired.ts";
import { type Assessment, assess } from "../../rollout/gate/assess.ts";
import type { Observed } from "../../rollout/observed.ts";
import { refuseRotation } from "../../rollout/rotation.ts";
import { refuseMigrations } from "../../rollout/schema/migrations.ts";
import { SettingsError } from "../../settings/problems.ts";
import { parseSettings, type RawSettings, type Settings } from "../../settings.ts";
import { answeringCluster } from "../cluster-address.ts";
import { Failure } from "../failure.ts";
import type { Progress } from "../progress.ts";
import { ownWorkspace, setUpProject, unknownStack } from "../workspace.ts";

/** Whether the state is on a backend of the user's own: then the stack's file is the one in the checkout. */
export const isRealBackend = (): boolean => (process.env.PULUMI_BACKEND_URL ?? "") !== "";

/** One look at a stack: what its file says, what is live, what was measured. */
export interface Look {
  readonly settings: Settings;
  readonly desired: Desired;
  readonly assessment: Assessment;
  /** Why no run may start with this file, whatever its traffic. */
  readonly refused: Refused | undefined;
  /** Contract migrations that wait. */
  readonly held: MigrationPlan["held"];
}

/** A stack as the driver needs it: its file is read anew at each look, its cluster is opened once. */
export interface RolloutStack {
  readonly name: string;
  readonly cluster: LiveCluster;
  readonly place: { readonly namespace: string; readonly application: string };
  settings(): Promise<Settings>;
  look(): Promise<Look>;
}

/** @throws Failure that says what is wrong with the stack's file, its kubeconfig, or that its cluster does not answer. */
export async function openStack(name: string, progress: Progress): Promise<RolloutStack> {
  const settings = () => settingsOf(name);
  const first = await settings();
  const { namespace, application } = first;
  const throwAway = !isRealBackend();
  if (throwAway && first.cluster.kubeconfig === undefined) await answeringCluster(progress);
  const kubeconfig = first.cluster.kubeconfig ?? (throwAway ? places.kubeconfig : undefined);
  const place = { namespace, application: application.name };
  const cluster = openCluster({ context: first.cluster.context, kubeconfig, ...place });
  return {
    name,
    cluster,
    place,
    settings,
    async look() {
      const now = await settings();
      return lookAt(now, cluster);
    },
  };
}

async function lookAt(settings: Settings, cluster: LiveCluster): Promise<Look> {
  const { candidate, ladder } = settings;
  const before = await cluster.observe();
  const next = ladder.after(before.route?.exposure[candidate] ?? 0);
  const assessment = await assess(settings, cluster, next === undefined ? {} : { to: next });
  return { settings, assessment, ...(await askedOf(settings, assessment.observed)) };
}

/** What a run of this file asks of `decide`, worked out as the program does (index.ts). */
async function askedOf(settings: Settings, observed: Observed): Promise<Omit<Look, "settings" | "assessment">> {
  const { application, rotation, contract } = settings;
  const directory = join(places.root, "migrations", application.name);
  const files = application.stores.postgresql ? await readMigrations(directory) : [];
  const plan = planMigrations(files, observed.schema?.applied ?? [], contract);
  const releases = { blue: renderRelease(settings, "blue")?.id, green: renderRelease(settings, "green")?.id };
  return {
    desired: desiredOf(settings, releases, plan),
    refused: refuseMigrations(application.name, plan) ?? refuseRotation(observed.rotations, rotation),
    held: plan.held,
  };
}

/** What a stack's file says. @throws Failure with every problem of it, or the stacks there are. */
export async function settingsOf(stack: string): Promise<Settings> {
  const text = await readFile(await stackFileOf(stack), "utf8").catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw await unknownStack(ownWorkspace, stack);
    throw error;
  });
  try {
    return parseSettings(rawSettingsOf(stack, text));
  } catch (error) {
    if (error instanceof SettingsError) throw new Failure(error.message, 2, { cause: error });
    throw error;
  }
}

/** The file that the engine reads: the checkout's, or the copy of it that `golive pulumi` works on. */
export async function stackFileOf(stack: string): Promise<string> {
  const file = `Pulumi.${stack}.yaml`;
  if (isRealBackend()) return join(places.root, file);
  await setUpProject(ownWorkspace, stack);
  return join(ownWorkspace.project, file);
}

/** A stack's file as the engine would hand it to the program. What is encrypted stays so: nothing here needs its value. */
export function rawSettingsOf(stack: string, text: string): RawSettings {
  const read: unknown = parse(text);
  const config = typeof read === "object" && read !== null ? (Reflect.get(read, "config") as unknown) : undefined;
  const entries = Object.entries(typeof config === "object" && config !== null ? config : {}).flatMap(
    ([key, value]): readonly (readonly [string, unknown])[] =>
      key.startsWith("golive:") ? [[key.slice("golive:".length), value]] : [],
  );
  const isSecret = (value: unknown) =>
    typeof value === "object" && value !== null && Object.keys(value).join() === "secure";
  return {
    stack,
    values: Object.fromEntries(
      entries.map(([key, value]) => [
        key,
        isSecret(value) ? "(encrypted)" : typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
    secretKeys: new Set(entries.flatMap(([key, value]) => (isSecret(value) ? [key] : []))),
    preview: true,
  };
}
