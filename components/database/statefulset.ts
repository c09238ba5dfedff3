import type { types } from "@pulumi/kubernetes";
import { scratch } from "../pod/scratch.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { headlessService, type SingleServer, singleStatefulSet } from "../pod/single-server.ts";
import { serverName } from "./address.ts";
import { plannerArguments } from "./planner.ts";

/** `postgres` in the official image's root. */
const uid = 999;
const dataDirectory = "/var/lib/postgresql/data";
const port = 5432;

export interface PostgresServer extends SingleServer {
  readonly image: string;
}

/** One PostgreSQL server with a volume of its own; SCRAM only, `postgres-0` ready within 300 s (S4-47, S4-52). */
export function postgresStatefulSet(server: PostgresServer): types.input.apps.v1.StatefulSet {
  return singleStatefulSet(serverName, server, postgresPod(server));
}

function postgresPod({ image }: PostgresServer): types.input.core.v1.PodSpec {
  const ask = ["pg_isready", "--host=127.0.0.1", "--username=postgres", "--timeout=3"];
  const isReady = { exec: { command: ask } };
  // 1 is a server that recovers, after a crash of one of its processes for minutes: a restart would begin that again, for ever.
  const isAlive = { exec: { command: ["sh", "-c", `${ask.join(" ")}; [ $? -lt 2 ]`] } };
  return {
    ...restrictedPod(uid),
    terminationGracePeriodSeconds: 60,
    containers: [
      {
        name: "postgres",
        image,
        ...restrictedContainer(),
        args: ["postgres", "-c", "password_encryption=scram-sha-256", "-c", "timezone=UTC", ...plannerArguments],
        ports: [{ name: "postgres", containerPort: port }],
        env: [
          { name: "PGDATA", value: `${dataDirectory}/pgdata` },
          { name: "POSTGRES_USER", value: "postgres" },
          { name: "POSTGRES_PASSWORD_FILE", value: "/etc/postgres/admin-password" },
          { name: "POSTGRES_HOST_AUTH_METHOD", value: "scram-sha-256" },
          { name: "POSTGRES_INITDB_ARGS", value: "--encoding=UTF8 --lc-collate=C --lc-ctype=C.UTF-8 --data-checksums" },
        ],
        // pg_isready reads the answer: a server that is still starting or recovering is not ready.
        startupProbe: { ...isReady, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 150 },
        readinessProbe: { ...isReady, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
        livenessProbe: { ...isAlive, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
        resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
        volumeMounts: [
          { name: "data", mountPath: dataDirectory },
          { name: "passwords", mountPath: "/etc/postgres", readOnly: true },
          { name: "run", mountPath: "/var/run/postgresql" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "passwords", secret: { secretName: serverName, defaultMode: 0o440 } },
      scratch("run", "16Mi"),
      scratch("tmp", "64Mi"),
    ],
  };
}

export function postgresService(server: PostgresServer): types.input.core.v1.Service {
  return headlessService(serverName, server, { name: "postgres", port });
}
