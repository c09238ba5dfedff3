import { z } from "zod";
import type { EnvironmentDefaults } from "./environments.ts";
import { name, object, quantity, text } from "./forms.ts";

/** Where the logs of the stack's pods go. */
export interface LoggingSettings {
  /** `eck`: Filebeat, Logstash, Elasticsearch and Kibana, run by the operator ECK that the cluster has. `none`: nowhere. */
  readonly kind: "eck" | "none";
  readonly namespace: string;
  /** Version of the whole Elastic Stack. */
  readonly version: string;
  readonly nodes: number;
  /** Size of the volume of each Elasticsearch node. */
  readonly storage: string;
  readonly storageClass: string | undefined;
  /** Days after which a daily index is deleted (S1-32). */
  readonly retentionDays: number;
}

/** `golive:logging` as a person writes it. */
export const loggingForm = object({
  kind: z.enum(["eck", "none"], "allowed: eck, none").optional(),
  namespace: name.optional(),
  version: text("a version such as 9.1.4").optional(),
  nodes: z.int("allowed: 1 or more").min(1, "allowed: 1 or more").optional(),
  storage: quantity.optional(),
  storageClass: name.optional(),
  retentionDays: z.int("allowed: days, 1 or more").min(1, "allowed: days, 1 or more").optional(),
});

export const loggingKeys: Readonly<Record<string, readonly string[]>> = { logging: Object.keys(loggingForm.shape) };

/** Where a stack's logs go: as given, else by its environment. */
export function loggingOf(
  given: z.infer<typeof loggingForm> = {},
  { logging: standard }: EnvironmentDefaults,
): LoggingSettings {
  return {
    kind: given.kind ?? standard.kind,
    namespace: given.namespace ?? "logging",
    version: given.version ?? standard.version,
    nodes: given.nodes ?? standard.nodes,
    storage: given.storage ?? standard.storage,
    storageClass: given.storageClass,
    retentionDays: given.retentionDays ?? 90,
  };
}
