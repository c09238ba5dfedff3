import { colours } from "../../applications/application.ts";
import { everywhere } from "../levels.ts";
import { at, type Tree, treesOf } from "../manifest.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { isPublicRoute } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** Both colours of every rule of a split, each with its weight in percent, and the same split in every rule. */
export const routeWeightsSumTo100: ResourceRule = {
  id: "route-weights-sum-to-100",
  summary:
    "A route that splits traffic names both colours in every rule, each with an integer weight, 100 together, the same in every rule.",
  why: "Gateway API reads a missing weight as 1: a candidate that was meant to get nothing gets half of all users.",
  severity: "critical",
  sources: ["S0-63", "S1-46", "argo-rollouts#4569"],
  levels: everywhere,
  example: {
    bad: "backendRefs:\n  - {name: taskflow-backend-blue, port: 80, weight: 100}\n  - {name: taskflow-backend-green, port: 80}",
    good: "backendRefs:\n  - {name: taskflow-backend-blue, port: 80, weight: 100}\n  - {name: taskflow-backend-green, port: 80, weight: 0}",
  },
  judge(subject) {
    if (kindOf(subject) !== "HTTPRoute") return [];
    const rules = treesOf(at(subject.object, "spec", "rules"));
    const first = sharesOf(rules[0] ?? {});
    return rules.flatMap((rule, index) => {
      const path = `spec.rules[${index}].backendRefs`;
      const split = splitOf(rule);
      const names = treesOf(rule.backendRefs).map(({ name }) => String(name));
      // One backend gets all, whatever its weight; without one, that is 1.
      if (split.length === 1 && !isPublicRoute(subject))
        return split[0] === undefined ? [] : weightProblem(`${path}[0].weight`, split[0], 1);
      if (split.length !== 2)
        return [finding(path, `${split.length} of 2 backends`, "one for each colour", "name both colours' Services")];
      if (new Set(names.map(colourOf)).size !== 2 || names.some((name) => colourOf(name) === undefined))
        return [finding(path, names.join(" and "), "one for each colour", "name both colours' Services")];
      const wrong = split.flatMap((weight, at) => weightProblem(`${path}[${at}].weight`, weight));
      if (wrong.length > 0) return wrong;
      const sum = split.reduce<number>((total, weight) => total + Number(weight), 0);
      if (sum !== 100)
        return [
          finding(path, `weights ${split.join(" + ")} = ${sum}`, "100 together", "write percents that sum to 100"),
        ];
      if (sharesOf(rule) !== first)
        return [
          finding(
            path,
            `weights ${sharesOf(rule)}`,
            `${first}, as in rule 0`,
            "write the same split in every rule, or a page meets an API of the other release",
          ),
        ];
      return [];
    });
  },
};

const splitOf = ({ backendRefs }: Tree): readonly unknown[] => treesOf(backendRefs).map(({ weight }) => weight);

/** The colour that a Service is of, by the end of its name. */
const colourOf = (name: string): string | undefined => colours.find((colour) => name.endsWith(`-${colour}`));

/** `blue 90, green 10`: by colour, in whichever order a rule names them. */
const sharesOf = ({ backendRefs }: Tree): string =>
  treesOf(backendRefs)
    .map(({ name, weight }) => `${colourOf(String(name))} ${weight}`)
    .sort()
    .join(", ");

function weightProblem(path: string, weight: unknown, least = 0): readonly Finding[] {
  if (typeof weight === "number" && Number.isInteger(weight) && weight >= least && weight <= 100) return [];
  const found = weight === undefined ? "no weight, which means 1" : `${JSON.stringify(weight)}`;
  return [
    finding(
      path,
      found,
      `an integer from ${least} to 100`,
      least === 0 ? "write the weight, 0 too" : "write weight: 1",
    ),
  ];
}

const finding = (path: string, found: string, wanted: string, fix: string): Finding => ({ path, found, wanted, fix });
