import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { reachDatabase } from "./components/database/reach.ts";
import { Platform } from "./components/platform.ts";
import { renderRelease } from "./components/release/manifests.ts";
import { bundlePrograms } from "./programs/bundle.ts";
import { readMigrations } from "./programs/database/migrations/file.ts";
import { planMigrations } from "./programs/database/migrations/plan.ts";
import { announce, announceStep, asRefusal, previewStep, refusal } from "./rollout/announce.ts";
import { openCluster } from "./rollout/cluster.ts";
import { decide } from "./rollout/decide.ts";
import { desiredOf } from "./rollout/desired.ts";
import { readHead } from "./rollout/ledger/store.ts";
import { refuseRotation } from "./rollout/rotation.ts";
import { refuseMigrations } from "./rollout/schema/migrations.ts";
import { readSettings } from "./settings.ts";

// Pulumi looks up source maps for every resource's stack trace. Nothing here is compiled: that costs a tenth of a run for nothing.
Reflect.deleteProperty(Error, "prepareStackTrace");

const settings = readSettings();
const { application, namespace, candidate, candidateTraffic, ladder } = settings;
const releases = { blue: renderRelease(settings, "blue"), green: renderRelease(settings, "green") };
const directory = join(import.meta.dirname, "migrations", application.name);
const files = application.stores.postgresql ? await readMigrations(directory).catch(asRefusal) : [];

const cluster = openCluster({ ...settings.cluster, namespace, application: application.name });
const [observed, bundles, head] = await Promise.all([
  cluster.observe(),
  bundlePrograms(),
  // A ledger that somebody broke must keep nobody from going down.
  readHead(cluster.api, { namespace, application: application.name }).catch((error: unknown) => `unreadable: ${error}`),
]);
const record = observed.schema;

const plan = planMigrations(files, record?.applied ?? [], settings.contract);
const desired = desiredOf(settings, { blue: releases.blue?.id, green: releases.green?.id }, plan);
const decision =
  refuseMigrations(application.name, plan) ??
  refuseRotation(observed.rotations, settings.rotation) ??
  decide(observed, desired);
if (!decision.allowed) throw refusal(decision);
announce(observed, decision, plan);
announceStep(await previewStep(settings, cluster, observed, decision), decision, settings);

await reachDatabase(settings, cluster.config);
const programs = { bundle: bundles.database, files };
const schemaRun = { ...plan, record, restored: record?.restored };
const run = { settings, releases, cluster, observed, decision };
const platform = new Platform({ ...run, programs, bundles, schema: schemaRun });

export const hostname = settings.hostname;
export { candidate, candidateTraffic };
export const nextRung = ladder.after(candidateTraffic) ?? "none: the top of the ladder";
export const weights = pulumi.output(decision.weights);
export const schema = platform.schema;
/** The newest record of the ledger before this run: a chain that was rewritten does not lead to it any more. */
export const ledgerHead = head;
