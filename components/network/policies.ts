import type { types } from "@pulumi/kubernetes";
import type { Flow, Party } from "../../applications/flow.ts";
import { componentOf, flowsOf } from "../../applications/flows.ts";
import type { Settings } from "../../settings.ts";
import { prometheusName } from "../monitoring/names.ts";
import { labelsOf } from "../pod/labels.ts";
import { foreignPrometheus, namespaceNamed, type Peer, type Port, portsOf, receiversOf, sendersOf } from "./peers.ts";
import { namespacesOf, type Place, placesOf, traitsOf } from "./places.ts";

export interface PolicyManifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: types.input.networking.v1.NetworkPolicySpec;
}

/**
 * What the pods of each component may do: one object for each, with all that they may send and receive. It is written at once, so
 * that no pod is cut off from a part of its traffic while the rest of the rules is on its way.
 */
export function componentPolicies(settings: Settings): readonly PolicyManifest[] {
  const places = placesOf(settings);
  const flows = flowsOf(settings.application, traitsOf(settings));
  return [...places].map(([component, { namespace, labels }]) => {
    const here = { settings, places, namespace };
    const ingress = flows
      .filter(({ to }) => componentOf(to) === component)
      .flatMap((flow) =>
        rule(
          settings,
          flow,
          peers(here, flow.from, (who) => sendersOf(settings, who, component)),
          "from",
        ),
      );
    const egress = flows
      .filter(({ from }) => componentOf(from) === component)
      .flatMap((flow) =>
        rule(
          settings,
          flow,
          peers(here, flow.to, (who) => receiversOf(settings, who, component)),
          "to",
        ),
      );
    return {
      metadata: { name: component, namespace, labels: labelsOf(settings, component) },
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ["Ingress", "Egress"],
        ...(ingress.length === 0 ? {} : { ingress }),
        ...(egress.length === 0 ? {} : { egress }),
      },
    };
  });
}

/** What no rule allows is closed, in every namespace of the stack, for pods that nobody foresaw, too. */
export const denyPolicies = (settings: Settings): readonly PolicyManifest[] =>
  namespacesOf(settings).map((namespace) => ({
    metadata: { name: denyName, namespace, labels: { app: settings.application.name } },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  }));

export const denyName = "default-deny";

interface Here {
  readonly settings: Settings;
  readonly places: ReadonlyMap<string, Place>;
  readonly namespace: string;
}

/** The other end of a flow; none where the stack has no such pods. */
function peers(
  { settings, places, namespace }: Here,
  party: Party,
  outsiders: (who: Extract<Party, { outsider: unknown }>["outsider"]) => readonly Peer[],
): readonly Peer[] {
  if ("outsider" in party) return outsiders(party.outsider);
  const place = places.get(party.pods);
  if (place === undefined)
    return party.pods === prometheusName && settings.monitoring.kind === "existing"
      ? [foreignPrometheus(settings)]
      : [];
  const podSelector = { matchLabels: place.labels };
  return [place.namespace === namespace ? { podSelector } : { ...namespaceNamed(place.namespace), podSelector }];
}

/** A rule without peers would be open to everybody, and one with no ports is open on all of them. */
function rule<Side extends "from" | "to">(
  settings: Settings,
  flow: Flow,
  others: readonly Peer[],
  side: Side,
): readonly (Readonly<Record<Side, Peer[]>> & { readonly ports?: Port[] })[] {
  const ports = portsOf(settings, flow);
  if (others.length === 0 || ports?.length === 0) return [];
  const ends = { [side]: [...others] } as Readonly<Record<Side, Peer[]>>;
  return [ports === undefined ? ends : { ...ends, ports: [...ports] }];
}
