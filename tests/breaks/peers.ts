import type { Break } from "./break.ts";

/** What other people's judges found in this program, and what was mended. */
export const breaks: readonly Break[] = [
  {
    promise: "a PostgreSQL that recovers after a crash is left to it",
    file: "components/database/statefulset.ts",
    find: "[ $? -lt 2 ]",
    replace: "[ $? -lt 1 ]",
    test: "tests/unit/statefulset.test.ts",
    name: "when pg_isready ends with 1",
  },
  {
    promise: "no pod fills the disk of its node",
    file: "components/pod/scratch.ts",
    find: "emptyDir: { sizeLimit },",
    replace: 'emptyDir: sizeLimit === "" ? { sizeLimit } : {},',
    test: "tests/policy/peers.test.ts",
    name: "no pod of staging can fill the disk of its node",
  },
  {
    promise: "a restore drill has room for the whole database",
    file: "components/database/backup-jobs.ts",
    find: "restores: true, ",
    replace: "",
    test: "tests/unit/database-components-jobs.test.ts",
    name: "are restored in a drill every week",
  },
  {
    promise: "golive's own programs share no user with people on the node",
    file: "components/traffic/program.ts",
    find: "const uid = 10_001;",
    replace: "const uid = 1_000;",
    test: "tests/policy/peers.test.ts",
    name: "kube-score finds nothing in staging and production",
  },
];
