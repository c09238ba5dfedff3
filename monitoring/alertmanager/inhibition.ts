/** While a source fires, its targets are muted where both have the same values of `equal`. In Alertmanager's own spelling. */
export interface InhibitRule {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

const named = (...alerts: readonly string[]) => `alertname=~"${alerts.join("|")}"`;
const caused = (...causes: readonly string[]) => `cause=~"${causes.join("|")}"`;
const severe = 'severity="critical"';
const lesser = 'severity=~"warning|info"';

/** A place has these labels; an alert without one of them has it empty, and two empty ones are equal. */
const place = ["instance", "device", "persistentvolumeclaim"];

/**
 * Which alert speaks for which others (S4-72: one fault, one message). Two labels carry it: `namespace`, and `cause`, which
 * alerts about one thing share. Alertmanager takes a label that both sides lack for equal, so no rule rests on `equal`
 * alone: each asks for a cause, which is then not empty, or names its alerts.
 *
 * Nothing mutes what users or an operator must hear whatever else is wrong: PublicHostDown, DatabaseDown, CacheDown,
 * RolloutTripped, Watchdog.
 */
export const inhibitRules: readonly InhibitRule[] = [
  // Whoever was woken needs no mail about the same thing: of both colours and all services, since that person looks at all.
  {
    source_matchers: [severe, caused("errors", "latency", "availability", "database", "cache", "backup", "rollout")],
    target_matchers: [lesser, caused("errors", "latency", "availability", "database", "cache", "backup", "rollout")],
    equal: ["namespace", "cause"],
  },
  {
    source_matchers: [severe, caused("disk", "volume", "certificate")],
    target_matchers: [lesser, caused("disk", "volume", "certificate")],
    // One full disk says nothing about another one.
    equal: ["namespace", "cause", ...place],
  },
  // Both colours share the stores: while one is away the release is not to blame, and no rollback helps.
  {
    source_matchers: [named("DatabaseDown", "CacheDown")],
    target_matchers: [caused("errors", "latency")],
    equal: ["namespace"],
  },
  {
    source_matchers: [named("DatabaseDown", "CacheDown")],
    target_matchers: [named("TargetDown", "TargetMissing")],
    equal: ["namespace", "job"],
  },
  // Pods that are gone answer nothing: errors and times say the same once more.
  {
    source_matchers: [named("ServiceDown", "CandidateDown")],
    target_matchers: [caused("errors", "latency")],
    equal: ["namespace", "service"],
  },
  // A tripped release has no traffic any more: what its last requests did is known.
  {
    source_matchers: [named("RolloutTripped")],
    target_matchers: [
      named("RollbackImmediate", "RollbackPlanned", "RollbackSlow", "CanaryErrors", "CanarySlow", "CandidateDown"),
    ],
    equal: ["namespace", "colour"],
  },
  // Of several alerts about one release's errors, the one that says what to do speaks.
  {
    source_matchers: [named("RollbackImmediate")],
    target_matchers: [named("CanaryErrors")],
    equal: ["namespace", "service", "colour"],
  },
  {
    source_matchers: [named("RollbackImmediate", "CanaryErrors")],
    target_matchers: [named("HighErrorRate")],
    equal: ["namespace", "service"],
  },
  {
    source_matchers: [named("HighLatency", "RollbackSlow")],
    target_matchers: [named("PerformanceRegression")],
    equal: ["namespace", "service"],
  },
  // A budget that burns is the shadow of a fault, and burns on for a while when that is repaired.
  {
    source_matchers: [named("OutageAftermath")],
    target_matchers: [named("AvailabilityBudgetFast", "RequestErrorBudgetFast", "LatencyBudgetFast")],
    equal: ["namespace"],
  },
];
