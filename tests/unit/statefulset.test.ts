import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { aclFile, redisService, redisStatefulSet } from "../../components/cache/statefulset.ts";
import { postgresService, postgresStatefulSet } from "../../components/database/statefulset.ts";

const restrictedPod = {
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 999,
    runAsGroup: 999,
    fsGroup: 999,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
};
const restrictedContainer = {
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
};

describe("PostgreSQL in the namespace", () => {
  const labels = { app: "taskflow", component: "postgres" };
  const server = {
    namespace: "staging",
    labels,
    image: "postgres:15.14",
    storage: "20Gi",
    storageClass: undefined,
    disposable: false,
  };
  const probe = {
    exec: { command: ["pg_isready", "--host=127.0.0.1", "--username=postgres", "--timeout=3"] },
    timeoutSeconds: 5,
  };
  const alive = {
    exec: {
      command: ["sh", "-c", "pg_isready --host=127.0.0.1 --username=postgres --timeout=3; [ $? -lt 2 ]"],
    },
    timeoutSeconds: 5,
  };

  it("is one pod postgres-0 with a volume that outlives it, SCRAM only", () => {
    expect(postgresStatefulSet(server)).toEqual({
      metadata: { name: "postgres", namespace: "staging", labels },
      spec: {
        serviceName: "postgres",
        replicas: 1,
        selector: { matchLabels: labels },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        template: {
          metadata: { labels },
          spec: {
            ...restrictedPod,
            terminationGracePeriodSeconds: 60,
            containers: [
              {
                name: "postgres",
                image: "postgres:15.14",
                ...restrictedContainer,
                args: [
                  ...["postgres", "-c", "password_encryption=scram-sha-256", "-c", "timezone=UTC"],
                  ...["-c", "jit=off", "-c", "random_page_cost=1.1"],
                ],
                ports: [{ name: "postgres", containerPort: 5432 }],
                env: [
                  { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
                  { name: "POSTGRES_USER", value: "postgres" },
                  { name: "POSTGRES_PASSWORD_FILE", value: "/etc/postgres/admin-password" },
                  { name: "POSTGRES_HOST_AUTH_METHOD", value: "scram-sha-256" },
                  {
                    name: "POSTGRES_INITDB_ARGS",
                    value: "--encoding=UTF8 --lc-collate=C --lc-ctype=C.UTF-8 --data-checksums",
                  },
                ],
                startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 150 },
                readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 2 },
                livenessProbe: { ...alive, periodSeconds: 10, failureThreshold: 6 },
                resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
                volumeMounts: [
                  { name: "data", mountPath: "/var/lib/postgresql/data" },
                  { name: "passwords", mountPath: "/etc/postgres", readOnly: true },
                  { name: "run", mountPath: "/var/run/postgresql" },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              { name: "passwords", secret: { secretName: "postgres", defaultMode: 0o440 } },
              { name: "run", emptyDir: { sizeLimit: "16Mi" } },
              { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: "data", labels },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } },
          },
        ],
      },
    });
  });

  it("lets its volume go only where nothing of value is kept, and takes the storage class it is given", () => {
    expect(postgresStatefulSet({ ...server, disposable: true, storageClass: "fast" })).toMatchObject({
      spec: {
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
        volumeClaimTemplates: [{ spec: { storageClassName: "fast" } }],
      },
    });
  });

  it.each([
    [0, "answers", true],
    [1, "recovers", true],
    [2, "does not answer", false],
  ] as const)("when pg_isready ends with %i, the server %s: alive is %s", (code, _what, isLive) => {
    const bin = mkdtempSync(join(tmpdir(), "golive-pg-isready-"));
    try {
      writeFileSync(join(bin, "pg_isready"), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
      const { spec } = JSON.parse(JSON.stringify(postgresStatefulSet(server)));
      const [shell, ...args] = spec.template.spec.containers[0].livenessProbe.exec.command;
      const { status } = spawnSync(shell, args, { env: { PATH: `${bin}:${process.env.PATH}` } });
      expect(status === 0).toBe(isLive);
    } finally {
      rmSync(bin, { recursive: true });
    }
  });

  it("is reached at its pod", () => {
    expect(postgresService(server)).toEqual({
      metadata: { name: "postgres", namespace: "staging", labels },
      spec: { clusterIP: "None", selector: labels, ports: [{ name: "postgres", port: 5432, targetPort: "postgres" }] },
    });
  });
});

describe("Redis in the namespace", () => {
  const labels = { app: "taskflow", component: "redis" };
  const server = {
    namespace: "staging",
    labels,
    image: "redis:7.2.5",
    storage: "2Gi",
    storageClass: undefined,
    memoryMiB: 256,
    user: "taskflow",
    disposable: false,
  };
  const answers = (words: string) => ({
    exec: { command: ["sh", "-c", `case "$(redis-cli --user taskflow ping 2>&1)" in ${words}) ;; *) exit 1 ;; esac`] },
    timeoutSeconds: 5,
  });

  it("is one pod with a volume, an append-only file, and room for its fork below the memory limit", () => {
    expect(redisStatefulSet(server)).toEqual({
      metadata: { name: "redis", namespace: "staging", labels },
      spec: {
        serviceName: "redis",
        replicas: 1,
        selector: { matchLabels: labels },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        template: {
          // Another set of users starts it anew: it reads them when it starts. Another password does not.
          metadata: { labels, annotations: { "golive/users": expect.stringMatching(/^[0-9a-f]{10}$/) } },
          spec: {
            ...restrictedPod,
            terminationGracePeriodSeconds: 30,
            containers: [
              {
                name: "redis",
                image: "redis:7.2.5",
                ...restrictedContainer,
                command: ["redis-server"],
                args: [
                  "--aclfile",
                  "/etc/redis/users.acl",
                  "--dir",
                  "/data",
                  "--appendonly",
                  "yes",
                  "--appendfsync",
                  "everysec",
                  "--save",
                  "",
                  "--maxmemory",
                  "179mb",
                  "--maxmemory-policy",
                  "allkeys-lru",
                ],
                ports: [{ name: "redis", containerPort: 6379 }],
                env: [{ name: "REDISCLI_AUTH", valueFrom: { secretKeyRef: { name: "redis", key: "password" } } }],
                startupProbe: { ...answers("PONG*"), periodSeconds: 2, failureThreshold: 150 },
                readinessProbe: { ...answers("PONG*"), periodSeconds: 5, failureThreshold: 2 },
                livenessProbe: { ...answers("PONG*|LOADING*|MASTERDOWN*"), periodSeconds: 10 },
                resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "256Mi" } },
                volumeMounts: [
                  { name: "data", mountPath: "/data" },
                  { name: "users", mountPath: "/etc/redis", readOnly: true },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              { name: "users", secret: { secretName: "redis", items: [{ key: "users.acl", path: "users.acl" }] } },
              { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: "data", labels },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
          },
        ],
      },
    });
  });

  it("lets its volume go only where nothing of value is kept, and takes the storage class it is given", () => {
    expect(redisStatefulSet({ ...server, disposable: true, storageClass: "fast" })).toMatchObject({
      spec: {
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
        volumeClaimTemplates: [{ spec: { storageClassName: "fast" } }],
      },
    });
  });

  it("lets nobody in without a password", () => {
    expect(aclFile("taskflow", { own: "secret", exporter: "other" }).split("\n")).toEqual([
      "user default off",
      "user taskflow on >secret ~taskflow:* resetchannels &taskflow:* +@all -@admin -@dangerous +info",
      "user exporter on >other resetkeys resetchannels -@all +info +config|get +slowlog|len +latency|latest",
      "",
    ]);
  });

  it("is reached at its pod", () => {
    expect(redisService(server)).toEqual({
      metadata: { name: "redis", namespace: "staging", labels },
      spec: { clusterIP: "None", selector: labels, ports: [{ name: "redis", port: 6379, targetPort: "redis" }] },
    });
  });

  // The scripts of the three probes, run by a real shell against a redis-cli that gives this answer.
  it.each([
    ["PONG", [0, 0, 0]],
    ["LOADING Redis is loading the dataset in memory", [1, 1, 0]],
    ["NOAUTH Authentication required.", [1, 1, 1]],
    ["Could not connect to Redis", [1, 1, 1]],
  ])("that answers %j ends its startup, readiness and liveness probes with %j", (answer, exitCodes) => {
    const folder = mkdtempSync(join(tmpdir(), "golive-redis-"));
    writeFileSync(join(folder, "redis-cli"), `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    const scripts = JSON.stringify(redisStatefulSet(server)).matchAll(/"(case .*? esac)"/g);
    const codes = [...scripts].map(([quoted]) => {
      const script: string = JSON.parse(quoted);
      return spawnSync("sh", ["-c", script], { env: { PATH: `${folder}:${process.env.PATH}` } }).status;
    });
    rmSync(folder, { recursive: true });
    expect(codes).toEqual(exitCodes);
  });
});
