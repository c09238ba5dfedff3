import { type Application, isHttp, type Reach, type Service } from "./application.ts";
import { type Flow, outsider, type Party, pods, type Trait, tcp } from "./flow.ts";
import { platformFlows, toDatabase } from "./platform-flows.ts";

/**
 * The intended matrix of a stack: every connection that somebody may open, and no other (S4-28). It has rows of parties that a
 * stack may not have; those of traits that it is not in are left out.
 */
export function flowsOf(application: Application, traits: ReadonlySet<Trait>): readonly Flow[] {
  const flows = [...application.services.flatMap(serviceFlows), ...platformFlows].filter(
    ({ where }) => where === undefined || traits.has(where),
  );
  return [...flows, ...nameLookups(flows)];
}

function serviceFlows(service: Service): readonly Flow[] {
  const own = pods(service.name);
  const outgoing = (service.reaches ?? []).flatMap((reach) => reachFlows(service.name, reach));
  if (!isHttp(service)) return outgoing;
  const ports = tcp(service.containerPort);
  return [
    { from: outsider("gateway"), to: own, ports, why: "public requests" },
    { from: pods("prometheus"), to: own, ports, why: "scrapes" },
    ...outgoing,
  ];
}

function reachFlows(service: string, reach: Reach): readonly Flow[] {
  const from = pods(service);
  if (reach === "postgresql") return toDatabase(service, "its data");
  if (reach === "redis") return [{ from, to: pods("redis"), ports: tcp(6379), why: "its cache" }];
  if ("service" in reach) return [{ from, to: pods(reach.service), ports: tcp(reach.port), why: reach.why }];
  return [{ from, to: outsider("internet"), ports: tcp(reach.internet), why: reach.why }];
}

/** Whoever connects to anybody asks for a name first: by UDP, and by TCP where the answer is long. */
function nameLookups(flows: readonly Flow[]): readonly Flow[] {
  const asking = new Set(flows.flatMap(({ from }) => componentOf(from) ?? []));
  return [...asking].map((component) => ({
    from: pods(component),
    to: outsider("dns"),
    ports: [{ port: 53, protocol: "UDP" }, { port: 53 }],
    why: "names",
  }));
}

/** The label `component` of a party's pods; undefined for an outsider. */
export const componentOf = (party: Party): string | undefined => ("pods" in party ? party.pods : undefined);
