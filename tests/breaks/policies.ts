import type { Break } from "./break.ts";

/** What no stack may be. */
export const breaks: readonly Break[] = [
  {
    promise: "A route with a missing weight, which sends half of all users to the candidate, is refused.",
    file: "policies/traffic/route-weights-sum-to-100.ts",
    find: 'weight === undefined ? "no weight, which means 1"',
    replace: 'weight === undefined ? "a weight"',
    test: "tests/policy/traffic.test.ts",
    name: "objects to a missing weight",
  },
  {
    promise: "No finding quotes the credential that it found.",
    file: "policies/secrets/no-credentials-in-pods.ts",
    find: "credentialForm(value) ??",
    replace: "value ??",
    test: "tests/policy/secrets.test.ts",
    name: "objects to a credential by its name, its form and its randomness",
  },
  {
    promise: "An exemption ends with its last day.",
    file: "policies/exemptions.ts",
    find: "expires < today",
    replace: "expires === today",
    test: "tests/policy/exemptions.test.ts",
    name: "lets one rule pass on one resource",
  },
  {
    promise: "An exemption that exempts nothing is a violation.",
    file: "policies/exemptions.ts",
    find: "!judgements.some((judgement) => covers(exemption, judgement))",
    replace: "judgements.length < 0",
    test: "tests/policy/exemptions.test.ts",
    name: "is a violation itself when it exempts nothing",
  },
  {
    promise: "What holds data is protected in production.",
    file: "policies/stores/data-is-protected.ts",
    find: ".filter(({ protect }) => !protect)",
    replace: ".filter(({ protect }) => protect)",
    test: "tests/policy/stores.test.ts",
    name: "objects to everything with data in it",
  },
  {
    promise: "A port of a Service that no pod has is refused.",
    file: "policies/traffic/services-select-pods.ts",
    find: "!hasPort(run, target)",
    replace: "hasPort(run, target) === undefined",
    test: "tests/policy/traffic.test.ts",
    name: "objects to a Service whose requests nobody answers",
  },
];
