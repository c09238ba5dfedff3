import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Live tests share one cluster and tell one story: files run in the order of their names, not of their last durations. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => a.moduleId.localeCompare(b.moduleId, "en"));
  }
}

const product = [
  "index.ts",
  "settings.ts",
  "settings/**/*.ts",
  "applications/**/*.ts",
  "components/**/*.ts",
  "monitoring/**/*.ts",
  "rollout/**/*.ts",
  // The rest of programs/ works on servers and processes: the live tests run it.
  "programs/database/migrations/{file,permitted,plan,statements}.ts",
  "programs/database/backup/{archive,key,manifest,store}.ts",
  "programs/rollout/{ledger-watch,metrics,reading,recorded}.ts",
  "programs/guard/{gateway-counters,gateway-pods,gateway,guard,metrics,readiness,tally,teller,watched,witness}.ts",
  "programs/exposition.ts",
  // The rest of policies/ talks to the engine: tests start it in a process of its own.
  "policies/!(pack|crossguard|circumstances).ts",
  "policies/*/**/*.ts",
];

export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    teardownTimeout: 2 * 60_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["tests/unit/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "policy",
          include: ["tests/policy/**/*.test.ts"],
          testTimeout: 5 * 60_000,
          hookTimeout: 10 * 60_000,
        },
      },
      { extends: true, test: { name: "component", include: ["tests/component/**/*.test.ts"], testTimeout: 30_000 } },
      {
        extends: true,
        test: {
          name: "live",
          include: ["tests/live/**/*.test.ts"],
          fileParallelism: false,
          maxWorkers: 1,
          retry: 0,
          testTimeout: 10 * 60_000,
          hookTimeout: 15 * 60_000,
        },
      },
    ],
    coverage: {
      provider: "v8",
      reportsDirectory: ".golive/coverage",
      include: product,
      reporter: ["text-summary", "json-summary", "html"],
      // local/ and cli/ start processes, which only the live tests do; see CONTRIBUTING.md.
      thresholds: {
        lines: 80,
        // The pure modules: where a decision is made, every line is a promise.
        "rollout/{decide,decision,desired,ladder,observed,pods,rotation,run,told,trip}.ts": { lines: 95 },
        "rollout/{gate,rules,schema,walk}/**/*.ts": { lines: 95 },
        "rollout/kube/{answer,public-route}.ts": { lines: 95 },
        "rollout/ledger/{chain,deployment,drafts,markdown,pages,record,record-run,store}.ts": { lines: 95 },
        "rollout/preflight/{checks,preflight,smoke}.ts": { lines: 95 },
        "programs/**/*.ts": { lines: 95 },
        "components/{cache,database}/statefulset.ts": { lines: 95 },
        "components/database/{address,backup-jobs,grants,metrics,migration-job,program-pod,reach,rotation}.ts": {
          lines: 95,
        },
        "components/release/{manifests,names}.ts": { lines: 95 },
        "components/{logging,monitoring}/!({logging,monitoring}).ts": { lines: 95 },
        "monitoring/**/*.ts": { lines: 95 },
        "policies/**/*.ts": { lines: 95 },
        "components/{pod,traffic}/{guard-manifests,http-route,program,security}.ts": { lines: 95 },
        "{settings.ts,settings/**/*.ts}": { lines: 95 },
        "applications/**/*.ts": { lines: 95 },
      },
    },
  },
});
