import { randomInt } from "node:crypto";

/** What a generated string is made of, with every default filled in. */
export interface Recipe {
  readonly length: number;
  readonly lower: boolean;
  readonly upper: boolean;
  readonly numeric: boolean;
  readonly special: boolean;
  readonly minLower: number;
  readonly minUpper: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  /** Used in place of the usual special characters, when given. */
  readonly overrideSpecial: string | undefined;
}

const letters = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const specials = "!@#$%&*()-_=+[]{}<>:?";

/** What is wrong with a recipe, by property; nothing when a string can be made of it. */
export function recipeProblems(recipe: Recipe): readonly { property: string; reason: string }[] {
  const problems: { property: string; reason: string }[] = [];
  const least = recipe.minLower + recipe.minUpper + recipe.minNumeric + recipe.minSpecial;
  if (!Number.isInteger(recipe.length) || recipe.length < 1) {
    problems.push({ property: "length", reason: `got ${recipe.length}; it must be a whole number of at least 1` });
  }
  if (recipe.length < least) {
    problems.push({
      property: "length",
      reason: `got ${recipe.length}; it must be at least ${least}, the sum of minLower, minUpper, minNumeric and minSpecial`,
    });
  }
  if (!(recipe.lower || recipe.upper || recipe.numeric || recipe.special)) {
    problems.push({ property: "lower", reason: "one of lower, upper, numeric and special must be true" });
  }
  return problems;
}

/** A string by the recipe, from the system's cryptographic random source. */
export function generate(recipe: Recipe): string {
  const special = recipe.overrideSpecial ?? specials;
  const allowed = [
    recipe.lower ? letters : "",
    recipe.upper ? letters.toUpperCase() : "",
    recipe.numeric ? digits : "",
    recipe.special ? special : "",
  ].join("");
  const demanded = [
    ...pick(letters, recipe.minLower),
    ...pick(letters.toUpperCase(), recipe.minUpper),
    ...pick(digits, recipe.minNumeric),
    ...pick(special, recipe.minSpecial),
  ];
  return shuffled([...demanded, ...pick(allowed, recipe.length - demanded.length)]).join("");
}

function pick(from: string, count: number): readonly string[] {
  return Array.from({ length: count }, () => from.charAt(randomInt(from.length)));
}

// The demanded characters would otherwise always stand in front.
function shuffled(characters: readonly string[]): readonly string[] {
  const left = [...characters];
  const result: string[] = [];
  while (left.length > 0) result.push(...left.splice(randomInt(left.length), 1));
  return result;
}
