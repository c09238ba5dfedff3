import { isProperties } from "../../rpc/properties.ts";
import { annotation, type KubeObject, numberAt, textAt } from "../json.ts";
import { parseJsonPath } from "./json-path.ts";
import { conditionOf, conditionProblem, isReady, observed, type Readiness, waiting } from "./readiness.ts";

type Expectation = (object: KubeObject) => Readiness;

/** The readiness that an object's own annotation `pulumi.com/waitFor` asks for; undefined when it has none. */
export function askedReadiness(object: KubeObject): Expectation | undefined {
  const text = annotation(object, "pulumi.com/waitFor");
  if (text === "") return undefined;
  const expectations = expressions(text).map(expectation);
  return (live) => {
    const open = expectations.map((it) => it(live)).filter((it) => !it.ready);
    if (open.length === 0) return isReady;
    return waiting(
      open.map((it) => it.progress).join("; "),
      open.flatMap((it) => it.problems),
    );
  };
}

function expressions(text: string): readonly string[] {
  if (!text.trim().startsWith("[")) return [text];
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.length > 0 && list.every((it) => typeof it === "string")) return list;
  throw new Error(`pulumi.com/waitFor: got ${text}; a JSON array must hold one or more strings`);
}

function expectation(text: string): Expectation {
  if (text.startsWith("jsonpath=")) return expectPath(text.slice("jsonpath=".length));
  if (text.startsWith("condition=")) return expectCondition(text.slice("condition=".length));
  throw new Error(`pulumi.com/waitFor: got "${text}"; it starts with "jsonpath=" or "condition="`);
}

function expectPath(text: string): Expectation {
  // A single = outside of the braces parts the path from the value; the filters inside are written with ==.
  const [, inside, rest = ""] = /^\{(.*)\}(.*)$/.exec(text.trim()) ?? [];
  if (inside === undefined || (rest !== "" && !/^=./.test(rest))) {
    throw new Error(
      `pulumi.com/waitFor: got "jsonpath=${text}"; the form is jsonpath={.path} or jsonpath={.path}=value`,
    );
  }
  const path = parseJsonPath(inside);
  const wanted = rest === "" ? undefined : rest.slice(1);
  return (object) => {
    const [found] = path.select(object);
    if (wanted === undefined) return found === undefined ? waiting(`waiting for {${inside}}`) : isReady;
    if (isProperties(found) || Array.isArray(found)) {
      throw new Error(`pulumi.com/waitFor: {${inside}} is an object or a list, and is never equal to "${wanted}"`);
    }
    const shown = found === undefined ? "nothing" : `"${String(found)}"`;
    return String(found) === wanted ? isReady : waiting(`waiting for {${inside}} to be "${wanted}": it is ${shown}`);
  };
}

function expectCondition(text: string): Expectation {
  const [type = "", wanted = "True"] = text.split("=");
  return (object) => {
    const condition = conditionOf(object, type);
    const generation = numberAt(condition, "observedGeneration") ?? numberAt(object, "status", "observedGeneration");
    // A condition of an older generation speaks of what was before.
    const stale = generation !== undefined && generation < (numberAt(object, "metadata", "generation") ?? 0);
    const status = textAt(condition, "status");
    if (!stale && status.toLowerCase() === wanted.toLowerCase()) return isReady;
    const shown = condition === undefined ? "not there" : stale ? "of an older generation" : status;
    return waiting(
      `waiting for condition ${type} to be ${wanted}: it is ${shown}`,
      observed(object) ? conditionProblem(condition) : [],
    );
  };
}
