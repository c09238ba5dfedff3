import type { Break } from "./break.ts";

const trip = "tests/unit/trip.test.ts";
const tombstones = "tests/unit/tombstones.test.ts";
const abort = "tests/unit/trip-abort.test.ts";
const clear = "tests/unit/tombstones-clear.test.ts";
const decide = "tests/unit/decide.test.ts";

/** What a trip, a tombstone and an abort promise to users and to who is woken by them. */
export const breaks: readonly Break[] = [
  {
    promise: "A trip takes the traffic off the colour in every rule.",
    file: "rollout/trip.ts",
    find: "ends(colour)(ref) ? { ...ref, weight: 0 }",
    replace: "ends(colour)(ref) ? { ...ref, weight: 1 }",
    test: trip,
    name: "takes all traffic off the colour in every rule",
  },
  {
    promise: "A trip that lost the race against another writer changes nothing of what that one wrote.",
    file: "rollout/trip.ts",
    find: "metadata: { annotations, resourceVersion }",
    replace: "metadata: { annotations }",
    test: trip,
    name: "takes all traffic off the colour in every rule",
  },
  {
    promise: "A trip that lost the race against another writer is tried again.",
    file: "rollout/kube/public-route.ts",
    find: "if (status === 409 && attempt < attempts) continue;",
    replace: "",
    test: trip,
    name: "is made from the route as it is then",
  },
  {
    promise: "Two guards write one trip.",
    file: "rollout/trip.ts",
    find: "if (route.exposure[colour] === 0) return",
    replace: "if (route.exposure[colour] < 0) return",
    test: trip,
    name: "is written once by two guards",
  },
  {
    promise: "A trip sends nobody to a retired colour.",
    file: "rollout/trip.ts",
    find: "if (told.retired.includes(other)) return",
    replace: "if (told.retired.length > 2) return",
    test: trip,
    name: "is refused when the other colour is retired",
  },
  {
    promise: "A trip sends nobody to a release that no rung has proven.",
    file: "rollout/trip.ts",
    find: "told.proven[other] !== release)",
    replace: "told.proven[other] === release)",
    test: trip,
    name: "is refused when the other colour was never proven",
  },
  {
    promise: "A release that was tripped gets no traffic again by a run.",
    file: "rollout/decide.ts",
    find: "refuseTombstone(run) ??",
    replace: "",
    test: tombstones,
    name: "gets no traffic on the first rung",
  },
  {
    promise: "A hand edit is no way around a tombstone.",
    file: "rollout/rules/tombstones.ts",
    find: '(direction === "stay" && to > before[candidate])',
    replace: "false",
    test: tombstones,
    name: "is not let in by a hand edit",
  },
  {
    promise: "A tombstone stands in no way down.",
    file: "rollout/rules/tombstones.ts",
    find: 'const rises = direction === "up" ||',
    replace: 'const rises = direction !== "stay" ||',
    test: tombstones,
    name: "stands in no way down",
  },
  {
    promise: "A trip stays acknowledged only as long as it is the same one.",
    file: "rollout/observed.ts",
    find: "trip && trip.id !== told?.acknowledged ? trip : undefined",
    replace: "trip && told?.acknowledged === undefined ? trip : undefined",
    test: decide,
    name: "that was acknowledged lets the colour climb again",
  },
  {
    promise: "A soak does not begin anew when somebody clears a tombstone.",
    file: "rollout/observed.ts",
    find: '(fieldsV1 === undefined || "f:spec" in fieldsV1)',
    replace: "true",
    test: "tests/unit/observed.test.ts",
    name: "was not stepped by who wrote annotations only",
  },
  {
    promise: "An override is granted once.",
    file: "rollout/decide.ts",
    find: "refuseSpentOverride(run, asked) ??",
    replace: "",
    test: decide,
    name: "that was spent holds the step",
  },
  {
    promise: "An abort takes the traffic also when the ledger cannot be written.",
    file: "cli/rollout/abort-now.ts",
    find: "return { number: undefined, notes: [`not in",
    replace: "throw error; return { number: undefined, notes: [`not in",
    test: abort,
    name: "does so without a ledger",
  },
  {
    promise: "An abort sends nobody to a colour without ready pods.",
    file: "cli/rollout/abort-now.ts",
    find: "if (unready.missing.length > 0)",
    replace: "if (unready.missing.length > 9)",
    test: abort,
    name: "sends nobody to a colour without ready pods",
  },
  {
    promise: "No tombstone is cleared without a record of who did it and why.",
    file: "cli/rollout/clear.ts",
    find: "await appendRecord(api, where, draft).catch(",
    replace: "await appendRecord(api, where, draft).catch(() => ({ number: 0 })).catch(",
    test: clear,
    name: "lets nobody off whom the ledger cannot name",
  },
];
