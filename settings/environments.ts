import type { ByEnvironment } from "../applications/application.ts";

/** What an environment brings unless the stack's config says otherwise. */
export interface EnvironmentDefaults {
  /** Protect what holds data from deletion, and keep it when its resource is removed from the program. */
  readonly protect: boolean;
  /** Hours that a colour keeps its pods after it lost its traffic (S1-48, C13). */
  readonly retireAfterHours: number;
  readonly database: { readonly image: string; readonly storage: string };
  readonly cache: { readonly image: string; readonly storage: string; readonly memoryMiB: number };
  /** Limits of the whole namespace: pods, and requests of CPU and memory as Kubernetes quantities. */
  readonly quota: { readonly pods: string; readonly cpu: string; readonly memory: string };
}

const postgres = "docker.io/library/postgres:15.14";
const redis = "docker.io/library/redis:7.2.5";

/** The one table of differences between environments. */
export const defaults: ByEnvironment<EnvironmentDefaults> = {
  local: {
    protect: false,
    retireAfterHours: 0,
    database: { image: postgres, storage: "1Gi" },
    cache: { image: redis, storage: "1Gi", memoryMiB: 128 },
    quota: { pods: "40", cpu: "4", memory: "8Gi" },
  },
  staging: {
    protect: true,
    retireAfterHours: 24,
    database: { image: postgres, storage: "20Gi" },
    cache: { image: redis, storage: "2Gi", memoryMiB: 256 },
    quota: { pods: "60", cpu: "8", memory: "16Gi" },
  },
  production: {
    protect: true,
    retireAfterHours: 24,
    database: { image: postgres, storage: "100Gi" },
    cache: { image: redis, storage: "8Gi", memoryMiB: 1024 },
    quota: { pods: "100", cpu: "32", memory: "64Gi" },
  },
};
