import {
  containsSecret,
  containsUnknown,
  isProperties,
  type Properties,
  reveal,
  Secret,
  Unknown,
  unknown,
  type Value,
} from "../rpc/properties.ts";
import { notHere, type Problem } from "./config.ts";
import { sameSet } from "./privileges.ts";
import type { Plain, Property, ResourceType } from "./resource.ts";

/** Inputs without what was given as null, and what is wrong with them. */
export function checkInputs(
  { properties, problems }: ResourceType,
  news: Properties,
): { readonly inputs: Properties; readonly problems: readonly Problem[] } {
  const given = Object.entries(news).filter(([, value]) => value !== null);
  const inputs = Object.fromEntries(
    given.map(([name, value]) => [
      name,
      properties[name]?.secret && !(value instanceof Secret) ? new Secret(value) : value,
    ]),
  );
  const inClear = clear(inputs);
  const found = [
    ...Object.keys(inClear)
      // Left by the real plugin in a state that is now ours.
      .filter((name) => !name.startsWith("__"))
      .flatMap((name) => problemOf(name, properties[name], inClear[name] ?? null)),
    ...Object.entries(properties)
      .filter(([name, { required }]) => required && inClear[name] === undefined)
      .map(([property]) => ({ property, reason: "it is missing" })),
  ];
  const whole = found.length === 0 && !containsUnknown(inputs);
  return { inputs, problems: whole ? (problems?.(inClear as Plain) ?? []) : found };
}

function problemOf(property: string, declared: Property | undefined, value: Value): readonly Problem[] {
  if (declared === undefined) return [{ property, reason: notHere("property") }];
  if (value instanceof Unknown) return [];
  const { kind, allowed, least, fixed } = declared;
  if (fixed === true) return value === declared.default ? [] : [{ property, reason: notHere("property") }];
  const expected = expectations[kind];
  if (!expected.fits(value))
    return [{ property, reason: `got ${JSON.stringify(value)}; it must be ${expected.words}` }];
  if (allowed !== undefined && !allowed.includes(String(value))) {
    return [{ property, reason: `got ${value}; allowed here: ${allowed.join(", ")}` }];
  }
  if (least !== undefined && Number(value) < least) {
    return [{ property, reason: `got ${value}; it must be at least ${least}` }];
  }
  if (declared.required && value === "") return [{ property, reason: "it is empty" }];
  return [];
}

const expectations: Readonly<Record<Property["kind"], { fits(value: Value): boolean; words: string }>> = {
  text: { fits: (value) => typeof value === "string", words: "a text" },
  flag: { fits: (value) => typeof value === "boolean", words: "true or false" },
  number: { fits: Number.isInteger, words: "a whole number" },
  set: {
    fits: (value) => Array.isArray(value) && value.every((each) => typeof each === "string" || each instanceof Unknown),
    words: "a list of texts",
  },
};

/**
 * What a resource will be by its inputs: defaults filled in, and what the server decides as it is in `state`, or unknown.
 * Properties that are neither given nor decided are left out; sets are sorted, as they have no order.
 */
export function planned({ properties }: ResourceType, news: Properties, state: Properties = {}): Properties {
  const result: Record<string, Value> = {};
  for (const [name, property] of Object.entries(properties)) {
    const given = news[name] ?? property.default ?? (property.computed ? (state[name] ?? unknown) : undefined);
    if (given !== undefined) result[name] = Array.isArray(given) && !containsUnknown(given) ? [...given].sort() : given;
  }
  return result;
}

export type Change = "add" | "delete" | "update";

export interface Difference {
  /** Each change by its path: a property, or one element of a set. */
  readonly changes: ReadonlyMap<string, { readonly change: Change; readonly replaces: boolean }>;
  readonly properties: readonly string[];
  readonly replaces: readonly string[];
  readonly removesFirst: boolean;
}

/** What differs between a state and inputs, ignored properties aside. Both may hold secrets, which count by their contents. */
export function difference(
  type: ResourceType,
  olds: Properties,
  news: Properties,
  ignored: readonly string[],
): Difference {
  const given = clear(news);
  // A state of the real plugin leaves some of the defaults out.
  const usual = Object.entries(type.properties).flatMap(([name, each]) =>
    each.default === undefined ? [] : [[name, each.default] as const],
  );
  const found = Object.entries(clear(olds)).filter(([, value]) => value !== null);
  const state = { ...Object.fromEntries(usual), ...Object.fromEntries(found) };
  const wanted = planned(type, given, state);
  const isIgnored = (name: string) => ignored.some((path) => path === name || path.startsWith(`${name}[`));
  // What the program leaves to the server is whatever the server says.
  const isLeft = (name: string) => type.properties[name]?.computed === true && isEmpty(given[name] ?? null);
  const changed = Object.keys(type.properties).filter(
    (name) => !isIgnored(name) && !isLeft(name) && !sameValue(state[name] ?? null, wanted[name] ?? null),
  );
  const replaces = changed.filter((name) => type.properties[name]?.replaces);
  const changes = new Map(
    changed.flatMap((name) =>
      changesOf(name, state[name] ?? null, given[name] ?? wanted[name] ?? null).map(
        ([path, change]) => [path, { change, replaces: replaces.includes(name) }] as const,
      ),
    ),
  );
  const keepsName = type.removesFirst === "same name" && state.name === wanted.name;
  const removesFirst = replaces.length > 0 && (type.removesFirst === "always" || keepsName);
  return { changes, properties: changed, replaces, removesFirst };
}

// Nothing, an empty text and an empty list are the same to PostgreSQL, and to the real plugin.
const isEmpty = (value: Value) => value === null || value === "" || (Array.isArray(value) && value.length === 0);

function sameValue(one: Value, other: Value): boolean {
  if (containsUnknown(one) || containsUnknown(other)) return false;
  if (isEmpty(one) || isEmpty(other)) return isEmpty(one) && isEmpty(other);
  return isTexts(one) && isTexts(other) ? sameSet(one, other) : one === other;
}

const isTexts = (value: Value): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

function changesOf(name: string, before: Value, given: Value): readonly (readonly [string, Change])[] {
  if (isEmpty(before)) return [[name, "add"]];
  if (isEmpty(given)) return [[name, "delete"]];
  if (!isTexts(before) || !isTexts(given)) return [[name, "update"]];
  const removed = before.filter((each) => !given.includes(each)).map((each) => `${name}[${before.indexOf(each)}]`);
  const added = given.filter((each) => !before.includes(each)).map((each) => `${name}[${given.indexOf(each)}]`);
  const both = (path: string) => removed.includes(path) && added.includes(path);
  return [...new Set([...removed, ...added])].map((path) => [
    path,
    both(path) ? "update" : removed.includes(path) ? "delete" : "add",
  ]);
}

/** What the state will hold: secret where the type or the inputs say so. */
export function outputs({ properties }: ResourceType, state: Properties, inputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(state).map(([name, value]) => [
      name,
      properties[name]?.secret || containsSecret(inputs[name] ?? null) ? new Secret(value) : value,
    ]),
  );
}

/** Inputs that would give what was found: those that a program gave, as they are now, or for an import all that are no defaults. */
export function inputsOf(type: ResourceType, found: Plain, inputs: Properties): Properties {
  const isImport = Object.keys(inputs).length === 0;
  const names = Object.keys(type.properties).filter((name) => {
    const property = type.properties[name];
    if (!isImport) return inputs[name] !== undefined;
    return property?.fixed !== true && found[name] !== property?.default && !isEmpty(found[name] ?? null);
  });
  const told = clear(inputs);
  const now = names.flatMap((name) => {
    const value = found[name];
    if (value === undefined) return [];
    // A list that only came back in another order is still what the program said.
    return [[name, sameValue(value, told[name] ?? null) ? (told[name] ?? value) : value] as const];
  });
  return outputs(type, Object.fromEntries(now), inputs);
}

/** Properties in clear. */
export function clear(properties: Properties): Properties {
  const revealed = reveal(properties);
  return isProperties(revealed) ? revealed : {};
}

/** Properties that are all known. @throws Error when one is not: the engine creates nothing before it knows. */
export function known(properties: Properties): Plain {
  const inClear = clear(properties);
  const missing = Object.keys(inClear).find((name) => containsUnknown(inClear[name] ?? null));
  if (missing === undefined) return inClear as Plain;
  throw new Error(`the value of ${missing} is not known yet`);
}
