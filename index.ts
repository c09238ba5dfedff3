import * as pulumi from "@pulumi/pulumi";
import { Platform } from "./components/platform.ts";
import { renderRelease } from "./components/release/manifests.ts";
import { announce, refusal } from "./rollout/announce.ts";
import { openCluster } from "./rollout/cluster.ts";
import { decide } from "./rollout/decide.ts";
import { desiredOf } from "./rollout/desired.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();
const releases = { blue: renderRelease(settings, "blue"), green: renderRelease(settings, "green") };

const cluster = openCluster({
  ...settings.cluster,
  namespace: settings.namespace,
  application: settings.application.name,
});
const observed = await cluster.observe();

const decision = decide(observed, desiredOf(settings, { blue: releases.blue?.id, green: releases.green?.id }));
if (!decision.allowed) throw refusal(decision);
announce(observed, decision);

new Platform({ settings, releases, cluster, observed, decision });

export const hostname = settings.hostname;
export const candidate = settings.candidate;
export const candidateTraffic = settings.candidateTraffic;
export const nextRung = settings.ladder.after(settings.candidateTraffic) ?? "none: the top of the ladder";
export const weights = pulumi.output(decision.weights);
