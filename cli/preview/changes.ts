import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { fieldChanges } from "./fields.ts";
import type { Change, ChangeKind, FieldChange } from "./model.ts";
import { hidden } from "./shown.ts";

/** The engine's words for what it does to a resource; those that are not here change nothing, or say the same a second time. */
const kinds: Readonly<Record<string, ChangeKind>> = {
  create: "create",
  update: "change",
  delete: "delete",
  replace: "replace",
  import: "adopt",
  "import-replacement": "replace",
};

/** What a reviewer must see first stands first. */
const order: readonly ChangeKind[] = ["replace", "delete", "create", "change", "adopt"];

/** What happens to each resource, the gravest first, then by component and name. Components themselves are nothing that exists. */
export function changesOf(events: readonly EngineEvent[]): readonly Change[] {
  return events
    .flatMap(({ resourcePreEvent }) => (resourcePreEvent === undefined ? [] : changeOf(resourcePreEvent.metadata)))
    .sort(
      (one, other) =>
        order.indexOf(one.change) - order.indexOf(other.change) ||
        compare(one.component, other.component) ||
        compare(one.kind, other.kind) ||
        compare(one.name, other.name),
    );
}

// By code unit: the same on every machine, whatever its language.
const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);

function changeOf(step: StepEventMetadata): readonly Change[] {
  const change = kinds[step.op];
  const state = step.new ?? step.old;
  if (change === undefined || state === undefined || state === null || state.custom !== true) return [];
  const { kind, name } = resourceOf(step.urn);
  const kept = change === "delete" && step.old?.retainOnDelete === true;
  const base = { change, urn: step.urn, type: step.type, kind, name, component: componentOf(step.urn, state.parent) };
  return [{ ...base, fields: fieldsOf(step, change, kind), kept, objection: objectionTo(base, kept) }];
}

/** `urn:pulumi:stack::project::A$B$C::name` as a person says it: the kind is the last word of C. */
export function resourceOf(urn: string): { readonly kind: string; readonly name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { kind: lastWord(types), name: name.join("::") };
}

const lastWord = (types: string) => types.slice(Math.max(types.lastIndexOf(":"), types.lastIndexOf("$")) + 1);

/** The nearest component that declares a resource: its type's last word and its name. */
function componentOf(urn: string, parent: string): string {
  if (!urn.includes("$")) return "Stack";
  const { kind, name } = resourceOf(parent);
  return `${kind} ${name}`;
}

function fieldsOf({ old, new: next, diffs, detailedDiff }: StepEventMetadata, change: ChangeKind, kind: string) {
  if ((change !== "change" && change !== "replace") || !old || !next) return [];
  const fields = fieldChanges(kind, old.inputs, next.inputs);
  // A secret that changes reads the same before and after, and what was changed on the cluster by hand stands in no input.
  const named = [...new Set([...Object.keys(detailedDiff ?? {}), ...(diffs ?? [])])].sort();
  const told = (path: string) =>
    fields.some((field) => field.path.startsWith(path) || path.startsWith(top(field.path)));
  const silent = named.filter((path) => !told(path));
  return [...fields, ...silent.map((path): FieldChange => ({ path, from: hidden, to: hidden }))];
}

const top = (path: string) => path.split(/[.[]/, 1)[0] ?? path;

/** Kinds whose replacement stops what serves, or throws away what somebody wrote. */
const running = ["Deployment", "StatefulSet", "DaemonSet", "Kibana", "Beat"];
const holding = [
  ...["PersistentVolumeClaim", "PersistentVolume", "Namespace", "StatefulSet"],
  // Operators' resources, and what stands in the database.
  // Silences, and lines in a queue that Elasticsearch does not have yet, are somebody's, too.
  ...["Cluster", "Elasticsearch", "Logstash", "Prometheus", "Alertmanager", "Database", "Schema"],
];
/** What only says where the database's archive is: the archive stays, and nothing is written to it. */
const archiving = ["ObjectStore"];

function objectionTo({ change, kind, name }: Pick<Change, "change" | "kind" | "name">, kept: boolean) {
  if (change === "replace" && holding.includes(kind))
    return `${kind} ${name} would be replaced, and what it holds is lost`;
  if (change === "replace" && running.includes(kind))
    return `${kind} ${name} would be replaced: nothing serves in between`;
  if (change === "delete" && holding.includes(kind) && !kept)
    return `${kind} ${name} would be deleted, and what it holds is lost`;
  if (change === "replace" && archiving.includes(kind))
    return `${kind} ${name} would be replaced: the database is not backed up in between`;
  if (change === "delete" && archiving.includes(kind) && !kept)
    return `${kind} ${name} would be deleted: the database is not backed up any more`;
  return undefined;
}
