import type { Break } from "./break.ts";

/** What breaks around a release costs nobody anything that it must not. */
export const breaks: readonly Break[] = [
  {
    promise: "Nothing goes up while no pod of the guard is awake.",
    file: "rollout/gate/gate.ts",
    find: "ready.guard === false ? [noGuard] : []",
    replace: "ready.guard === false ? [] : []",
    test: "tests/unit/assess.test.ts",
    name: "whether the guard is awake",
  },
  {
    promise: "A release is not blamed for a database that both colours wait for.",
    file: "rollout/gate/latency.ts",
    find: "if (stable.p95Seconds > timesStable * limit) return true;",
    replace: "",
    test: "tests/unit/gate.test.ts",
    name: "slowness of stable far over the limit",
  },
  {
    promise: "A release is not blamed for a machine that is too busy for both colours.",
    file: "rollout/gate/latency.ts",
    find: "stable.p95Seconds > limit ? timesStable * planned.timesBaseline",
    replace: "stable.p95Seconds > limit ? planned.timesBaseline",
    test: "tests/unit/gate.test.ts",
    name: "the machine is busy",
  },
  {
    promise: "A living driver loses its stack to nobody.",
    file: "cli/rollout/lease.ts",
    find: "holder.who !== this.#who && holder.deadInSeconds > 0",
    replace: "holder.who === this.#who && holder.deadInSeconds > 0",
    test: "tests/unit/lease.test.ts",
    name: "the second is told who drives",
  },
  {
    promise: "What the ledger misses is told by the next command.",
    file: "cli/rollout/status.ts",
    find: "records.length === 0 ? undefined : missingOf",
    replace: "records.length > 0 ? undefined : missingOf",
    test: "tests/unit/rollout-status.test.ts",
    name: "tells what the ledger misses",
  },
];
