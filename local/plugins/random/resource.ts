import { isDeepStrictEqual } from "node:util";
import { containsUnknown, isProperties, type Properties, reveal, Secret, type Value } from "../rpc/properties.ts";
import { generate, type Recipe, recipeProblems } from "./password.ts";

const types = {
  "random:index/randomPassword:RandomPassword": { secret: true },
  "random:index/randomString:RandomString": { secret: false },
} as const;

const inputNames = [
  "keepers",
  "length",
  "lower",
  "minLower",
  "minNumeric",
  "minSpecial",
  "minUpper",
  "number",
  "numeric",
  "overrideSpecial",
  "special",
  "upper",
] as const;

/** Whether results of a type are secrets; an error for a type that this stand-in does not have. */
export function isSecretType(type: string): boolean {
  if (Object.hasOwn(types, type)) return types[type as keyof typeof types].secret;
  const known = Object.keys(types).join(", ");
  throw new Error(`the stand-in for the random plugin has no type ${type}; it has ${known}`);
}

/** Inputs with the plugin's defaults, and what is wrong with them. */
export function checkInputs(news: Properties): {
  readonly inputs: Properties;
  readonly problems: readonly { property: string; reason: string }[];
} {
  const given = Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
  const unknownNames = Object.keys(given).filter((name) => !(inputNames as readonly string[]).includes(name));
  const problems = unknownNames.map((property) => ({
    property,
    reason: `unknown property; the properties are ${inputNames.join(", ")}`,
  }));
  const numeric = given.numeric ?? given.number ?? true;
  const defaults = { lower: true, upper: true, special: true, minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0 };
  const inputs = { ...defaults, ...given, numeric, number: numeric };
  return {
    inputs,
    problems: problems.length > 0 || containsUnknown(inputs) ? problems : recipeProblems(recipe(inputs)),
  };
}

/** The properties that a change of makes a new value necessary: every one, as a value is never changed in place. */
export function changedProperties(olds: Properties, news: Properties): readonly string[] {
  const inClear = [reveal(olds), reveal(news)].map((value) => (isProperties(value) ? value : {}));
  return inputNames.filter((name) => !isDeepStrictEqual(inClear[0]?.[name] ?? null, inClear[1]?.[name] ?? null));
}

/** The state of a new resource: its inputs and the value that was made. */
export function createState(type: string, inputs: Properties): { readonly id: string; readonly state: Properties } {
  const secret = isSecretType(type);
  const result = generate(recipe(inputs));
  // A password's id must not be the password; a string's is the string, as with the real plugin.
  return secret
    ? { id: "none", state: { ...inputs, result: new Secret(result) } }
    : { id: result, state: { ...inputs, result } };
}

function recipe(inputs: Properties): Recipe {
  const number = (name: string) => Number(reveal(inputs[name] ?? 0));
  const flag = (name: string) => reveal(inputs[name] ?? true) === true;
  const override: Value = reveal(inputs.overrideSpecial ?? null);
  return {
    length: number("length"),
    lower: flag("lower"),
    upper: flag("upper"),
    numeric: flag("numeric"),
    special: flag("special"),
    minLower: number("minLower"),
    minUpper: number("minUpper"),
    minNumeric: number("minNumeric"),
    minSpecial: number("minSpecial"),
    overrideSpecial: typeof override === "string" && override !== "" ? override : undefined,
  };
}
