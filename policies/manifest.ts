import type { Subject } from "./rule.ts";
import { kindOf } from "./subject.ts";

/** Reading what a subject declares, field by field. Nothing is read that a rule does not ask for: an unknown value throws. */

export type Tree = Readonly<Record<string, unknown>>;

/** The value as an object; one without fields when it is something else. */
export const treeOf = (value: unknown): Tree => (isTree(value) ? value : {});

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** The value as a list; an empty one when it is something else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const treesOf = (value: unknown): readonly Tree[] => listOf(value).map(treeOf);

export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

export const textsOf = (value: unknown): readonly string[] =>
  listOf(value).filter((each): each is string => typeof each === "string");

/** The value at a path of field names. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, field) => treeOf(inner)[field], value);

/** Name of the object; Pulumi's own for it where the program leaves the name to Pulumi. */
export const nameOf = (subject: Subject): string => textOf(at(subject.object, "metadata", "name")) ?? subject.name;

/** Namespace of the object; empty for what belongs to none. */
export const namespaceOf = (subject: Subject): string => textOf(at(subject.object, "metadata", "namespace")) ?? "";

export const labelsOf = (subject: Subject): Tree => treeOf(at(subject.object, "metadata", "labels"));

/** `Deployment/production/guard`, as an exemption names it; Pulumi's name for what is no Kubernetes object. */
export function resourceOf(subject: Subject): string {
  const kind = kindOf(subject);
  return kind === undefined ? subject.name : [kind, namespaceOf(subject), nameOf(subject)].filter(Boolean).join("/");
}

export interface Leaf {
  readonly path: string;
  /** The field that holds it, or that holds the list that it stands in. */
  readonly key: string;
  readonly text: string;
}

/** Every text below a value. */
export function leavesOf(value: unknown, path = "", key = ""): readonly Leaf[] {
  if (typeof value === "string") return [{ path, key, text: value }];
  if (Array.isArray(value)) return value.flatMap((each, index) => leavesOf(each, `${path}[${index}]`, key));
  return Object.keys(treeOf(value)).flatMap((field) =>
    leavesOf(treeOf(value)[field], path === "" ? field : `${path}.${field}`, field),
  );
}
