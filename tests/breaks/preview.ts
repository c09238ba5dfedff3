import type { Break } from "./break.ts";

const test = "tests/unit/preview.test.ts";

/** What lets a person decide on a pull request by its comment. */
export const breaks: readonly Break[] = [
  {
    promise: "The data of a Secret stands in no preview.",
    file: "cli/preview/shown.ts",
    find: 'if (kind === "Secret" && (first === "data" || first === "stringData")) return true;',
    replace: "",
    test,
    name: "in a Secret's data",
  },
  {
    promise: "A generated password stands in no preview, whatever it is called.",
    file: "cli/preview/shown.ts",
    find: "if (withPassword.test(text) || generated.test(text)) return hidden;",
    replace: "",
    test,
    name: "in a generated word, whatever its name",
  },
  {
    promise: "A run that would throw a volume or a database away is refused.",
    file: "cli/preview/changes.ts",
    find: 'if (change === "delete" && holding.includes(kind) && !kept)',
    replace: 'if (change === "delete" && holding.includes(kind) && kept)',
    test,
    name: "refused when a run would delete a",
  },
  {
    promise: "A mandatory rule that could not be decided does not pass a check.",
    file: "cli/preview/policies.ts",
    find: '(levelOf(rule) ?? "mandatory")',
    replace: "enforcementLevel",
    test,
    name: "refused by what a mandatory policy could not decide",
  },
  {
    promise: "A preview that could not be evaluated is not taken for a good one.",
    file: "cli/preview/read.ts",
    find: "if (failures.length > 0 || exitCode === 0 || refused) return failures;",
    replace: "return failures;",
    test,
    name: "unknown, when it could not be evaluated",
  },
  {
    promise: "Less traffic for a candidate is not read past.",
    file: "cli/preview/render.ts",
    find: "to < from",
    replace: "to > from",
    test,
    name: "less traffic for the candidate in bold",
  },
  {
    promise: "A second run of the same preview edits the comment without noise.",
    file: "cli/preview/policies.ts",
    find: ".sort(byLevelAndName)",
    replace: "",
    test,
    name: "the same text and the same plan",
  },
  {
    promise: "A run that no policy pack judged is not called clear.",
    file: "cli/preview/read.ts",
    find: "run.toBeJudged === true &&",
    replace: "run.toBeJudged === undefined &&",
    test,
    name: "unknown, when the policy pack that was to judge it did not",
  },
];
