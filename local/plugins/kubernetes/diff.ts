import { isProperties, type Properties, reveal, Unknown, type Value } from "../rpc/properties.ts";
import { isAutonamed, isNamed } from "./autoname.ts";
import type { Config } from "./config.ts";
import { type KubeObject, kindOf, objectName, objectNamespace, prune, same, textAt, withAt } from "./json.ts";
import { normalize } from "./normalize.ts";
import { isQuantityPath, sameQuantity } from "./quantity.ts";
import { replaceFields, touches } from "./replace-fields.ts";

export type Change = "add" | "delete" | "update" | "addReplace" | "deleteReplace" | "updateReplace";

export interface Difference {
  /** Each changed field by its path, in the engine's notation. */
  readonly changes: ReadonlyMap<string, Change>;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

type Path = readonly (string | number)[];

/** The state of an object: what it was told, and what the cluster made of it. */
export interface State {
  readonly inputs: KubeObject;
  readonly live: KubeObject;
}

/** Takes a resource's state apart; secrets come out in clear. */
export function parseState(properties: Properties): State {
  const inClear = reveal(properties);
  if (!isProperties(inClear)) return { inputs: {}, live: {} };
  const { __inputs: inputs = {}, ...live } = inClear;
  return { inputs: isProperties(inputs) ? inputs : {}, live };
}

/**
 * What an update would change: the new inputs against the live object, of which only the fields count that the old inputs named.
 * No question is asked of the cluster.
 */
export function diff(state: State, news: Properties, config: Config, ignored: readonly string[]): Difference {
  const inputs = normalize(reveal(news) as KubeObject);
  const oldInputs = normalize(state.inputs);
  const live = comparable(state, oldInputs);
  const wanted =
    objectNamespace(live) === "" ? withAt(inputs, ["metadata", "namespace"], undefined) : inNamespace(inputs);
  const fields = replaceFields(wanted, config);
  const changes = new Map<string, Change>();
  compare([], live, wanted, oldInputs, (path, change, value) => {
    if (ignored.some((it) => covers(it, path))) return;
    const replacing = touches(path, value, fields);
    changes.set(propertyPath(path), replacing ? (`${change}Replace` as const) : change);
  });
  const replaces = [...changes].filter(([, change]) => change.endsWith("Replace")).map(([path]) => path);
  return { changes, replaces, deleteBeforeReplace: replaces.length > 0 && mustDeleteFirst(state.live, wanted) };
}

function comparable({ live }: State, oldInputs: KubeObject): KubeObject {
  const pruned = withAt(prune(live, oldInputs) as KubeObject, ["metadata", "name"], objectName(live));
  const namespace = objectNamespace(live);
  return withAt(pruned, ["metadata", "namespace"], namespace === "" ? undefined : namespace);
}

const inNamespace = (object: KubeObject) =>
  withAt(object, ["metadata", "namespace"], textAt(object, "metadata", "namespace") || "default");

// Two objects cannot have one name: the old one must go before the new one comes, unless a new name is generated.
function mustDeleteFirst(live: KubeObject, wanted: KubeObject): boolean {
  return (
    isNamed(wanted) &&
    !isAutonamed(wanted) &&
    objectName(wanted) === objectName(live) &&
    objectNamespace(wanted) === objectNamespace(live)
  );
}

type Report = (path: Path, change: "add" | "delete" | "update", value: Value | undefined) => void;

function compare(
  path: Path,
  old: Value | undefined,
  now: Value | undefined,
  oldInput: Value | undefined,
  report: Report,
): void {
  if (same(old, now)) return;
  if (now === undefined) {
    report(path, "delete", old);
    return;
  }
  if (old === undefined) {
    // The API server leaves out what is empty: a field that was given before and is not shown is no difference.
    if (now instanceof Unknown || !same(oldInput, now)) report(path, "add", now);
    return;
  }
  if (isProperties(old) && isProperties(now)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      compare([...path, key], old[key], now[key], isProperties(oldInput) ? oldInput[key] : undefined, report);
    }
    return;
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    for (let index = 0; index < Math.max(old.length, now.length); index += 1) {
      compare([...path, index], old[index], now[index], Array.isArray(oldInput) ? oldInput[index] : undefined, report);
    }
    return;
  }
  if (isQuantityPath(path) && sameQuantity(old, now)) return;
  report(path, "update", now);
}

/** A path as the engine writes it: `spec.rules[0].backendRefs[1].weight`, `metadata.labels["app.kubernetes.io/name"]`. */
export function propertyPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (/[."[\]]/.test(key)) return `${text}["${key.replaceAll('"', '\\"')}"]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** Reads such a path; `*` stands for any one step. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)].map(([, quoted, index, key]) =>
    quoted !== undefined
      ? quoted.replaceAll('\\"', '"')
      : index !== undefined && index !== "*"
        ? Number(index)
        : (key ?? "*"),
  );
}

function covers(ignored: string, path: Path): boolean {
  const parts = parsePath(ignored);
  return parts.length <= path.length && parts.every((part, index) => part === "*" || part === path[index]);
}

/** Whether a kind's readiness may decide about its replacement (`pulumi.com/replaceUnready`). */
export const mayReplaceUnready = (object: KubeObject) => kindOf(object) === "Job";
