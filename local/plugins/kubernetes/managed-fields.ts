import { isProperties, type Properties, type Value } from "../rpc/properties.ts";
import { at, type KubeObject, listAt, textAt, withAt } from "./json.ts";

/** The manager under which objects are created: a create is no apply, so the first update takes its fields over. */
export const createManager = "pulumi-kubernetes";

/**
 * Writers whose fields an update takes over, by the beginning of their names: our own create, and kubectl in all its forms
 * (`kubectl-edit`, `kubectl-client-side-apply`, …), so that what a person changed by hand does not stand against the program.
 */
const takenOver: readonly (readonly [prefix: string, operation: string])[] = [
  [createManager, "Update"],
  ["pulumi-resource-kubernetes", "Update"],
  ["kubectl", "Apply"],
  ["kubectl", "Update"],
  ["before-first-apply", "Update"],
];

interface Entry extends Properties {
  readonly manager: string;
  readonly operation: string;
}

const entries = (live: KubeObject) => listAt(live, "metadata", "managedFields") as readonly Entry[];

const isTakenOver = (entry: Entry) =>
  textAt(entry, "subresource") === "" &&
  takenOver.some(([prefix, operation]) => entry.manager.startsWith(prefix) && entry.operation === operation);

/** Whether the object was made by us and not yet applied to: its fields are ours under the create's manager. */
export function createdByUs(live: KubeObject): boolean {
  return entries(live).some((entry) => entry.manager === createManager && entry.operation === "Update");
}

/** Whether nobody is recorded as manager: an object older than server-side apply. */
export const unmanaged = (live: KubeObject) => entries(live).length === 0;

/**
 * The JSON patch that makes `manager` the applier of all that such writers had written; undefined when there is nothing to take over.
 * It fails on the server when the object has changed since it was read.
 */
export function takeOver(live: KubeObject, manager: string): readonly Value[] | undefined {
  const own = (entry: Entry) =>
    entry.manager === manager && entry.operation === "Apply" && textAt(entry, "subresource") === "";
  const taken = entries(live).filter((entry) => isTakenOver(entry) && !own(entry));
  const [first] = taken;
  if (first === undefined) return undefined;
  const applied = [...taken, ...entries(live).filter(own)];
  const merged = { ...first, manager, operation: "Apply", fieldsV1: applied.map(fieldsOf).reduce(union) };
  const managedFields = [merged, ...entries(live).filter((entry) => !applied.includes(entry))];
  return [
    { op: "replace", path: "/metadata/managedFields", value: managedFields },
    { op: "replace", path: "/metadata/resourceVersion", value: textAt(live, "metadata", "resourceVersion") },
  ];
}

const fieldsOf = (entry: Entry): Properties => {
  const fields = entry.fieldsV1;
  return isProperties(fields) ? fields : {};
};

function union(left: Properties, right: Properties): Properties {
  const result: Record<string, Value> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const other = result[key];
    result[key] = isProperties(other) && isProperties(value) ? union(other, value) : value;
  }
  return result;
}

/**
 * Inputs for an apply under which ignored fields stay as they are: a field of another manager is left out (applying it would be a
 * claim), any other is given its live value.
 */
export function keepIgnored(
  inputs: KubeObject,
  live: KubeObject,
  manager: string,
  ignored: readonly string[],
): KubeObject {
  return ignored.reduce((object, text) => {
    const path = text.split(".");
    const holders = entries(live).filter(
      (entry) => at(fieldsOf(entry), ...path.map((key) => `f:${key}`)) !== undefined,
    );
    const theirs = holders.length > 0 && holders.every((entry) => entry.manager !== manager);
    const value = at(live, ...path);
    if (theirs) return withAt(object, path, undefined);
    return value === undefined ? object : withAt(object, path, value);
  }, inputs);
}
