import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { Cache } from "../../components/cache/cache.ts";
import { providers } from "../../components/cluster/providers.ts";
import { Database } from "../../components/database/database.ts";
import { secretValues } from "../../components/release/secrets.ts";
import { routeHooks } from "../../rollout/hooks.ts";
import type { Settings } from "../../settings.ts";
import { type Declaration, declare, generated, SecretValue, secretOf } from "../support/harness.ts";
import { observed } from "../support/live.ts";
import {
  clusterOf,
  declarePlatform,
  external,
  firstRun,
  programs,
  type Stack,
  stackSettings,
} from "../support/platform.ts";
import { rag } from "../support/rag.ts";

const stacks = ["local", "staging", "production"] as const;
const declared = new Map<Stack, Declaration>();
const of = (stack: Stack): Declaration => {
  const declaration = declared.get(stack);
  if (!declaration) throw new Error(`${stack} was not declared`);
  return declaration;
};

beforeAll(async () => {
  for (const stack of stacks) declared.set(stack, await declarePlatform(firstRun(stackSettings(stack))));
}, 60_000);

describe("a whole stack", () => {
  it.each(stacks)("%s declares what its golden URN list says", (stack) => {
    const file = join(import.meta.dirname, "..", "golden", `urns.${stack}.golden.txt`);
    const golden = readFileSync(file, "utf8").trim().split("\n");
    const shortened = golden.map((urn) => {
      const [types = "", ...name] = urn.split("::");
      return [types.split("$").at(-1), ...name].join("::");
    });
    const found = of(stack).all.map(({ type, name }) => `${type}::${name.replace("golive-test", `golive-${stack}`)}`);
    expect(found.sort()).toEqual(shortened.sort());
  });

  it.each(stacks)("%s has every object in the namespace of its environment, but for what watches it", (stack) => {
    const elsewhere = of(stack).all.flatMap(({ inputs, name, type, parent }) => {
      const metadata = inputs.metadata;
      if (typeof metadata !== "object" || metadata === null || type.endsWith(":Namespace")) return [];
      const namespace: unknown = Reflect.get(metadata, "namespace");
      if (namespace === stack) return [];
      // A ClusterRole is in none.
      const none = /:ClusterRole(Binding)?$/.test(type) ? [undefined] : [];
      const allowed: Readonly<Record<string, readonly unknown[]>> = {
        "golive:monitoring:Monitoring": ["monitoring", "monitoring-nodes", ...none],
        "golive:logging:Logging": ["logging", "logging-nodes"],
        // What finds the Gateway's pods stands beside them.
        "golive:traffic:Guard": ["gateway"],
        // Every namespace of the stack has policies.
        "golive:network:Network": ["monitoring", "monitoring-nodes", "logging", "logging-nodes"],
      };
      const component = Object.keys(allowed).find((each) => parent.includes(`${each}::`));
      return component !== undefined && allowed[component]?.includes(namespace) ? [] : [`${type} ${name}`];
    });
    expect(elsewhere).toEqual([]);
  });

  it.each(stacks)("%s reaches the cluster through one provider with an explicit context", (stack) => {
    expect(of(stack).find("kubernetes", "cluster").inputs).toEqual({
      context: `golive-${stack}`,
      clusterIdentifier: `golive-${stack}`,
      enableServerSideApply: "true",
      enableConfigMapMutable: "true",
      enableSecretMutable: "true",
      upsertExistingObjects: "false",
    });
  });

  it.each(stacks)("%s shows no password in clear, in no manifest", (stack) => {
    const clear = of(stack).clearText;
    for (const { name } of of(stack).all) expect(clear).not.toContain(generated(name));
    expect(clear).not.toContain("p@ss");
    expect(clear).not.toContain("p%40ss");
    expect(clear).not.toMatch(/:\/\/[^"/]*:[^"/@]+@/);
  });

  it.each(stacks)("%s keeps every value of every Secret encrypted", (stack) => {
    const secrets = of(stack).all.filter(({ type }) => type.endsWith(":Secret"));
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const { inputs } of secrets) expect(inputs.stringData).toBeInstanceOf(SecretValue);
  });
});

describe("what holds data", () => {
  const kept = (stack: Stack) =>
    of(stack)
      .all.filter((each) => each.protect || each.retainOnDelete)
      .map(({ type, name, protect, retainOnDelete }) => [`${type.split(":").at(-1)} ${name}`, protect, retainOnDelete])
      .sort();

  it("goes with the stack on a throw-away stack", () => {
    expect(kept("local")).toEqual([]);
  });

  const keptWithTheServer = (database: string) => [
    ["Database", database],
    ["DefaultPrivileges", "taskflow_app-sequences"],
    ["DefaultPrivileges", "taskflow_app-tables"],
    ["DefaultPrivileges", "taskflow_read-sequences"],
    ["DefaultPrivileges", "taskflow_read-tables"],
    ["Grant", "public-database"],
    ["Grant", "public-schema"],
    ["Grant", "taskflow_app-database"],
    ["Grant", "taskflow_app-schema"],
    ["Grant", "taskflow_exporter-database"],
    ["Grant", "taskflow_exporter-schema"],
    ["Grant", "taskflow_read-database"],
    ["Grant", "taskflow_read-schema"],
    ["Role", "taskflow_app"],
    ["Role", "taskflow_app_a"],
    ["Role", "taskflow_app_b"],
    ["Role", "taskflow_backup"],
    ["Role", "taskflow_exporter"],
    ["Role", "taskflow_read"],
    ["Role", "taskflow_readonly"],
    ["Role", "taskflow_user"],
    ["Schema", `${database}-public`],
  ];
  const itself = ["Database taskflow_staging", "Database taskflow", "Role taskflow_user"];
  const inTheServer = (database: string) =>
    keptWithTheServer(database).map(([kind, name]) => {
      const label = `${kind} ${name}`;
      return [label, itself.includes(label) || kind === "Schema", true];
    });

  it("is protected and kept in staging, and what stands in the server goes when it goes, and not before", () => {
    expect(kept("staging")).toEqual(
      [
        ...inTheServer("taskflow_staging"),
        ["Elasticsearch elasticsearch", true, true],
        ["Namespace logging", true, true],
        ["Namespace monitoring", true, true],
        ["Namespace staging", true, true],
        ["PersistentVolumeClaim postgres-backups", true, true],
        ["RandomPassword jwt-secret", true, false],
        ["RandomPassword postgres-admin-password", true, true],
        ["RandomPassword postgres-backup-key", true, true],
        // What is kept and could not be opened, or started, would be of no use.
        ["Secret postgres-backup-key", true, true],
        ["Secret postgres-passwords", true, true],
        ["StatefulSet postgres", true, true],
        ["StatefulSet redis", true, true],
      ].sort(),
    );
  });

  it("is protected and kept in production, where roles and database are the Cluster's", () => {
    const rights = inTheServer("taskflow").filter(([label]) => !/^(Role|Database) /.test(String(label)));
    expect(kept("production")).toEqual(
      [
        ...rights,
        ["Cluster postgres", true, true],
        ["Elasticsearch elasticsearch", true, true],
        ["Namespace logging", true, true],
        ["Namespace monitoring", true, true],
        ["Namespace production", true, true],
        ["ObjectStore postgres", true, true],
        ["PersistentVolumeClaim postgres-backups", true, true],
        ["RandomPassword jwt-secret", true, false],
        ["RandomPassword postgres-backup-key", true, true],
        ["Secret postgres-backup-key", true, true],
        ["StatefulSet redis", true, true],
      ].sort(),
    );
  });
});

describe("the order of S4-52 and S4-53", () => {
  const waitsFor = (kind: string, name: string) => of("staging").find(kind, name).dependsOn;

  it("has the namespace before everything in it", () => {
    const elsewhere = ["postgres-metrics", "prometheus", "alertmanager", "grafana", "golive-staging-taskflow"];
    for (const name of of("staging")
      .names("Service")
      .filter((each) => !elsewhere.includes(each)))
      expect(waitsFor("Service", name)).toEqual(["kubernetes:core/v1:Namespace::staging"]);
    expect(waitsFor("ConfigMap", "taskflow-blue")).toEqual(["kubernetes:core/v1:Namespace::staging"]);
    expect(waitsFor("ResourceQuota", "staging-quota")).toEqual(["kubernetes:core/v1:Namespace::staging"]);
  });

  it("has its password and Service before PostgreSQL", () => {
    expect(waitsFor("StatefulSet", "postgres")).toEqual([
      "kubernetes:core/v1:Secret::postgres-passwords",
      "kubernetes:core/v1:Service::postgres",
    ]);
  });

  it.each(["blue", "green"])(
    "has the schema, the cache, the configuration and what watches it (C48) before the backend, and it before the frontend of %s",
    (colour) => {
      const rules = of("staging").names("PrometheusRule");
      expect(rules.length).toBeGreaterThan(0);
      expect(waitsFor("Deployment", `taskflow-backend-${colour}`)).toEqual([
        "kubernetes:apps/v1:StatefulSet::redis",
        "kubernetes:batch/v1:Job::taskflow-migrate",
        `kubernetes:core/v1:ConfigMap::taskflow-${colour}`,
        `kubernetes:core/v1:Secret::taskflow-${colour}`,
        "kubernetes:monitoring.coreos.com/v1:Prometheus::taskflow",
        ...rules.map((name) => `kubernetes:monitoring.coreos.com/v1:PrometheusRule::${name}`),
        "kubernetes:monitoring.coreos.com/v1:ServiceMonitor::taskflow",
      ]);
      expect(waitsFor("Deployment", `taskflow-frontend-${colour}`)).toEqual([
        `kubernetes:apps/v1:Deployment::taskflow-backend-${colour}`,
      ]);
      // A pod that starts meanwhile finds the password of before, which its server still knows.
      expect(waitsFor("Secret", `taskflow-${colour}`)).toEqual(
        expect.arrayContaining(["kubernetes:apps/v1:StatefulSet::redis", "kubernetes:batch/v1:Job::taskflow-migrate"]),
      );
    },
  );

  it.each(stacks)("lets no route of %s wait for a pod or a store: a way down must not", (stack) => {
    const services = of(stack)
      .names("Service")
      .filter((name) => name.startsWith("taskflow-"))
      .map((name) => `kubernetes:core/v1:Service::${name}`);
    expect(services).toHaveLength(4);
    const routes = of(stack).names("HTTPRoute");
    for (const name of routes.filter((each) => each !== "grafana"))
      expect(of(stack).find("HTTPRoute", name).dependsOn).toEqual(services);
    expect(routes).toHaveLength(stack === "local" ? 5 : 6);
  });

  it("gives pods and stores the 300 s of S4-52", () => {
    for (const [kind, name] of [
      ["StatefulSet", "postgres"],
      ["StatefulSet", "redis"],
      ["Deployment", "taskflow-backend-blue"],
    ] as const)
      expect(of("staging").find(kind, name).timeouts).toEqual({ create: "300s", update: "300s" });
  });
});

describe("the namespace", () => {
  it.each([
    ["local", { pods: "40", "requests.cpu": "4", "requests.memory": "8Gi" }],
    ["staging", { pods: "60", "requests.cpu": "8", "requests.memory": "16Gi" }],
    ["production", { pods: "100", "requests.cpu": "32", "requests.memory": "64Gi" }],
  ] as const)("of %s admits only restricted pods, within its quota", (stack, hard) => {
    expect(of(stack).find("Namespace", stack).inputs).toEqual({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: stack,
        labels: {
          app: "taskflow",
          "pod-security.kubernetes.io/enforce": "restricted",
          "pod-security.kubernetes.io/enforce-version": "latest",
          "pod-security.kubernetes.io/warn": "restricted",
        },
      },
    });
    expect(of(stack).find("ResourceQuota", `${stack}-quota`).inputs).toEqual({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "quota", namespace: stack },
      spec: { hard },
    });
  });
});

describe("the secrets of the services", () => {
  it("connect to the stores of the namespace as the login in use, with a database of its own in staging", () => {
    expect(secretOf(of("staging").find("Secret", "taskflow-blue").inputs.stringData)).toEqual({
      DATABASE_URL: `postgresql://taskflow_app_a:${generated("taskflow-app-a-password")}@postgres.staging.svc.cluster.local:5432/taskflow_staging`,
      REDIS_URL: `redis://taskflow:${generated("redis-password")}@redis.staging.svc.cluster.local:6379`,
      JWT_SECRET: generated("jwt-secret"),
      SENTRY_DSN: "",
    });
  });

  it("connect to the primary of an operator's servers over verified TLS", () => {
    expect(secretOf(of("production").find("Secret", "taskflow-blue").inputs.stringData)).toMatchObject({
      DATABASE_URL: `postgresql://taskflow_app_a:${generated("taskflow-app-a-password")}@postgres-rw.production.svc.cluster.local:5432/taskflow?sslmode=verify-full&sslrootcert=/etc/golive/ca/ca.crt`,
    });
    expect(of("production").names("StatefulSet")).toEqual(["redis"]);
  });

  it("connect to an external database over verified TLS", async () => {
    const declaration = await declarePlatform(firstRun(stackSettings("production", { database: external })));
    expect(secretOf(declaration.find("Secret", "taskflow-blue").inputs.stringData)).toMatchObject({
      DATABASE_URL: `postgresql://taskflow_app_a:${generated("taskflow-app-a-password")}@postgres.taskflow.example.com:5432/taskflow?sslmode=verify-full`,
    });
    expect(declaration.names("StatefulSet")).toEqual(["redis"]);
    expect(declaration.clearText).not.toContain("p@ss/word");
  });

  it("are the same on both colours, so that a session survives a change of colour", () => {
    const values = (colour: string) => secretOf(of("local").find("Secret", `taskflow-${colour}`).inputs.stringData);
    expect(values("green")).toEqual(values("blue"));
  });

  it("take the error tracker from config, where it is a secret", async () => {
    const dsn = "https://key@sentry.example.com/1";
    const declaration = await declarePlatform(firstRun(stackSettings("local", { sentryDsn: dsn })));
    expect(secretOf(declaration.find("Secret", "taskflow-blue").inputs.stringData)).toMatchObject({ SENTRY_DSN: dsn });
    expect(declaration.clearText).not.toContain(dsn);
  });

  it.each(["staging", "production"] as const)("are secrets before any Secret holds them, in %s", async (stack) => {
    const found: Record<string, boolean> = {};
    await declare(async () => {
      const settings = stackSettings(stack);
      const opts = { providers: [...providers(settings)] };
      const schema = { pending: [], held: [], record: undefined };
      const cluster = clusterOf(observed());
      const args = { settings, schema, programs, cluster, outdated: [], after: [], contract: undefined };
      const { url: postgresql } = new Database({ ...args, owner: "u", database: "d" }, opts).access;
      const { url: redis } = new Cache({ settings, user: "u", after: [] }, opts).access;
      const parent = new pulumi.ComponentResource("golive:test:Parent", "parent", {}, opts);
      const values = secretValues(parent, settings, { postgresql, redis });
      for (const [name, value] of Object.entries(values)) found[name] = await pulumi.isSecret(value);
    }, 8);
    expect(found).toEqual({ DATABASE_URL: true, REDIS_URL: true, JWT_SECRET: true, SENTRY_DSN: true });
  });

  it("of the stores are the generated ones", () => {
    expect(secretOf(of("local").find("Secret", "postgres-passwords").inputs.stringData)).toEqual({
      "admin-password": generated("postgres-admin-password"),
    });
    expect(secretOf(of("local").find("Secret", "redis-users").inputs.stringData)).toEqual({
      password: generated("redis-password"),
      "exporter-password": generated("redis-exporter-password"),
      "users.acl": [
        "user default off",
        `user taskflow on >${generated("redis-password")} ~taskflow:* resetchannels &taskflow:* +@all -@admin -@dangerous +info`,
        `user exporter on >${generated("redis-exporter-password")} resetkeys resetchannels -@all +info +config|get +slowlog|len +latency|latest`,
        "",
      ].join("\n"),
    });
  });
});

describe("the services", () => {
  it("of production run three pods of each service and colour, pinned by digest, with a budget each", () => {
    const image = (service: string, version: string) => {
      const release = stackSettings("production").colours[version === "v1.0.0" ? "blue" : "green"].release;
      return release?.images[service];
    };
    for (const [colour, version] of [
      ["blue", "v1.0.0"],
      ["green", "v1.1.0"],
    ] as const)
      for (const service of ["backend", "frontend"]) {
        const name = `taskflow-${service}-${colour}`;
        expect(of("production").find("Deployment", name).inputs).toMatchObject({
          spec: { replicas: 3, template: { spec: { containers: [{ image: image(service, version) }] } } },
        });
        expect(of("production").find("PodDisruptionBudget", name).inputs).toEqual({
          apiVersion: "policy/v1",
          kind: "PodDisruptionBudget",
          metadata: { name, namespace: "production", labels: { app: "taskflow", component: service, version: colour } },
          spec: {
            maxUnavailable: 1,
            selector: { matchLabels: { app: "taskflow", component: service, version: colour } },
          },
        });
        expect(image(service, version)).toMatch(/@sha256:[0-9a-f]{64}$/);
      }
  });

  it.each([
    ["local", []],
    [
      "staging",
      ["guard", "taskflow-backend-blue", "taskflow-backend-green", "taskflow-frontend-blue", "taskflow-frontend-green"],
    ],
  ] as const)(
    "of %s have budgets only where there are two pods: one alone would block every node drain",
    (stack, names) => {
      expect(of(stack).names("PodDisruptionBudget")).toEqual(names);
    },
  );

  it("have their configuration in clear in a ConfigMap of each colour", () => {
    expect(of("production").find("ConfigMap", "taskflow-green").inputs).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "taskflow-green", namespace: "production", labels: { app: "taskflow", version: "green" } },
      data: {
        NODE_ENV: "production",
        SENTRY_ENVIRONMENT: "production",
        SENTRY_TRACES_SAMPLE_RATE: "0.1",
        LOG_LEVEL: "info",
        TZ: "UTC",
        COLOUR: "green",
        RELEASE_VERSION: "1.1.0",
      },
    });
  });

  it("of a colour without a release still have their Services: a route that names a missing one fails as a whole", async () => {
    const monitoring = { kind: "none" };
    const declaration = await declarePlatform(firstRun(stackSettings("local", { green: undefined, monitoring })));
    expect(declaration.names("Service")).toEqual([
      "postgres",
      "postgres-metrics",
      "redis",
      "taskflow-backend-blue",
      "taskflow-backend-green",
      "taskflow-frontend-blue",
      "taskflow-frontend-green",
    ]);
    expect(declaration.names("Deployment")).toEqual([
      "postgres-metrics",
      "taskflow-backend-blue",
      "taskflow-frontend-blue",
    ]);
    expect(declaration.names("Secret")).toEqual([
      "postgres-backup-key",
      "postgres-passwords",
      "redis-users",
      "taskflow-blue",
      "taskflow-database",
    ]);
  });

  it("of a retired colour are still declared, with no pods", async () => {
    const { green } = stackSettings("local").colours;
    const config = { green: { ...green.release, retired: true } };
    const declaration = await declarePlatform(firstRun(stackSettings("local", config)));
    for (const service of ["backend", "frontend"]) {
      expect(declaration.find("Deployment", `taskflow-${service}-green`).inputs).toMatchObject({
        spec: { replicas: 0 },
      });
      expect(declaration.find("Deployment", `taskflow-${service}-blue`).inputs).toMatchObject({
        spec: { replicas: 1 },
      });
    }
  });
});

describe("the routes", () => {
  const spec = (declaration: Declaration, name: string) => declaration.find("HTTPRoute", name).inputs.spec;

  it("split the public requests with both weights in every rule, even at 0", () => {
    const { inputs } = of("local").find("HTTPRoute", "taskflow");
    const { blue, green } = releaseIds();
    expect(inputs).toEqual({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: {
        name: "taskflow",
        namespace: "local",
        labels: { app: "taskflow" },
        annotations: {
          "pulumi.com/patchForce": "true",
          "golive/candidate": "green",
          "golive/candidate-traffic": "0",
          "golive/ladder": "10/15,50/15,100/30",
          "golive/paths": "/api /",
          "golive/release-blue": blue,
          "golive/release-green": green,
          "golive/proven-blue": blue,
        },
      },
      spec: {
        parentRefs: [{ name: "golive", namespace: "gateway", sectionName: "public" }],
        hostnames: ["taskflow.localhost"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/api" } }],
            backendRefs: [
              { name: "taskflow-backend-blue", port: 80, weight: 100 },
              { name: "taskflow-backend-green", port: 80, weight: 0 },
            ],
          },
          {
            matches: [{ path: { type: "PathPrefix", value: "/" } }],
            backendRefs: [
              { name: "taskflow-frontend-blue", port: 80, weight: 100 },
              { name: "taskflow-frontend-green", port: 80, weight: 0 },
            ],
          },
        ],
      },
    });
  });

  const releaseIds = () => {
    const { told } = firstRun(stackSettings("local")).decision;
    return told.releases;
  };

  it("read the live route before and after the public one is written, and at no other", () => {
    for (const stack of stacks)
      for (const name of of(stack).names("HTTPRoute"))
        expect(of(stack).find("HTTPRoute", name).hooks).toEqual(
          name === "taskflow"
            ? { beforeCreate: [], beforeUpdate: ["read-before-write"], afterUpdate: ["read-back"] }
            : { beforeCreate: [], beforeUpdate: [], afterUpdate: [] },
        );
  });

  it("force nothing but the public one over a hand edit", () => {
    for (const { type, name, inputs } of of("local").all)
      expect(JSON.stringify(inputs).includes("patchForce"), `${type} ${name}`).toBe(
        type.endsWith(":HTTPRoute") && name === "taskflow",
      );
  });

  it.each(["blue", "green"])("reach %s alone on the internal listener, whatever its weight", (colour) => {
    expect(spec(of("staging"), `taskflow-internal-${colour}`)).toEqual({
      parentRefs: [{ name: "public", namespace: "gateway", sectionName: "internal" }],
      hostnames: [`${colour}.staging.taskflow.example.com`],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/api" } }],
          backendRefs: [{ name: `taskflow-backend-${colour}`, port: 80, weight: 1 }],
        },
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          backendRefs: [{ name: `taskflow-frontend-${colour}`, port: 80, weight: 1 }],
        },
      ],
    });
  });

  it.each(["blue", "green"])("serve the assets of %s from the colour that served the page", (colour) => {
    expect(spec(of("staging"), `taskflow-assets-${colour}`)).toEqual({
      parentRefs: [{ name: "public", namespace: "gateway", sectionName: "https" }],
      hostnames: ["staging.taskflow.example.com"],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: `/assets/${colour}` } }],
          backendRefs: [{ name: `taskflow-frontend-${colour}`, port: 80, weight: 1 }],
        },
      ],
    });
  });
});

describe("the hooks of the public route", () => {
  const tripped = observed({ trip: "green: slow", generation: 2 });

  it.each([
    ["before", "beforeUpdate", "green was tripped during this run (slow); the route was not written"],
    ["after", "afterUpdate", "the route was written with blue 90, green 10, but reads blue 100, green 0"],
  ] as const)("ask the cluster %s the write, and stop the run", async (_, moment, message) => {
    const first = firstRun(stackSettings("local"));
    const run = { ...first, observed: observed(), decision: { ...first.decision, weights: { blue: 90, green: 10 } } };
    const asked = declare(async () => {
      const cluster = { observe: async () => (moment === "beforeUpdate" ? tripped : observed()) };
      const [hook] = routeHooks({ ...run, cluster, services: ["backend", "frontend"] })[moment];
      await hook?.callback({ urn: "urn", id: "id", name: "taskflow", type: "HTTPRoute" });
    }, 1);
    await expect(asked).rejects.toThrow(message);
  });
});

describe("another application", () => {
  const base = stackSettings("local", { monitoring: { kind: "none" } });
  const images = Object.fromEntries(rag.services.map(({ name }) => [name, `${name}:1`]));
  const release = { version: "1", images, config: {} };
  const colours = { blue: { release, retired: false }, green: { release: undefined, retired: false } };

  it("needs nothing but its declaration: its services, in their order, on its own stores", async () => {
    const declaration = await declarePlatform(firstRun({ ...base, application: rag, colours }));
    expect(declaration.names("Deployment")).toEqual([
      "postgres-metrics",
      "rag-acquisition-blue",
      "rag-events-blue",
      "rag-frontend-blue",
      "rag-gateway-blue",
      "rag-retrieval-blue",
    ]);
    expect(declaration.find("Deployment", "rag-events-blue").dependsOn).toEqual([
      "kubernetes:apps/v1:Deployment::rag-retrieval-blue",
    ]);
    expect(secretOf(declaration.find("Secret", "rag-blue").inputs.stringData)).toEqual({
      DATABASE_URL: `postgresql://rag_app_a:${generated("rag-app-a-password")}@postgres.local.svc.cluster.local:5432/rag`,
      REDIS_URL: `redis://rag:${generated("redis-password")}@redis.local.svc.cluster.local:6379`,
    });
  });

  it("that asks for a secret of a store that it does not declare is refused", async () => {
    const { redis } = rag.stores;
    const application = { ...rag, stores: redis ? { redis } : {} };
    const run = firstRun({ ...base, application, colours });
    await expect(declare(() => secretsOf(run.settings), 1)).rejects.toThrow(
      "DATABASE_URL needs postgresql, which rag does not declare",
    );
  });

  const secretsOf = (settings: Settings) => {
    secretValues(new pulumi.ComponentResource("golive:test:Parent", "parent"), settings, {});
  };
});

describe("the harness itself", () => {
  const provider = () => new kubernetes.Provider("cluster", {});
  const range = (opts: pulumi.CustomResourceOptions) => new kubernetes.core.v1.LimitRange("range", {}, opts);
  const config = (name: string, opts: pulumi.CustomResourceOptions) => new kubernetes.core.v1.ConfigMap(name, {}, opts);

  it.each([
    ["a program that declares too little", () => {}, "resources declared"],
    [
      "a type that it does not know",
      () => void range({ provider: provider() }),
      "the harness knows no kubernetes:core/v1:LimitRange (range)",
    ],
    ["a resource without an explicit provider", () => void config("settings", {}), "settings names its provider"],
    [
      "a resource that only an update declares",
      () =>
        void pulumi.output(pulumi.runtime.isDryRun()).apply((dry) => dry || config("late", { provider: provider() })),
      "a preview declares what the update does",
    ],
    [
      "one URN declared twice",
      () => {
        const opts = { provider: provider() };
        config("same", opts);
        config("same", opts);
      },
      "URNs are unique",
    ],
  ])("refuses %s", async (_, program, message) => {
    await expect(declare(program, message === "resources declared" ? 5 : 1)).rejects.toThrow(message);
  });
});
