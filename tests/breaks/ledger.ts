import type { Break } from "./break.ts";

const ledger = "tests/unit/ledger.test.ts";
const drafts = "tests/unit/ledger-drafts.test.ts";
const deployment = "tests/unit/ledger-deployment.test.ts";
const command = "tests/unit/ledger-command.test.ts";
const origin = "tests/unit/ledger-origin.test.ts";

/** What the ledger promises: nothing is lost, nothing is changed unseen, and it says what really happened. */
export const breaks: readonly Break[] = [
  {
    promise: "A byte that was changed is found, also where it changes no value.",
    file: "rollout/ledger/chain.ts",
    find: "if (canonicalJson(raw) !== text) problems.push",
    replace: "if (text.length === 0) problems.push",
    test: ledger,
    name: "shows one byte more or less",
  },
  {
    promise: "A record that was rewritten with a right hash is found.",
    file: "rollout/ledger/chain.ts",
    find: "last.hash === undefined || before === last.hash",
    replace: 'last.hash === undefined || before !== ""',
    test: ledger,
    name: "shows a record that was rewritten with a right hash",
  },
  {
    promise: "A record that was taken away from the end is found, also after the next one.",
    file: "rollout/ledger/store.ts",
    find: "...(head ? [head] : [])",
    replace: "...(head && last === undefined ? [head] : [])",
    test: ledger,
    name: "shows that the newest was taken away",
  },
  {
    promise: "A head that was noted elsewhere finds a ledger that was made anew.",
    file: "rollout/ledger/chain.ts",
    find: "else if (standing !== hash)",
    replace: "else if (standing.length !== hash.length)",
    test: ledger,
    name: "shows a ledger that was made anew",
  },
  {
    promise: "Of two who write at once nobody overwrites the other.",
    file: "rollout/ledger/store.ts",
    find: "if (answer.status !== 409 || round >= maxRounds)",
    replace: "if (answer.status !== 410 || round >= maxRounds)",
    test: ledger,
    name: "loses nobody's record when many write at once",
  },
  {
    promise: "An answer that got lost does not make two records of one.",
    file: "rollout/ledger/store.ts",
    find: "if (mine) return mine;",
    replace: "if (mine && round > maxRounds) return mine;",
    test: ledger,
    name: "does not write twice when the answer got lost",
  },
  {
    promise: "A ConfigMap never grows beyond what the API server takes.",
    file: "rollout/ledger/pages.ts",
    find: "export const pageBytes = 700 * 1024;",
    replace: "export const pageBytes = 7000 * 1024;",
    test: ledger,
    name: "begins a page before a ConfigMap is full",
  },
  {
    promise: "A gate that met NaN is shown to have met NaN.",
    file: "rollout/ledger/record.ts",
    find: 'if (typeof value === "number" && !Number.isFinite(value)) return',
    replace: 'if (typeof value === "number" && value === Infinity) return',
    test: ledger,
    name: "has one text, that any other program",
  },
  {
    promise: "A step whose up was killed before the ledger is written down by the next.",
    file: "rollout/ledger/record-run.ts",
    find: "if (missing) await",
    replace: 'if (missing?.kind === "trip") await',
    test: drafts,
    name: "is written before a run's own record",
  },
  {
    promise: "A pause or a refusal is not taken for a move of the route.",
    file: "rollout/ledger/drafts.ts",
    find: "const writesRoute = (kind: Kind) => !aside.some((each) => each === kind);",
    replace: "const writesRoute = (kind: Kind) => kind !== aside[0];",
    test: drafts,
    name: "is nothing when the route stands where the newest step left it",
  },
  {
    promise: "A broken record keeps no later one from being written.",
    file: "rollout/ledger/read.ts",
    find: "  const { pages } = await readPages(api, place);\n  return recordsOf(pages);",
    replace: "  return readLedger(api, place);",
    test: drafts,
    name: "keeps no record from being written",
  },
  {
    promise: "A return to the release before counts as the rollback that it is.",
    file: "rollout/ledger/deployment.ts",
    find: 'kind === "up" || kind === "override" || kind === "found";',
    replace: 'kind === "up" || kind === "override" || kind === "found" || kind === "return";',
    test: deployment,
    name: "was rolled back also when the release before it gets everything again",
  },
  {
    promise: "A broken chain ends the command with 1, in every form.",
    file: "cli/rollout/record.ts",
    find: "if (problems.length === 0) return 0;",
    replace: 'if (problems.length === 0 || plan.form !== "verify") return 0;',
    test: command,
    name: "ends with 1 and says what is wrong",
  },
  {
    promise: "A ledger that is not there is never taken for one that is whole.",
    file: "cli/rollout/record.ts",
    find: "if (pages.length === 0)",
    replace: 'if (pages.length === 0 && plan.form === "text")',
    test: command,
    name: "never takes a ledger that is not there",
  },
  {
    promise: "Nobody's text becomes a part of the page that a deployment record is.",
    file: "rollout/ledger/markdown.ts",
    find: ".replace(/[\\\\|<>`*_[\\]]/g,",
    replace: ".replace(/[\\\\|]/g,",
    test: deployment,
    name: "is Markdown with its steps",
  },
  {
    promise: "A checkout with other files than its commit is called dirty.",
    file: "rollout/ledger/origin.ts",
    find: '"text" in changes && changes.text === ""',
    replace: '"text" in changes',
    test: origin,
    name: "is the checkout's, and is called dirty",
  },
];
