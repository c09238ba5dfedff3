/** What can go live on a stack: data only, no resources. A new application adds a file here and one below `migrations/`. */
export interface Application {
  /** Prefix of the names of its Deployments, Services and routes, and the value of the label `app`. */
  readonly name: string;
  readonly services: readonly Service[];
  readonly stores: Stores;
  /** The ladders a stack may choose by name; the first is the default. Percent and minutes as the source documents give them. */
  readonly ladders: Readonly<Record<string, readonly RungSpec[]>>;
  /** The environment of every service, shared by both colours but kept per colour, so that a rollback restores it with the code. */
  readonly environment: EnvironmentSpec;
  /** What its users are promised, and what undoes a release: alerts, the gate and dashboards read these and no others. */
  readonly objectives: Objectives;
  readonly triggers: Triggers;
  /** What a release must answer, in this order, before it gets any public traffic (S1-45). Default: nothing, which no release passes. */
  readonly smoke?: readonly SmokeTest[];
  /** Mail addresses that hear of alerts, by team (S4-91). */
  readonly contacts: Readonly<Record<"devops" | "dba" | "security" | "oncall", string>>;
}

/** Promises to users, over 30 days unless said. */
export interface Objectives {
  /** Percent of the probes of the public host that succeed. */
  readonly availabilityPercent: number;
  /** Percent of the requests that may fail (status 5xx). */
  readonly errorPercent: number;
  /** 95 of 100 API requests are answered within so many seconds. */
  readonly latencySeconds: number;
  /** 95 of 100 database transactions end within so many seconds. */
  readonly querySeconds: number;
}

/** When a release must be undone. Percent of the candidate's requests, seconds at the 95th percentile, minutes that it lasts. */
export interface Triggers {
  /** At once, at any traffic. */
  readonly immediate: { readonly errorPercent: number; readonly minutes: number };
  /** Planned: slower to judge, lower bounds. `timesBaseline`: p95 against the stored baseline. */
  readonly planned: { readonly errorPercent: number; readonly minutes: number; readonly timesBaseline: number };
  /** While the candidate is on its way up, once `requests` were counted. */
  readonly canary: { readonly errorPercent: number; readonly latencySeconds: number; readonly requests: number };
}

/**
 * One request to a colour alone, and the answer that it must get. In texts, `{name}` stands for a value: `{run}` is new in
 * every run, `{password}` is too and is never shown, `{colour}` and `{version}` are the candidate's, and any other is what an
 * earlier test keeps.
 */
export interface SmokeTest {
  /** What a user would miss, as a sentence without its end: `a user logs in`. */
  readonly name: string;
  /** Name of the service that is asked. */
  readonly service: string;
  /** Default: GET. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: Readonly<Record<string, string>>;
  readonly expect: {
    readonly status: number;
    /** Fields of the answer's JSON, by their path (`tasks.0.title`), and what each is as text. */
    readonly fields?: Readonly<Record<string, string>>;
    /** What stands somewhere in the answer. */
    readonly contains?: readonly string[];
  };
  /** Values for later tests: the path of a field of the answer's JSON, or a pattern whose first group is the value. */
  readonly keep?: Readonly<Record<string, string | RegExp>>;
}

/** One rung of a ladder: integer percent of the public requests, and the minimum time on it in minutes. */
export interface RungSpec {
  readonly percent: number;
  readonly soakMinutes: number;
}

export type Service = HttpService | WorkerService;

interface Workload {
  /** Its name inside the application: `backend` makes Deployment `taskflow-backend-blue`. */
  readonly name: string;
  /** Pods of one colour, by environment. */
  readonly replicas: ByEnvironment<number>;
  readonly resources: { readonly cpu: Range; readonly memory: Range };
  /** Seconds that a pod goes on serving after it was told to stop, so that no gateway still sends it requests. */
  readonly drainSeconds: number;
  /** What its pods may connect to. Default: nothing. */
  readonly reaches?: readonly Reach[];
}

/**
 * What pods of a service connect to: a store, another service on the port of its container, or a port of public addresses.
 * Both colours reach the same.
 */
export type Reach =
  | "postgresql"
  | "redis"
  | { readonly service: string; readonly port: number; readonly why: string }
  | { readonly internet: number; readonly why: string };

/** Requests and limits, as Kubernetes quantities. No CPU limit where `limit` is absent: throttling costs latency and saves nothing. */
export interface Range {
  readonly request: string;
  readonly limit?: string;
}

/** A service that answers public requests. */
export interface HttpService extends Workload {
  readonly kind: "http";
  /** Port of the container; its Service listens on 80 (S1-42). */
  readonly containerPort: number;
  /** Public path prefixes that lead to it. */
  readonly paths: readonly string[];
  /** Path prefix of its page assets, without the colour: `/assets` is served at `/assets/blue` and `/assets/green`. */
  readonly assets?: string;
  readonly probes: { readonly liveness: string; readonly readiness: string };
}

/** A service that takes work from queues. It runs only on the colour that holds most of the traffic. */
export interface WorkerService extends Workload {
  readonly kind: "worker";
  /** Consumer group without the colour; both colours never share one. */
  readonly consumerGroup: string;
}

/** The data stores an application asks for. */
export interface Stores {
  readonly postgresql?: { readonly database: ByEnvironment<string>; readonly user: string };
  readonly redis?: { readonly user: string };
  readonly qdrant?: { readonly collections: readonly string[] };
  readonly kafka?: { readonly topics: readonly string[] };
}

export interface EnvironmentSpec {
  /** In clear, in a ConfigMap. */
  readonly plain: (environment: Environment) => Readonly<Record<string, string>>;
  /** In a Secret: the variable's name and where its value comes from. */
  readonly secret: Readonly<Record<string, SecretSource>>;
}

/** Where a secret variable comes from: a store's connection URL, a generated value, or a secret of the stack's config. */
export type SecretSource =
  | { readonly from: "postgresql" }
  | { readonly from: "redis" }
  | { readonly from: "generated"; readonly length: number }
  | { readonly from: "config"; readonly key: SecretKey };

/** The secrets that a stack's config may hold (`pulumi config set --secret`). */
export type SecretKey = "sentryDsn";

export const environments = ["local", "staging", "production"] as const;
export type Environment = (typeof environments)[number];
export type ByEnvironment<T> = Readonly<Record<Environment, T>>;

export const colours = ["blue", "green"] as const;
/** One complete, persistent set of an application's services. Neither is "the new one" by name. */
export type Colour = (typeof colours)[number];

export const otherColour = (colour: Colour): Colour => (colour === "blue" ? "green" : "blue");

export const isHttp = (service: Service): service is HttpService => service.kind === "http";
