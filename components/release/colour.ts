import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Colour as ColourName, type HttpService, isHttp } from "../../applications/application.ts";
import type { Settings } from "../../settings.ts";
import { deployment, disruptionBudget, type RenderedRelease, service } from "./manifests.ts";
import { colourName, workloadName } from "./names.ts";

export interface ColourArgs {
  readonly settings: Settings;
  readonly colour: ColourName;
  readonly release: RenderedRelease | undefined;
  /** The values of the application's secret environment. */
  readonly secrets: Readonly<Record<string, pulumi.Output<string>>>;
  /** What everything here needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
  /** What the pods need before they can start: database and cache. */
  readonly stores: readonly pulumi.Resource[];
  /** What must watch them from their first second; none of it has to be ready. */
  readonly watched: readonly pulumi.Resource[];
}

/**
 * One complete set of an application's services (S1-40, S1-41, S4-53), with a ConfigMap and a Secret of its own, so that a
 * rollback of traffic restores the configuration with the code.
 */
export class Colour extends pulumi.ComponentResource {
  /** What a route to this colour needs to exist. */
  readonly services: readonly kubernetes.core.v1.Service[];

  constructor(args: ColourArgs, opts: pulumi.ComponentResourceOptions) {
    const { settings, colour, release } = args;
    super("golive:release:Colour", colourName(settings.application.name, colour), {}, opts);
    const http = settings.application.services.filter(isHttp);
    this.services = http.map((each) => colourService(this, args, each));
    if (release) {
      const configuration = [configMap(this, args, release), secret(this, args)];
      // In the order of S4-53: the backend stands before the frontend starts.
      http.reduce<readonly pulumi.Resource[]>(
        (before, each) => [workload(this, args, each, release, before)],
        [...configuration, ...args.stores, ...args.watched],
      );
    }
    this.registerOutputs({});
  }
}

function colourService(parent: Colour, { settings, colour, after }: ColourArgs, each: HttpService) {
  const name = workloadName(settings.application.name, each.name, colour);
  return new kubernetes.core.v1.Service(name, service(settings, colour, each), { parent, dependsOn: [...after] });
}

function configMap(parent: Colour, { settings, colour, after }: ColourArgs, release: RenderedRelease) {
  const name = colourName(settings.application.name, colour);
  const metadata = { name, namespace: settings.namespace, labels: { app: settings.application.name, version: colour } };
  return new kubernetes.core.v1.ConfigMap(name, { metadata, data: release.config }, { parent, dependsOn: [...after] });
}

/** After the stores: a pod that starts meanwhile must not read a password that its server does not know yet. */
function secret(parent: Colour, { settings, colour, secrets, after, stores }: ColourArgs) {
  const name = colourName(settings.application.name, colour);
  const metadata = { name, namespace: settings.namespace, labels: { app: settings.application.name, version: colour } };
  return new kubernetes.core.v1.Secret(
    name,
    { metadata, stringData: secrets },
    { parent, dependsOn: [...after, ...stores] },
  );
}

function workload(
  parent: Colour,
  { settings, colour, after }: ColourArgs,
  each: HttpService,
  release: RenderedRelease,
  before: readonly pulumi.Resource[],
) {
  const name = workloadName(settings.application.name, each.name, colour);
  const budget = disruptionBudget(settings, colour, each);
  if (budget) new kubernetes.policy.v1.PodDisruptionBudget(name, budget, { parent, dependsOn: [...after] });
  return new kubernetes.apps.v1.Deployment(name, deployment(settings, colour, each, release), {
    parent,
    dependsOn: [...before],
    customTimeouts: { create: "300s", update: "300s" },
  });
}
