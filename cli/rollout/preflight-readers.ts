import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { serverAddress } from "../../components/database/address.ts";
import { monitoredStack } from "../../components/monitoring/rules.ts";
import { places } from "../../local/places.ts";
import type { Alert } from "../../monitoring/alerts/alert.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { oldestAllowed } from "../../monitoring/alerts/database-backups.ts";
import { dashboards } from "../../monitoring/dashboards/dashboards.ts";
import type { PrometheusPlace } from "../../rollout/gate/prometheus.ts";
import { messageOf } from "../../rollout/kube/answer.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { commitOf } from "../../rollout/ledger/origin.ts";
import { readableRecords } from "../../rollout/ledger/read.ts";
import type {
  DocumentEvidence,
  MonitoringEvidence,
  PolicyEvidence,
  PreflightReaders,
  PreflightSubject,
} from "../../rollout/preflight/evidence.ts";
import { signaturesOf } from "../../rollout/preflight/preflight.ts";
import type { Settings } from "../../settings.ts";
import { ownPack, previewOf } from "../preview/judged.ts";
import type { PolicyFinding, Preview } from "../preview/model.ts";
import type { Session } from "../session.ts";
import { lastTestReport } from "../test-report.ts";
import { databaseEvidence } from "./database-look.ts";
import { smokeOf } from "./smoke.ts";
import type { Look, RolloutStack } from "./stack.ts";

/** What a stack's file says, as the checklist asks it. */
export function subjectOf(settings: Settings, desired: Look["desired"]): PreflightSubject {
  const { stack, environment, application, candidate, colours, rotation, database } = settings;
  return {
    ...{ stack, environment, desired, rotation, oldest: oldestAllowed },
    images: colours[candidate].release?.images ?? {},
    database: application.stores.postgresql && { kind: database.kind, tls: serverAddress(settings).tls.mode },
  };
}

/** Where the evidence of a stack comes from: its cluster, its Prometheus, its database's own programs, this checkout. */
export function readersOf(stack: RolloutStack, settings: Settings, session: Session): PreflightReaders {
  const { api } = stack.cluster;
  const { prometheus } = settings.gate;
  return {
    now: async () => (await api.ask({ method: "GET", path: "/version" })).at,
    live: () => stack.cluster.observe(),
    database: () => databaseEvidence(stack, session),
    monitoring: async () => prometheus && (await monitoringEvidence(api, prometheus, settings)),
    smoke: () => session.progress.stage("smoke tests", () => smokeOf(stack, settings)),
    commit: () => commitOf(places.root),
    tests: () => lastTestReport(),
    documents: () => documentEvidence(settings),
    policies: () =>
      session.progress.stage("policy check", async (progress) =>
        policyEvidence(await previewOf(stack.name, { pack: ownPack, strict: true, session, progress })),
      ),
    signatures: async () => signaturesOf(await readableRecords(api, stack.place)),
  };
}

const samples = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

/** Of a Prometheus that others share, only what is in the stack's namespace counts; the Watchdog has none. */
async function monitoringEvidence(
  api: KubeApi,
  { namespace, service }: PrometheusPlace,
  { monitoring, namespace: own }: Settings,
): Promise<MonitoringEvidence> {
  const ours = monitoring.kind === "existing" ? `namespace="${own}"` : "";
  const ask = async (promql: string) => {
    const path = `/api/v1/namespaces/${namespace}/services/${service}/proxy/api/v1/query?query=${encodeURIComponent(promql)}`;
    const { status, body } = await api.ask({ method: "GET", path });
    if (status !== 200)
      throw new Error(`Prometheus (${service} in ${namespace}) answered ${status}: ${messageOf(body)}`);
    return samples.parse(JSON.parse(body)).data.result.map(({ metric }) => metric);
  };
  const firing = 'alertstate="firing"';
  const up = await ask(`up{${ours}}`);
  const down = await ask(`up{${ours}} == 0`);
  const critical = await ask(`ALERTS{${firing},severity="critical"${ours === "" ? "" : `,${ours}`}}`);
  const watchdog = await ask(`ALERTS{${firing},alertname="Watchdog"}`);
  const named = ({ alertname = "?", namespace: where }: Readonly<Record<string, string>>) =>
    where === undefined ? alertname : `${alertname} (${where})`;
  return {
    targets: up.length,
    down: down.map(({ job, instance }) => `${job} ${instance}`),
    critical: [...new Set(critical.map(named))],
    watchdog: watchdog.length > 0,
  };
}

/** What the stack declares of alerts and dashboards, held against the pages of this checkout. */
export async function documentEvidence(settings: Settings): Promise<DocumentEvidence> {
  if (settings.monitoring.kind === "none") throw new Error("golive:monitoring.kind is none: nothing is declared");
  const stack = monitoredStack(settings);
  const alerts = alertsOf(stack);
  const withoutRunbook: string[] = [];
  for (const alert of alerts) if (!(await hasRunbook(alert))) withoutRunbook.push(alert.name);
  const told = dashboards(stack).flatMap(({ panels }) => panels.map(({ description }) => description));
  const objectives = Object.entries(settings.application.objectives) as [string, number][];
  const names = (description: string, name: string, value: number) =>
    /objective/i.test(description) && description.includes(`${value} ${name.endsWith("Percent") ? "%" : "s"}`);
  return {
    alerts: alerts.length,
    withoutRunbook,
    objectives: objectives.length,
    offTheBoard: objectives
      .filter(([name, value]) => !told.some((each) => names(each, name, value)))
      .map(([name]) => name),
  };
}

/**
 * What a preview was told by the policies, as `golive policy check` asks it.
 * @throws Error with what kept the whole stack from being judged: a run that the program refuses declares nothing.
 */
export function policyEvidence({ policies, refusal, verdict, objections }: Preview): PolicyEvidence {
  if (policies === undefined || refusal !== undefined || verdict === "unknown") throw new Error(objections.join("; "));
  const mandatory = (findings: readonly PolicyFinding[]) =>
    findings.filter(({ level }) => level === "mandatory").map(({ rule, resource }) => `${rule}, ${resource}`);
  return { violations: mandatory(policies.violations), undecidable: mandatory(policies.undecidable) };
}

/** The heading of a runbook is the alert's name. */
async function hasRunbook({ name, runbook }: Alert): Promise<boolean> {
  const [page = ""] = runbook.split("#");
  const text = await readFile(join(places.root, "docs", "runbooks", `${page}.md`), "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    },
  );
  return text.split("\n").includes(`## ${name}`);
}
