import type { Break } from "./break.ts";

const configuration = "monitoring/alertmanager/configuration.ts";
const inhibition = "monitoring/alertmanager/inhibition.ts";
const unit = "tests/unit/monitoring-alertmanager.test.ts";
const live = "tests/live/monitoring-alertmanager.test.ts";

/** Who is told of an alert, who is not, and what a runbook says to whoever was woken. */
export const breaks: readonly Break[] = [
  {
    promise: "A critical alert reaches the on-call tool and its team, not one of the two.",
    file: configuration,
    find: "continue: true,",
    replace: "continue: false,",
    test: live,
    name: "are as they are written down here, for every alert there is",
  },
  {
    promise: "What is for information only reaches nobody.",
    file: configuration,
    find: `{ matchers: ['severity="info"'], receiver: "null" },`,
    replace: "",
    test: live,
    name: "tells nobody of what is for information only",
  },
  {
    promise: "The heartbeat comes every five minutes, not every ten.",
    file: configuration,
    find: "wait: 0, interval: minutes(1)",
    replace: "wait: 0, interval: minutes(5)",
    test: live,
    name: "repeats the heartbeat to the on-call tool",
  },
  {
    promise: "The end of the heartbeat is never told as good news.",
    file: configuration,
    find: '{ name: "heartbeat", webhook_configs: [{ url, send_resolved: false }] }',
    replace: '{ name: "heartbeat", webhook_configs: [{ url, send_resolved: true }] }',
    test: live,
    name: "repeats the heartbeat to the on-call tool",
  },
  {
    promise: "A wrong URL of the on-call tool is refused before Alertmanager fails on it, and is not shown.",
    file: configuration,
    find: "if (!URL.canParse(url) || ",
    replace: "if (URL.canParse(url) && ",
    test: unit,
    name: "refuses a secret that is missing or no URL, and shows none",
  },
  {
    promise: "A stack's alerts never mute another stack's.",
    file: inhibition,
    find: 'equal: ["namespace", "cause"],',
    replace: 'equal: ["cause"],',
    test: unit,
    name: "always asks for equal labels, the namespace first",
  },
  {
    promise: "While the database is down nobody is called for the errors that it causes.",
    file: inhibition,
    find: `target_matchers: [caused("errors", "latency")],
    equal: ["namespace"],`,
    replace: `target_matchers: [caused("latency")],
    equal: ["namespace"],`,
    test: live,
    name: "while the database is down",
  },
  {
    promise: "Whoever has repaired a fault is not woken again for the budget that it spent.",
    file: inhibition,
    find: 'target_matchers: [named("AvailabilityBudgetFast", "RequestErrorBudgetFast", "LatencyBudgetFast")],',
    replace: 'target_matchers: [named("AvailabilityBudgetFast", "LatencyBudgetFast")],',
    test: live,
    name: "while a fault was repaired that has spent a budget",
  },
  {
    promise: "That mute lasts as long as the budget's alert looks back.",
    file: "monitoring/alerts/application-aftermath.ts",
    find: "keepFiringFor: looksBack,",
    replace: "keepFiringFor: looksBack / 2,",
    test: "tests/live/monitoring-promtool.test.ts",
    name: "application alerts fire at their time",
  },
  {
    promise: "A full disk does not hide another one.",
    file: inhibition,
    find: 'const place = ["instance", "device", "persistentvolumeclaim"];',
    replace: "const place: string[] = [];",
    test: live,
    name: "while one of two disks is full",
  },
  {
    promise: "A command of a runbook that changes the cluster says so.",
    file: "docs/runbooks/application.md",
    find: `   # changes the cluster
   kubectl -n $NAMESPACE rollout restart`,
    replace: "   kubectl -n $NAMESPACE rollout restart",
    test: "tests/unit/runbooks.test.ts",
    name: "names commands, marks those that change something",
  },
];
