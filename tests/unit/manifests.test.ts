import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HttpService } from "../../applications/application.ts";
import { isHttp } from "../../applications/application.ts";
import {
  deployment,
  disruptionBudget,
  renderRelease,
  replicasOf,
  service,
} from "../../components/release/manifests.ts";
import type { Settings } from "../../settings.ts";
import { certificate, complete, completeProduction, settingsWith, sha256 } from "../support/config.ts";
import { rag } from "../support/rag.ts";

const http = (settings: Settings, name: string): HttpService => {
  const found = settings.application.services.filter(isHttp).find((each) => each.name === name);
  if (!found) throw new Error(`no service ${name}`);
  return found;
};

const rendered = (settings: Settings, colour: "blue" | "green" = "green") => {
  const release = renderRelease(settings, colour);
  if (!release) throw new Error(`${colour} has no release`);
  return release;
};

const labels = { app: "taskflow", component: "frontend", version: "green" };

describe("the Deployment of a service", () => {
  it("is, whole, what a cluster that enforces Pod Security restricted takes", () => {
    const settings = settingsWith(completeProduction);
    const release = rendered(settings);
    expect(deployment(settings, "green", http(settings, "frontend"), release)).toEqual({
      metadata: {
        name: "taskflow-frontend-green",
        namespace: "production",
        labels: { ...labels, "app.kubernetes.io/version": "2.0.0" },
      },
      spec: {
        replicas: 3,
        revisionHistoryLimit: 3,
        progressDeadlineSeconds: 300,
        selector: { matchLabels: labels },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: {
            labels: { ...labels, "app.kubernetes.io/version": "2.0.0" },
            annotations: { "golive/release": release.id, "golive/rotation": "0" },
          },
          spec: {
            automountServiceAccountToken: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1000,
              runAsGroup: 1000,
              fsGroup: 1000,
              fsGroupChangePolicy: "OnRootMismatch",
              seccompProfile: { type: "RuntimeDefault" },
            },
            terminationGracePeriodSeconds: 20,
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: labels },
              },
              {
                maxSkew: 1,
                topologyKey: "topology.kubernetes.io/zone",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: labels },
              },
            ],
            containers: [
              {
                name: "frontend",
                image: `frontend:2${sha256("4")}`,
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                ports: [{ name: "http", containerPort: 3000 }],
                envFrom: [{ configMapRef: { name: "taskflow-green" } }, { secretRef: { name: "taskflow-green" } }],
                env: [
                  { name: "PORT", value: "3000" },
                  { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                  { name: "ASSET_PREFIX", value: "/assets/green" },
                ],
                startupProbe: {
                  httpGet: { path: "/ready", port: "http" },
                  timeoutSeconds: 2,
                  periodSeconds: 1,
                  failureThreshold: 60,
                },
                readinessProbe: {
                  httpGet: { path: "/ready", port: "http" },
                  timeoutSeconds: 2,
                  periodSeconds: 3,
                  failureThreshold: 2,
                },
                livenessProbe: {
                  httpGet: { path: "/health", port: "http" },
                  timeoutSeconds: 2,
                  periodSeconds: 10,
                  failureThreshold: 3,
                },
                lifecycle: { preStop: { sleep: { seconds: 5 } } },
                resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } },
                volumeMounts: [
                  { name: "tmp", mountPath: "/tmp" },
                  { name: "database-ca", mountPath: "/etc/golive/ca", readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: "tmp", emptyDir: { sizeLimit: "512Mi" } },
              {
                name: "database-ca",
                secret: { secretName: "postgres-ca", items: [{ key: "ca.crt", path: "ca.crt" }] },
              },
            ],
          },
        },
      },
    });
  });

  it("mounts authorities only where its database has some of its own", () => {
    const volumes = (database: object) => rendered(settingsWith({ database }, { preview: true })).pods.backend?.spec;
    const tmp = { name: "tmp", emptyDir: { sizeLimit: "512Mi" } };
    expect(volumes({ kind: "statefulset" })).toMatchObject({ volumes: [tmp] });
    expect(volumes({ kind: "external", host: "db.example.com" })).toMatchObject({ volumes: [tmp] });
    expect(volumes({ kind: "external", host: "db.example.com", ca: certificate })).toMatchObject({
      volumes: [
        tmp,
        {
          name: "database-ca",
          configMap: { name: "taskflow-database-ca", items: [{ key: "ca.crt", path: "ca.crt" }] },
        },
      ],
      containers: [{ volumeMounts: [{ name: "tmp" }, { name: "database-ca", mountPath: "/etc/golive/ca" }] }],
    });
  });

  it("starts its pods anew with another rotation, though the release is the same (rule 5)", () => {
    const [before, after] = [rendered(settingsWith()), rendered(settingsWith({ rotation: 1 }))];
    expect(after.id).toBe(before.id);
    expect(after.pods.backend?.metadata).toMatchObject({
      annotations: { "golive/release": before.id, "golive/rotation": "1" },
    });
  });

  it("pulls from a mirror where the stack names one", () => {
    const settings = settingsWith({ imageMirrors: { "golive.local/": "mirror.example.com/" } });
    expect(rendered(settings).pods.backend?.spec).toMatchObject({
      containers: [{ image: "mirror.example.com/taskflow-backend:2.0.0" }],
    });
  });

  it("lets a pod drain for as long again as it is told to before it is killed", () => {
    const settings = settingsWith();
    const slow = { ...http(settings, "backend"), drainSeconds: 30 };
    const application = { ...settings.application, services: [slow] };
    expect(rendered({ ...settings, application }).pods.backend?.spec).toMatchObject({
      terminationGracePeriodSeconds: 70,
      containers: [{ lifecycle: { preStop: { sleep: { seconds: 30 } } } }],
    });
  });

  it("has a CPU limit only where its application sets one", () => {
    const settings = settingsWith();
    const limited = {
      ...http(settings, "backend"),
      resources: { cpu: { request: "1", limit: "2" }, memory: { request: "1Gi" } },
    };
    const application = { ...settings.application, services: [limited] };
    expect(rendered({ ...settings, application }).pods.backend?.spec).toMatchObject({
      containers: [{ resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } } }],
    });
  });

  it("is not made from a release that has no pods for it", () => {
    const settings = settingsWith();
    const release = { ...rendered(settings), id: "x", pods: {} };
    expect(() => deployment(settings, "green", http(settings, "backend"), release)).toThrow(
      "release x has no pods for service backend",
    );
  });
});

describe("the number of pods of a colour", () => {
  it.each([
    ["local", 1],
    ["staging", 2],
    ["production", 3],
  ] as const)("in %s is %i", (environment, replicas) => {
    const settings = settingsWith({ ...completeProduction, environment });
    expect(replicasOf(settings, "green", http(settings, "backend"))).toBe(replicas);
  });

  it("is 0 on a retired colour, and only there", () => {
    const settings = settingsWith({ blue: { version: "1", images: imagesOf("1"), retired: true } });
    expect(replicasOf(settings, "blue", http(settings, "backend"))).toBe(0);
    expect(replicasOf(settings, "green", http(settings, "backend"))).toBe(1);
  });
});

const imagesOf = (tag: string) => ({ backend: `backend:${tag}`, frontend: `frontend:${tag}` });

describe("the Service of a colour", () => {
  it("listens on 80, and nobody waits for its pods: a colour may have none", () => {
    const settings = settingsWith();
    expect(service(settings, "green", http(settings, "frontend"))).toEqual({
      metadata: {
        name: "taskflow-frontend-green",
        namespace: "local",
        labels,
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
    });
  });
});

describe("the disruption budget", () => {
  it("keeps all pods but one through a node drain", () => {
    const settings = settingsWith(completeProduction);
    expect(disruptionBudget(settings, "green", http(settings, "frontend"))).toEqual({
      metadata: { name: "taskflow-frontend-green", namespace: "production", labels },
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    });
  });

  it("does not exist for a service of one pod: it would block every drain", () => {
    const settings = settingsWith();
    expect(disruptionBudget(settings, "green", http(settings, "frontend"))).toBe(undefined);
  });
});

describe("a release's id", () => {
  const id = (changes = {}) => rendered(settingsWith(changes)).id;
  const green = { version: "2.0.0", images: imagesOf("2") };

  it("begins with the version", () => {
    expect(id()).toMatch(/^2\.0\.0-[0-9a-f]{10}$/);
  });

  it("is the same for the same release, and no matter to replicas, roles, traffic, retirement or secrets", () => {
    const same = [
      {},
      { candidateTraffic: 10 },
      { candidate: "blue" },
      { blue: { version: "1.0.1", images: imagesOf("1.0.1") } },
      {
        green: {
          version: "2.0.0",
          images: { frontend: "golive.local/taskflow-frontend:2.0.0", backend: "golive.local/taskflow-backend:2.0.0" },
          retired: true,
        },
      },
      { cache: { memoryMiB: 512 } },
      { rotation: 1 },
      { backup: { keep: 9 } },
      { contract: "012_drop_old_name.sql" },
    ].map(id);
    const secret = settingsWith({ sentryDsn: "https://x" }, { secretKeys: new Set(["sentryDsn"]) });
    expect(new Set([...same, rendered(secret).id])).toEqual(new Set([id()]));
  });

  it("changes with anything that the pods see", () => {
    const ids = [
      {},
      { green },
      { green: { ...green, version: "2.0.1" } },
      { green: { ...green, config: { FEATURE: "on" } } },
      { green: { ...green, images: { ...green.images, frontend: "frontend:2.0.1" } } },
      { imageMirrors: { "golive.local/": "mirror.example.com/" } },
      { ...completeProduction, environment: "staging" },
    ].map(id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("tells the two colours apart, since their pods see different names", () => {
    const settings = settingsWith({ blue: complete.green });
    expect(rendered(settings, "blue").id).not.toBe(rendered(settings, "green").id);
  });

  it("changes whenever a variable of its configuration does", () => {
    const name = fc
      .stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/)
      .filter((each) => !["COLOUR", "RELEASE_VERSION"].includes(each));
    const config = fc.dictionary(name, fc.string(), { maxKeys: 4 });
    fc.assert(
      fc.property(config, config, (a, b) => {
        const [first, second] = [a, b].map((each) => rendered(settingsWith({ green: { ...green, config: each } })));
        expect(first?.id === second?.id).toBe(JSON.stringify(first?.config) === JSON.stringify(second?.config));
      }),
      { numRuns: 50 },
    );
  });

  it("does not exist for a colour without a release", () => {
    expect(renderRelease(settingsWith({ green: undefined }), "green")).toBe(undefined);
  });
});

describe("the configuration of a release", () => {
  it("has the application's variables, the colour's own over them, and who the pod is over all", () => {
    const config = { LOG_LEVEL: "debug", FEATURE: "on", COLOUR: "red", RELEASE_VERSION: "0" };
    expect(rendered(settingsWith({ green: { version: "2.0.0", images: imagesOf("2"), config } })).config).toEqual({
      NODE_ENV: "production",
      SENTRY_ENVIRONMENT: "local",
      SENTRY_TRACES_SAMPLE_RATE: "0.5",
      LOG_LEVEL: "debug",
      TZ: "UTC",
      FEATURE: "on",
      COLOUR: "green",
      RELEASE_VERSION: "2.0.0",
    });
  });
});

describe("another application with six services, a worker among them,", () => {
  it("is rendered as it is declared: a worker has no part in what answers requests", () => {
    const images = Object.fromEntries(rag.services.map(({ name }) => [name, `${name}:1`]));
    const base = settingsWith();
    const settings: Settings = {
      ...base,
      application: rag,
      colours: { ...base.colours, green: { release: { version: "1", images, config: {} }, retired: false } },
    };
    const { pods, config } = rendered(settings);
    expect(Object.keys(pods)).toEqual(["gateway", "acquisition", "retrieval", "events", "frontend"]);
    expect(config).toEqual({ LOG_LEVEL: "debug", COLOUR: "green", RELEASE_VERSION: "1" });
    expect(pods.events?.metadata).toEqual({
      labels: { app: "rag", component: "events", version: "green", "app.kubernetes.io/version": "1" },
      annotations: { "golive/release": expect.stringMatching(/^1-[0-9a-f]{10}$/), "golive/rotation": "0" },
    });
    expect(pods.frontend?.spec).toMatchObject({
      containers: [
        { image: "frontend:1", env: expect.arrayContaining([{ name: "ASSET_PREFIX", value: "/static/green" }]) },
      ],
    });
  });
});
