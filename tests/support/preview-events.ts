import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** Events in the engine's own shape, as its log of a preview has them. */

const stackUrn = "urn:pulumi:production::golive::pulumi:pulumi:Stack::golive-production";
const platform = "golive:index:Platform";

/** What the program says. */
export const says = (severity: "info" | "warning" | "error", message: string): EngineEvent =>
  event({
    diagnosticEvent: { urn: stackUrn, message: `<{%reset%}>${message}<{%reset%}>\n`, color: "never", severity },
  });

export interface StepOptions {
  /** Type of the component that declares it, and its name. */
  readonly component?: readonly [string, string];
  readonly from?: Readonly<Record<string, unknown>>;
  readonly to?: Readonly<Record<string, unknown>>;
  readonly diffs?: readonly string[];
  readonly retainOnDelete?: boolean;
}

/** What happens to one resource: `type` is Pulumi's token. */
export function step(op: string, type: string, name: string, options: StepOptions = {}): EngineEvent {
  const { component: [componentType, componentName] = ["golive:release:Colour", "taskflow-green"], from, to } = options;
  const parent = `urn:pulumi:production::golive::${platform}$${componentType}::${componentName}`;
  const urn = `urn:pulumi:production::golive::${platform}$${componentType}$${type}::${name}`;
  const state = (inputs: Readonly<Record<string, unknown>>) => ({
    ...{ type, urn, parent, inputs, custom: true, id: "", outputs: {}, provider: "" },
    ...(options.retainOnDelete === undefined ? {} : { retainOnDelete: options.retainOnDelete }),
  });
  const metadata = {
    ...{ op, urn, type, provider: "" },
    ...(op === "create" ? {} : { old: state(from ?? {}) }),
    ...(op === "delete" ? {} : { new: state(to ?? {}) }),
    ...(options.diffs === undefined ? {} : { diffs: options.diffs }),
  };
  return event({ resourcePreEvent: { metadata, planning: true } });
}

/** What a rule says of a resource: as CrossGuard does, its description first. */
export function finds(
  rule: string,
  { urn = stackUrn, level = "mandatory", message }: { urn?: string; level?: string; message: string },
): EngineEvent {
  return event({
    policyEvent: {
      ...{ resourceUrn: urn, message: `What must be so.\n${message}\n`, color: "never", policyName: rule },
      ...{ policyPackName: "golive-policies", policyPackVersion: "0.1.0", policyPackVersionTag: "0.1.0" },
      enforcementLevel: level,
    },
  });
}

/** What CrossGuard says of a mandatory rule that read a value which is not known yet. */
export function cannotDecide(rule: string, urn: string, what: string): EngineEvent {
  const text = `can't run policy '${rule}' from policy pack 'golive-policies@v0.1.0' during preview: ${what}\n`;
  const { policyEvent } = finds(rule, { urn, level: "advisory", message: "" });
  return event({ policyEvent: { ...policyEvent, message: text } });
}

export const urnOf = ({ resourcePreEvent }: EngineEvent): string => resourcePreEvent?.metadata.urn ?? "";

/** The first event: the stack's configuration. */
export const configured = (config: Readonly<Record<string, string>>): EngineEvent =>
  event({ preludeEvent: { config: { "golive:environment": "production", ...config } } });

/** The last event of a run that was judged by our pack. */
export const judged = (): EngineEvent =>
  event({
    summaryEvent: {
      ...{ maybeCorrupt: false, durationSeconds: 9, resourceChanges: {}, policyPacks: {} },
      PolicyPacks: { "golive-policies|local|/somewhere": "0.1.0" },
    },
  });

// The engine's shapes are wider than its types, which know neither the capital nor most levels.
const event = (part: object): EngineEvent => ({ sequence: 0, timestamp: 0, ...part }) as EngineEvent;
