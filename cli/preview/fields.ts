import type { FieldChange } from "./model.ts";
import { hidden, isPrivate, isSecret, shownValue } from "./shown.ts";

/** What the SDK and the engine write for themselves. */
const internal = /^__/;

type Tree = Readonly<Record<string, unknown>>;

/** Which fields differ between two versions of an object's inputs, in the order of their paths, with values that may be shown. */
export function fieldChanges(kind: string, before: Tree, after: Tree): readonly FieldChange[] {
  return differences(before, after, []).map(({ steps, from, to }) => {
    const shown = isPrivate(kind, [...steps, ...namesOf(before, steps), ...namesOf(after, steps)])
      ? () => hidden
      : shownValue;
    return {
      path: pathText(steps),
      from: from === undefined ? undefined : shown(from),
      to: to === undefined ? undefined : shown(to),
    };
  });
}

/** What things on the way to a value are called where their list goes by numbers: a name that stands twice in it is a name. */
function namesOf(object: unknown, steps: readonly string[]): readonly string[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [];
  const { [step]: inner } = branches(object) ?? {};
  const name = step.startsWith("[") && typeof inner === "object" ? Reflect.get(inner ?? {}, "name") : undefined;
  return [...(typeof name === "string" ? [name] : []), ...namesOf(inner, rest)];
}

interface Difference {
  readonly steps: readonly string[];
  readonly from: unknown;
  readonly to: unknown;
}

function differences(from: unknown, to: unknown, steps: readonly string[]): readonly Difference[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  const [before, after] = [branches(from), branches(to)];
  const isLeaf = (before === undefined && from !== undefined) || (after === undefined && to !== undefined);
  if (isLeaf || (before === undefined && after === undefined)) return [{ steps, from, to }];
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const inside = keys
    .filter((key) => !internal.test(key))
    .flatMap((key) => differences(before?.[key], after?.[key], [...steps, key]));
  // An empty object that comes or goes has nothing inside to tell of it; a list that was only put in another order neither.
  return inside.length > 0 || keys.length > 0 ? inside : [{ steps, from, to }];
}

/** What is inside a value by name; undefined for a leaf. A list of named things is read by their names: their order says nothing. */
function branches(value: unknown): Tree | undefined {
  if (typeof value !== "object" || value === null || isSecret(value)) return undefined;
  if (!Array.isArray(value)) return value as Tree;
  if (value.some((item) => typeof item !== "object" || item === null)) return undefined;
  const names = value.map((item: Tree) => item.name);
  const named = names.every((name) => typeof name === "string") && new Set(names).size === names.length;
  return Object.fromEntries(value.map((item: Tree, index) => [`[${named ? names[index] : index}]`, item]));
}

/** `spec.containers[web].image`; a key with dots in it stands in quotes. */
function pathText(steps: readonly string[]): string {
  return steps.reduce((path, step) => {
    if (step.startsWith("[")) return `${path}${step}`;
    if (/[.\s[\]]/.test(step)) return `${path}["${step}"]`;
    return path === "" ? step : `${path}.${step}`;
  }, "");
}
