import type { Application } from "../../applications/application.ts";
import type { Asked } from "../../rollout/gate/measured.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import { messageOf } from "../../rollout/kube/answer.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { tripRecordOf } from "../../rollout/ledger/drafts.ts";
import { appendRecord, readPages } from "../../rollout/ledger/store.ts";
import type { LiveRoute } from "../../rollout/observed.ts";
import { parseJson } from "../../rollout/parse-json.ts";
import type { Trip } from "../../rollout/told.ts";

/** Who tells what the guard did, and of which application. */
export interface Witness {
  readonly api: KubeApi;
  readonly application: Application;
  readonly namespace: string;
  /** The guard's own pod. */
  readonly pod: string;
}

/** A trip, and the route before and after it. */
export interface Tripped {
  readonly trip: Trip;
  /** Undefined: another pod tripped, and did not live to say what it saw. */
  readonly before: LiveRoute | undefined;
  readonly route: LiveRoute;
  readonly verdict: Verdict | undefined;
  readonly queries: readonly Asked[] | undefined;
}

/** Tells the ledger of a trip. @throws Error of the ledger. */
export async function recordTrip({ api, application, namespace }: Witness, tripped: Tripped): Promise<void> {
  if (tripped.route.told === undefined) throw new Error("the tripped route has lost the annotations of golive");
  const draft = tripRecordOf({ kind: "trip", application: application.name, ...tripped });
  await appendRecord(api, { namespace, application: application.name }, draft);
}

/** What is read of a record to know a trip again; any of it may be missing in one that somebody broke. */
interface TripRecord {
  readonly kind?: unknown;
  readonly reason?: unknown;
  readonly at?: unknown;
}

/** Whether the ledger knows a trip. A record that somebody broke is passed over. @throws Error of the ledger. */
export async function isRecorded({ api, application, namespace }: Witness, trip: Trip): Promise<boolean> {
  const { pages } = await readPages(api, { namespace, application: application.name });
  const from = trip.at?.getTime() ?? 0;
  // The route's second may be the one before: both times are the cluster's, and in whole seconds.
  const since = from - 1000;
  return pages
    .flatMap(({ entries }) => entries)
    .some(({ text }) => {
      const { kind, reason, at } = (parseJson(text) ?? {}) as TripRecord;
      return kind === "trip" && reason === trip.reason && Date.parse(String(at)) >= since;
    });
}

/** What `kubectl describe httproute` and `kubectl get events` show of a trip. @throws Error that says what the API server answered. */
export async function announceTrip(
  { api, application, namespace, pod }: Witness,
  { trip, route }: Pick<Tripped, "trip" | "route">,
  { uid, at }: { readonly uid: string | undefined; readonly at: Date },
): Promise<void> {
  const time = at.toISOString();
  const release = route.told?.releases[trip.colour];
  const body = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { generateName: `${application.name}-`, namespace },
    involvedObject: {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      ...{ name: application.name, namespace },
      ...(uid === undefined ? {} : { uid }),
    },
    type: "Warning",
    reason: "CandidateTripped",
    message: `${trip.colour}${release === undefined ? "" : ` (${release})`} gets no traffic any more: ${trip.reason}`,
    source: { component: "golive-guard" },
    reportingComponent: "golive-guard",
    reportingInstance: pod,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  const answer = await api.ask({ method: "POST", path: `/api/v1/namespaces/${namespace}/events`, body });
  if (answer.status !== 201)
    throw new Error(`no Event was written: the API server answered ${answer.status}: ${messageOf(answer.body)}`);
}
