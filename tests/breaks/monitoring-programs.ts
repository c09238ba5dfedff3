import type { Break } from "./break.ts";

const rolloutUnit = "tests/unit/rollout-metrics.test.ts";
const ledgerUnit = "tests/unit/rollout-ledger-metrics.test.ts";
const logging = "tests/live/logging.test.ts";
const business = "tests/live/database-metrics.test.ts";
const migration = "migrations/taskflow/015_add_business_metrics.sql";
const log = "local/sample/log.ts";

/** What the programs beside the application tell, and what its logs keep to themselves. */
export const breaks: readonly Break[] = [
  {
    promise: "The rollout exporter may read one route, the ledger, and nothing else.",
    file: "components/traffic/rollout-metrics-manifests.ts",
    find: "      resourceNames: [name],\n",
    replace: "",
    test: "tests/live/rollout-metrics.test.ts",
    name: "may read its route and its ledger, and nothing else",
  },
  {
    promise: "The rollout exporter may read the ledger, and no other ConfigMap.",
    file: "components/traffic/rollout-metrics-manifests.ts",
    find: "resourceNames: [...pageNames(name)], ",
    replace: "",
    test: rolloutUnit,
    name: "may read the public route of its application and the pages of its ledger, and nothing else",
  },
  {
    promise: "A ledger that does not answer keeps no number of the route back.",
    file: "programs/rollout/exporter.ts",
    find: "      await first;\n",
    replace: "      await Promise.all([first, firstOfLedger]);\n",
    test: rolloutUnit,
    name: "keeps nobody waiting for a ledger that does not answer",
  },
  {
    promise: "A ledger that cannot be read does not stop the exporter, and is told of.",
    file: "programs/rollout/ledger-watch.ts",
    find: "await this.#newest().catch(reasonOf)",
    replace: "await this.#newest()",
    test: ledgerUnit,
    name: "tells of none while the API server does not answer",
  },
  {
    promise: "One record that somebody broke takes no other mark off the dashboard, and is named.",
    file: "programs/rollout/ledger-watch.ts",
    find: "isRead: problem === undefined,",
    replace: "isRead: true,",
    test: ledgerUnit,
    name: "names a record that somebody broke",
  },
  {
    promise: "A ledger of years is not read whole each time.",
    file: "programs/rollout/ledger-watch.ts",
    find: "oldest === undefined ? 0 : names.indexOf(oldest.page)",
    replace: "0",
    test: ledgerUnit,
    name: "asks no more for pages that only have older records",
  },
  {
    promise: "A step that was refused is marked with the percent that stayed.",
    file: "programs/rollout/recorded.ts",
    find: "percent: standsAfter({ kind, from, to })[candidate]",
    replace: "percent: to[candidate]",
    test: ledgerUnit,
    name: "is, of a step that was refused",
  },
  {
    promise: "A trip is seen until somebody acknowledged that very one.",
    file: "rollout/observed.ts",
    find: "trip && trip.id !== told?.acknowledged ? trip : undefined",
    replace: "trip && told?.acknowledged === undefined ? trip : undefined",
    test: rolloutUnit,
    name: "is a trip until somebody acknowledged that very one",
  },
  {
    promise: "A hand edit of the weights moves the rung that is seen.",
    file: "programs/rollout/reading.ts",
    find: "const live = exposure[told.candidate];",
    replace: "const live = told.candidateTraffic;",
    test: rolloutUnit,
    name: "at a live weight of",
  },
  {
    promise: "A route that cannot be read is told once a change, and is down.",
    file: "programs/rollout/exporter.ts",
    find: "    if (said === this.#said) return;\n",
    replace: "",
    test: rolloutUnit,
    name: "follows the route",
  },
  {
    promise: "Nobody but the exporter asks for the business metrics.",
    file: migration,
    find: "GRANT EXECUTE ON FUNCTION private.business_metrics() TO taskflow_exporter;",
    replace:
      "GRANT USAGE ON SCHEMA private TO taskflow_read;\nGRANT EXECUTE ON FUNCTION private.business_metrics() TO taskflow_exporter, taskflow_read;",
    test: business,
    name: "is for nobody else to ask",
  },
  {
    promise: "A task of yesterday is not counted today.",
    file: migration,
    find: "FROM public.tasks t WHERE t.created_at > now() - interval '1 day'",
    replace: "FROM public.tasks t",
    test: business,
    name: "forgets what is older than a day",
  },
  {
    promise: "A migration cannot pass a metric of its own for one of ours.",
    file: "programs/database/metrics.ts",
    find: "!allowed.test(name)",
    replace: 'name === ""',
    test: "tests/unit/database-programs-metrics.test.ts",
    name: "take from the application only gauges of its own name",
  },
  {
    promise: "A password is never logged, however deep it lies.",
    file: log,
    find: "Object.entries(value).filter(([key]) => !secret.test(key))",
    replace: "Object.entries(value)",
    test: "tests/unit/sample-settings.test.ts",
    name: "never has a password, token or cookie",
  },
  {
    promise: "A driver's error shows no connection settings.",
    file: log,
    find: "  if (value instanceof Error) return errorFields(value);\n",
    replace: "  if (value instanceof Error) return { ...value, ...errorFields(value) };\n",
    test: "tests/unit/sample-settings.test.ts",
    name: "takes of an error in any field no more",
  },
  {
    promise: "Any sentence with a dash is not taken for a log line.",
    file: "components/logging/pipeline.ts",
    find: "%{NOTSPACE:logger}",
    replace: "%{DATA:logger}",
    test: logging,
    name: "read every line of S1-67's form whole, and no other line",
  },
  {
    promise: "Logs are kept for 90 days, and deleted then.",
    file: "components/logging/indices.ts",
    find: "delete: { min_age:",
    replace: "cold: { min_age:",
    test: "tests/unit/logging.test.ts",
    name: "stay for 90 days in daily indices",
  },
];
