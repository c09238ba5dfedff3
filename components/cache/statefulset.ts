import type { types } from "@pulumi/kubernetes";
import { digestOf } from "../database/migration-job.ts";
import { scratch } from "../pod/scratch.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { headlessService, type SingleServer, singleStatefulSet } from "../pod/single-server.ts";

/** `redis` in the official image's root. */
const uid = 999;
const port = 6379;

export interface RedisServer extends SingleServer {
  readonly image: string;
  readonly memoryMiB: number;
  /** The ACL user of the application; the probes use it, too. */
  readonly user: string;
}

/** Name of the StatefulSet, its Service and its Secret. */
export const serverName = "redis";

/** Who reads the server's own figures, and its password's key in the Secret. */
export const exporterUser = "exporter";
export const exporterPasswordKey = "exporter-password";

/** One Redis server with a volume of its own, append-only file, LRU eviction below its memory limit (database.md section 4). */
export function redisStatefulSet(server: RedisServer): types.input.apps.v1.StatefulSet {
  // The server reads its users once, when it starts.
  const annotations = { "golive/users": digestOf(aclFile(server.user, { own: "", exporter: "" })) };
  return singleStatefulSet(serverName, server, redisPod(server), annotations);
}

function redisPod({ image, memoryMiB, user }: RedisServer): types.input.core.v1.PodSpec {
  return {
    ...restrictedPod(uid),
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: "redis",
        image,
        ...restrictedContainer(),
        command: ["redis-server"],
        args: [
          ...["--aclfile", "/etc/redis/users.acl"],
          ...["--dir", "/data", "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""],
          // A fork for the append-only rewrite may copy much of it: 70 % of the limit.
          ...["--maxmemory", `${Math.floor(memoryMiB * 0.7)}mb`, "--maxmemory-policy", "allkeys-lru"],
        ],
        ports: [{ name: "redis", containerPort: port }],
        env: [{ name: "REDISCLI_AUTH", valueFrom: { secretKeyRef: { name: serverName, key: "password" } } }],
        startupProbe: { ...answers(user, "PONG"), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 150 },
        readinessProbe: { ...answers(user, "PONG"), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
        // A server that loads a large file is alive: restarting it would start the load again.
        livenessProbe: { ...answers(user, "PONG", "LOADING", "MASTERDOWN"), periodSeconds: 10, timeoutSeconds: 5 },
        resources: { requests: { cpu: "50m", memory: `${memoryMiB}Mi` }, limits: { memory: `${memoryMiB}Mi` } },
        volumeMounts: [
          { name: "data", mountPath: "/data" },
          { name: "users", mountPath: "/etc/redis", readOnly: true },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "users", secret: { secretName: serverName, items: [{ key: "users.acl", path: "users.acl" }] } },
      scratch("tmp", "16Mi"),
    ],
  };
}

/** `redis-cli ping` ends with 0 on LOADING and NOAUTH, too: only the words of the answer tell. The password is in REDISCLI_AUTH. */
function answers(user: string, ...words: readonly string[]): types.input.core.v1.Probe {
  const script = `case "$(redis-cli --user ${user} ping 2>&1)" in ${words.map((word) => `${word}*`).join("|")}) ;; *) exit 1 ;; esac`;
  return { exec: { command: ["sh", "-c", script] } };
}

export function redisService(server: RedisServer): types.input.core.v1.Service {
  return headlessService(serverName, server, { name: "redis", port });
}

/**
 * The ACL file: without a line for `default`, anybody who reaches the port may do anything. The application's user reaches
 * keys and channels that begin with `<user>:` only. The exporter's reaches no key at all, and not the log of slow commands
 * either: that has their arguments (redis_exporter 1.45 asks for it, and goes on without).
 */
export function aclFile(user: string, passwords: { readonly own: string; readonly exporter: string }): string {
  const figures = "+info +config|get +slowlog|len +latency|latest";
  return `user default off
user ${user} on >${passwords.own} ~${user}:* resetchannels &${user}:* +@all -@admin -@dangerous +info
user ${exporterUser} on >${passwords.exporter} resetkeys resetchannels -@all ${figures}
`;
}
