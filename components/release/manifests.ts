import { createHash } from "node:crypto";
import type { types } from "@pulumi/kubernetes";
import { RunError } from "@pulumi/pulumi";
import { type Colour, type HttpService, isHttp } from "../../applications/application.ts";
import { releaseAnnotation } from "../../rollout/observed.ts";
import { rotationAnnotation } from "../../rollout/rotation.ts";
import { mirrored } from "../../settings/images.ts";
import type { Release, Settings } from "../../settings.ts";
import { authorityVolume } from "../database/address.ts";
import { scratch } from "../pod/scratch.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { colourName, selectorLabels, workloadName } from "./names.ts";

type PodSpec = types.input.core.v1.PodSpec;

/** The user that the application's images run as. */
const uid = 1000;

/** One colour's release, worked out: what its pods are, and the id that changes when any of it changes. */
export interface RenderedRelease {
  /** `<version>-<10 hex digits>` of all its pods see, except secrets and the number of pods. */
  readonly id: string;
  readonly version: string;
  readonly config: Readonly<Record<string, string>>;
  /** Pod template by service, with the id on it. */
  readonly pods: Readonly<Record<string, types.input.core.v1.PodTemplateSpec>>;
}

/** Renders the release of a colour, or undefined when the stack gives it none. */
export function renderRelease(settings: Settings, colour: Colour): RenderedRelease | undefined {
  const { release } = settings.colours[colour];
  if (!release) return undefined;
  const config = configData(settings, colour, release);
  const specs = Object.fromEntries(
    settings.application.services
      .filter(isHttp)
      .map((service) => [service.name, podSpec(settings, colour, service, release)] as const),
  );
  const digest = createHash("sha256").update(JSON.stringify({ config, specs })).digest("hex");
  const id = `${release.version}-${digest.slice(0, 10)}`;
  const { name } = settings.application;
  const pods = Object.fromEntries(
    Object.entries(specs).map(([service, spec]) => [
      service,
      {
        metadata: {
          labels: { ...selectorLabels(name, service, colour), "app.kubernetes.io/version": release.version },
          // Another rotation starts the pods anew with another login, and is no other release (rule 5).
          annotations: { [releaseAnnotation]: id, [rotationAnnotation]: String(settings.rotation) },
        },
        spec,
      },
    ]),
  );
  return { id, version: release.version, config, pods };
}

/** Environment in clear of one colour (S0-02): the application's, the colour's own, and what tells a pod who it is. */
export function configData(settings: Settings, colour: Colour, release: Release): Readonly<Record<string, string>> {
  return {
    ...settings.application.environment.plain(settings.environment),
    ...release.config,
    COLOUR: colour,
    RELEASE_VERSION: release.version,
  };
}

function podSpec(settings: Settings, colour: Colour, service: HttpService, release: Release): PodSpec {
  const { application } = settings;
  const shared = colourName(application.name, colour);
  const { cpu, memory } = service.resources;
  const authority = application.stores.postgresql ? authorityVolume(settings) : { volumes: [], volumeMounts: [] };
  const probe = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 2 });
  return {
    ...restrictedPod(uid),
    // The drain, and as much again for requests in flight: the kubelet kills nobody who still serves.
    terminationGracePeriodSeconds: service.drainSeconds * 2 + 10,
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: selectorLabels(application.name, service.name, colour) },
    })),
    containers: [
      {
        name: service.name,
        image: mirrored(release.images[service.name] ?? "", settings.imageMirrors),
        ...restrictedContainer(),
        ports: [{ name: "http", containerPort: service.containerPort }],
        envFrom: [{ configMapRef: { name: shared } }, { secretRef: { name: shared } }],
        env: [
          { name: "PORT", value: String(service.containerPort) },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          ...(service.assets === undefined ? [] : [{ name: "ASSET_PREFIX", value: `${service.assets}/${colour}` }]),
        ],
        startupProbe: { ...probe(service.probes.readiness), periodSeconds: 1, failureThreshold: 60 },
        readinessProbe: { ...probe(service.probes.readiness), periodSeconds: 3, failureThreshold: 2 },
        livenessProbe: { ...probe(service.probes.liveness), periodSeconds: 10, failureThreshold: 3 },
        // Gateways learn of the end of a pod a moment after the pod: it goes on serving meanwhile (argo-rollouts#3681).
        lifecycle: { preStop: { sleep: { seconds: service.drainSeconds } } },
        resources: {
          requests: { cpu: cpu.request, memory: memory.request },
          limits: {
            ...(cpu.limit === undefined ? {} : { cpu: cpu.limit }),
            ...(memory.limit === undefined ? {} : { memory: memory.limit }),
          },
        },
        volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...authority.volumeMounts],
      },
    ],
    volumes: [scratch("tmp", "512Mi"), ...authority.volumes],
  };
}

/** Pods of a service: full size on both colours before the first rung (C25), none on a retired colour. */
export function replicasOf(settings: Settings, colour: Colour, service: HttpService): number {
  return settings.colours[colour].retired ? 0 : service.replicas[settings.environment];
}

export function deployment(
  settings: Settings,
  colour: Colour,
  service: HttpService,
  release: RenderedRelease,
): types.input.apps.v1.Deployment {
  const { application, namespace } = settings;
  const labels = selectorLabels(application.name, service.name, colour);
  const template = release.pods[service.name];
  if (!template) throw new RunError(`release ${release.id} has no pods for service ${service.name}`);
  return {
    metadata: {
      name: workloadName(application.name, service.name, colour),
      namespace,
      labels: { ...labels, "app.kubernetes.io/version": release.version },
    },
    spec: {
      replicas: replicasOf(settings, colour, service),
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 300,
      selector: { matchLabels: labels },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template,
    },
  };
}

/** Declared for both colours always: a route that names a missing Service fails as a whole. */
export function service(settings: Settings, colour: Colour, service: HttpService): types.input.core.v1.Service {
  const { application, namespace } = settings;
  const labels = selectorLabels(application.name, service.name, colour);
  return {
    metadata: {
      name: workloadName(application.name, service.name, colour),
      namespace,
      labels,
      // Its pods may be none (no release yet, retired) or broken, and the way down must not wait for them.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  };
}

/** Keeps all but one pod through node drains; undefined where one pod is all there is, since it would block every drain. */
export function disruptionBudget(
  settings: Settings,
  colour: Colour,
  service: HttpService,
): types.input.policy.v1.PodDisruptionBudget | undefined {
  const { application, namespace, environment } = settings;
  if (service.replicas[environment] < 2) return undefined;
  const labels = selectorLabels(application.name, service.name, colour);
  return {
    metadata: { name: workloadName(application.name, service.name, colour), namespace, labels },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  };
}
