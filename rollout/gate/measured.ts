/** What was counted of one service of one colour, over one window. Requests are those of users: probes are left out. */
export interface Counts {
  readonly requests: number;
  /** Answered with 5xx, or not at all. */
  readonly errors: number;
  /** 95 of 100 were answered within so many seconds; NaN where nothing was. */
  readonly p95Seconds: number;
}

/** The same window of both colours: a shared fault shows in both. */
export interface Pair {
  readonly candidate: Counts;
  readonly stable: Counts;
}

/** One service, in the windows that it is judged by. Any number may be NaN or infinite: it is what a server answered. */
export interface ServiceMeasured {
  /** Since the last step. */
  readonly window: Pair;
  /** As long as the triggers `immediate` and `planned` last; never from before the last step. */
  readonly immediate: Pair;
  readonly planned: Pair;
  /** The stored baseline of the 95th percentile in seconds; NaN without one. */
  readonly baselineP95Seconds: number;
}

/** All that the gate judges a step by, with how it was asked. Times are seconds since 1970 by the cluster's clock. */
export interface Measured {
  readonly at: number;
  /** Begin of `window`: the last step. */
  readonly since: number;
  /** When the newest sample was taken; NaN: there is none. */
  readonly newest: number;
  /** By name of the service; workers answer nobody and are not in it. */
  readonly services: Readonly<Record<string, ServiceMeasured>>;
  /** Every expression that was asked, as it was sent, and its answer. */
  readonly queries: readonly Asked[];
}

export interface Asked {
  readonly promql: string;
  readonly value: number;
}
