import { containsSecret, isProperties, type Properties, Secret, type Value } from "../rpc/properties.ts";
import { kindOf } from "./json.ts";

/**
 * Marks in `outputs` what is secret in `inputs`, and what is secret by its nature: the contents of a Secret.
 * A list with a secret in it becomes secret as a whole, as its elements may come back in another order.
 */
export function markSecrets(outputs: Properties, inputs: Properties): Properties {
  const result: Record<string, Value> = { ...outputs };
  if (kindOf(outputs) === "Secret") {
    for (const field of ["data", "stringData"]) {
      const contents = result[field];
      if (contents !== undefined && !(contents instanceof Secret)) result[field] = new Secret(contents);
    }
  }
  for (const [key, input] of Object.entries(inputs)) {
    const output = result[key];
    if (output === undefined || output instanceof Secret) continue;
    if (isProperties(output) && isProperties(input)) result[key] = markSecrets(output, input);
    else if (containsSecret(input)) result[key] = new Secret(output);
  }
  return result;
}
