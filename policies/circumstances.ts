import { type Environment, environments } from "../applications/application.ts";
import type { Surroundings } from "./rule.ts";

/** The variable that tells the pack about the stack it judges: the engine gives a pack no configuration. */
export const circumstancesVariable = "GOLIVE_POLICY_STACK";

/** What the pack has to know of the stack. */
export interface Circumstances extends Surroundings {
  /** As they stand in the stack's configuration. Parsed by whoever applies them. */
  readonly exemptions: unknown;
}

/**
 * Reads what `./golive` tells the pack. Without it the pack judges by production's levels and exempts nothing: whoever forgets to tell
 * is refused too much, never too little.
 * @throws Error when it is told something else than JSON with an environment.
 */
export function circumstancesOf(variables: Readonly<Record<string, string | undefined>>): Circumstances {
  const { [circumstancesVariable]: text } = variables;
  if (text === undefined || text === "") return { environment: "production", exemptions: [] };
  const told: unknown = JSON.parse(text);
  const { environment, exemptions } = told as { environment?: unknown; exemptions?: unknown };
  if (!isEnvironment(environment)) {
    throw new Error(
      `${circumstancesVariable}: got environment ${JSON.stringify(environment)}; allowed: ${environments.join(", ")}`,
    );
  }
  return { environment, exemptions: exemptions ?? [] };
}

const isEnvironment = (value: unknown): value is Environment => environments.some((known) => known === value);
