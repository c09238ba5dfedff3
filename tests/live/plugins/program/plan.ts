/** What the fixture program declares: written by a test, read by the program. */
export interface Plan {
  /** Arguments of the one provider of Kubernetes; without them nothing in a cluster is declared. */
  readonly provider?: Readonly<Record<string, unknown>>;
  /** Arguments of the one provider of PostgreSQL; without them nothing in a database is declared. */
  readonly postgresql?: Readonly<Record<string, unknown>>;
  readonly resources: readonly PlannedResource[];
  /** Outputs by name, as `<resource>.<property>…`. */
  readonly outputs?: Readonly<Record<string, string>>;
}

export interface PlannedResource {
  /** A class of the SDK, as `core.v1.ConfigMap`, `random.RandomPassword` or `postgresql.Role`. */
  readonly type: string;
  readonly name: string;
  /** In them `{ $secret: … }` is a secret and `{ $of: "<resource>.<property>…" }` another resource's output. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly options?: Readonly<Record<string, unknown>>;
  /** The id of an existing object to read instead of declaring one. */
  readonly get?: string;
}

/** The environment variable that holds the path of the plan. */
export const planVariable = "GOLIVE_TEST_PLAN";
