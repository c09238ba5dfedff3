import { type Colour, colours, type HttpService, isHttp } from "../../applications/application.ts";
import { annotationsOf, type Told, type Weights } from "../../rollout/told.ts";
import type { Settings } from "../../settings.ts";
import { workloadName } from "../release/names.ts";

/** An HTTPRoute of Gateway API v1, as far as golive writes it. */
export interface HttpRoute {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly parentRefs: readonly { readonly name: string; readonly namespace: string; readonly sectionName: string }[];
    readonly hostnames: readonly string[];
    readonly rules: readonly {
      readonly matches: readonly { readonly path: { readonly type: "PathPrefix"; readonly value: string } }[];
      readonly backendRefs: readonly { readonly name: string; readonly port: 80; readonly weight: number }[];
    }[];
  };
}

const httpServices = ({ application }: Settings) => application.services.filter(isHttp);

/**
 * The public route: each rule has both colours, each with its weight. Both weights are written even at 0: an omitted weight
 * means 1 in Gateway API, and the split would be 50/50 (argo-rollouts#4569).
 */
export function publicRoute(settings: Settings, weights: Weights, told: Told): HttpRoute {
  const both = (service: HttpService) => colours.map((colour) => backend(settings, service, colour, weights[colour]));
  return {
    metadata: {
      ...metadata(settings, settings.application.name),
      // The route is golive's alone: a hand edit of what it owns is overwritten, not argued with.
      annotations: { "pulumi.com/patchForce": "true", ...annotationsOf(told) },
    },
    spec: {
      ...attach(settings, settings.gateway.section, settings.hostname),
      rules: httpServices(settings).flatMap((service) => service.paths.map((path) => rule(path, both(service)))),
    },
  };
}

/** Serves a page's assets from the colour that served the page: undefined when no service of the application has assets. */
export function assetRoute(settings: Settings, colour: Colour): HttpRoute | undefined {
  const rules = httpServices(settings).flatMap((service) =>
    service.assets === undefined ? [] : [rule(`${service.assets}/${colour}`, [backend(settings, service, colour, 1)])],
  );
  if (rules.length === 0) return undefined;
  return {
    metadata: metadata(settings, `${settings.application.name}-assets-${colour}`, colour),
    spec: { ...attach(settings, settings.gateway.section, settings.hostname), rules },
  };
}

/** Reaches one colour alone, whatever its weight, on the internal listener: `green.<hostname>` (S1-45). */
export function internalRoute(settings: Settings, colour: Colour): HttpRoute {
  return {
    metadata: metadata(settings, `${settings.application.name}-internal-${colour}`, colour),
    spec: {
      ...attach(settings, settings.gateway.internalSection, `${colour}.${settings.hostname}`),
      rules: httpServices(settings).flatMap((service) =>
        service.paths.map((path) => rule(path, [backend(settings, service, colour, 1)])),
      ),
    },
  };
}

function metadata({ namespace, application }: Settings, name: string, colour?: Colour) {
  return { name, namespace, labels: { app: application.name, ...(colour === undefined ? {} : { version: colour }) } };
}

function attach({ gateway }: Settings, sectionName: string, hostname: string) {
  return { parentRefs: [{ name: gateway.name, namespace: gateway.namespace, sectionName }], hostnames: [hostname] };
}

const rule = (path: string, backendRefs: readonly ReturnType<typeof backend>[]) => ({
  matches: [{ path: { type: "PathPrefix", value: path } as const }],
  backendRefs,
});

const backend = ({ application }: Settings, service: HttpService, colour: Colour, weight: number) => ({
  name: workloadName(application.name, service.name, colour),
  port: 80 as const,
  weight,
});
