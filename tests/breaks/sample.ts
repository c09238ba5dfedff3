import type { Break } from "./break.ts";

const clients = { test: "tests/live/database-clients.test.ts", name: "are connected at once and all served" };
const users = "tests/live/sample-users.test.ts";

/** What users of the sample service would lose, and how a load would hide it. */
export const breaks: readonly Break[] = [
  {
    promise: "A thousand clients are served over a handful of connections",
    file: "local/sample/database.ts",
    find: "max: 5,",
    replace: "max: 50,",
    ...clients,
  },
  {
    promise: "Clients wait for their turn instead of being turned away",
    file: "local/sample/database.ts",
    find: "connectionTimeoutMillis: 10_000,",
    replace: "connectionTimeoutMillis: 50,",
    ...clients,
  },
  {
    promise: "A member sees at once what a teammate wrote",
    file: "local/sample/tasks.ts",
    find: "await cache.taskCreated(seenBy)",
    replace: "await cache.taskCreated([sub])",
    test: users,
    name: "sees a team's tasks and comments as a member",
  },
  {
    promise: "A refresh token that comes a second time ends its session",
    file: "local/sample/accounts.ts",
    find: "if (!rows[0]) return undefined;",
    replace: 'if (!rows[0]) throw new Refusal(401, "this session is over; log in again");',
    test: users,
    name: "keeps a session by tokens of one use",
  },
  {
    promise: "A release waits for the migrations that it needs",
    file: "local/sample/tasks.ts",
    find: "if (!known.includes(wanted)) {",
    replace: "if (!known.includes(wanted)) return;\n    if (!known.includes(wanted)) {",
    test: users,
    name: "is not ready before the migrations",
  },
  {
    promise: "A task that was written and is gone, or is another, is counted as lost",
    file: "local/load/written.ts",
    find: "found.get(id) !== title",
    replace: 'found.get(id) === ""',
    test: "tests/unit/load-generator.test.ts",
    name: "says how many tasks were lost",
  },
  {
    promise: "The demo fails when a task is lost",
    file: "cli/demo/report.ts",
    find: "if (load.lost > 0)",
    replace: "if (load.lost < 0)",
    test: "tests/unit/cli-demo-report.test.ts",
    name: "fails when a task was lost",
  },
];
