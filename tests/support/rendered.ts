import { join } from "node:path";
import { stringify } from "yaml";
import { Platform } from "../../components/platform.ts";
import { renderRelease } from "../../components/release/manifests.ts";
import type { Subject } from "../../policies/rule.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { planMigrations } from "../../programs/database/migrations/plan.ts";
import { decide } from "../../rollout/decide.ts";
import { desiredOf } from "../../rollout/desired.ts";
import type { Config } from "./config.ts";
import { type Declared, declare, type Inputs, SecretValue } from "./harness.ts";
import { observed } from "./live.ts";
import { clusterOf, type Stack, stackSettings } from "./platform.ts";

/**
 * Everything that a stack file of this repository declares on its first run: the real settings, programs and migrations, with
 * the harness in the cluster's place. Policies, mutations and the peers judge this.
 */

/** One rendered resource, as a rule sees it. `object` has its secrets in clear: they are the harness's, nobody's. */
export interface Rendered extends Subject {
  /** The same inputs, with what the engine encrypts as `SecretValue`. */
  readonly inputs: Inputs;
  /** False for our components, which have no inputs. */
  readonly custom: boolean;
  readonly parent: string;
  readonly retainOnDelete: boolean;
}

const renderings = new Map<string, Promise<readonly Rendered[]>>();
let last: Promise<unknown> = Promise.resolve();

/** All resources of a stack, providers and components included. `changes`: keys of its config with other values, undefined for none. */
export function rendered(stack: Stack, changes: Config = {}): Promise<readonly Rendered[]> {
  const key = JSON.stringify([stack, changes], (_key, value: unknown) => value ?? null);
  const known = renderings.get(key);
  if (known) return known;
  // Pulumi's mocks are one for a process: two stacks cannot be declared at once.
  const rendering = last.then(() => render(stack, changes));
  last = rendering.catch(() => undefined);
  renderings.set(key, rendering);
  return rendering;
}

/** The Kubernetes objects of a stack in one stream, each as the API server would be sent it. */
export async function renderedYaml(stack: Stack, changes: Config = {}): Promise<string> {
  const objects = (await rendered(stack, changes)).filter(isKubernetes).map(({ object }) => object);
  // Readers of Kubernetes files know YAML 1.1, where a bare `no` is false, and most lose an anchor for what two objects share.
  const form = { version: "1.1", aliasDuplicateObjects: false, lineWidth: 0 } as const;
  return objects.map((object) => `---\n${stringify(object, form)}`).join("");
}

/** Whether a resource is an object of the cluster: no provider, component, password or role of the database. */
export const isKubernetes = ({ type }: Pick<Rendered, "type">): boolean => type.startsWith("kubernetes:");

async function render(stack: Stack, changes: Config): Promise<readonly Rendered[]> {
  const settings = stackSettings(stack, changes);
  const migrations = join(import.meta.dirname, "..", "..", "migrations", settings.application.name);
  const files = settings.application.stores.postgresql ? await readMigrations(migrations) : [];
  const bundles = await bundlePrograms();
  const live = observed({ noRoute: true });
  const plan = planMigrations(files, [], settings.contract);
  const releases = { blue: renderRelease(settings, "blue"), green: renderRelease(settings, "green") };
  const decision = decide(live, desiredOf(settings, { blue: releases.blue?.id, green: releases.green?.id }, plan));
  if (!decision.allowed) throw new Error(decision.reason);
  const run = { settings, releases, cluster: clusterOf(live), observed: live, decision };
  const declaration = await declare(() => {
    const schema = { ...plan, record: undefined, restored: undefined };
    new Platform({ ...run, programs: { bundle: bundles.database, files }, bundles, schema });
  }, 25);
  return declaration.all.map(renderedOf);
}

const renderedOf = ({ urn, type, name, inputs, protect, custom, parent, retainOnDelete }: Declared): Rendered => ({
  ...{ urn, type, name, inputs, protect, custom, parent, retainOnDelete },
  object: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, withoutSeals(value)])),
});

function withoutSeals(value: unknown): unknown {
  if (value instanceof SecretValue) return withoutSeals(value.value);
  if (Array.isArray(value)) return value.map(withoutSeals);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSeals(each)]));
}
