import type { Break } from "./break.ts";

const workflows = "tests/unit/workflows.test.ts";
const promotion = "tests/unit/delivery-promotion.test.ts";
const published = "tests/unit/delivery-publish.test.ts";
const found = "tests/unit/delivery-findings.test.ts";

/** What the way from a pull request to production promises. */
export const breaks: readonly Break[] = [
  {
    promise: "An up is never cancelled half way.",
    file: ".github/workflows/deliver.yml",
    find: "      group: up-production\n      cancel-in-progress: false",
    replace: "      group: up-production\n      cancel-in-progress: true",
    test: workflows,
    name: "deliver/production is never cancelled",
  },
  {
    promise: "A fork's pull request gets no preview: it would run its code with our identity.",
    file: ".github/workflows/preview.yml",
    find: "github.event.pull_request.head.repo.full_name == github.repository && ",
    replace: "",
    test: workflows,
    name: "never run a stranger's code with rights",
  },
  {
    promise: "Production takes only images that staging has proven (S2-28).",
    file: "cli/delivery/evidence.ts",
    find: "known.releases.some(({ digests }) => digests[service] === digest)",
    replace: "known.releases.length > 0",
    test: promotion,
    name: "is refused, image by image, when an image comes from nowhere",
  },
  {
    promise: "A release that was tripped is no evidence for the next stack.",
    file: "cli/delivery/evidence.ts",
    find: "[...tombstones, ...told.outdated].includes(release)",
    replace: "told.outdated.includes(release)",
    test: promotion,
    name: "is never a release that was tripped since",
  },
  {
    promise: "A job that was overtaken while it waited takes no stack back.",
    file: ".github/workflows/deliver.yml",
    find: "        run: ./golive delivery latest --stack production",
    replace: "        run: ./golive check",
    test: workflows,
    name: "deliver/production is never cancelled",
  },
  {
    promise: "What a cancelled or overtaken run would have delivered is delivered by a later one.",
    file: ".github/workflows/deliver.yml",
    find: ' --base "$BASE" --undelivered',
    replace: ' --base "$BASE"',
    test: workflows,
    name: "counts every commit since the last green run",
  },
  {
    promise: "What a commit did and a later one undid, neither delivered for sure, counts.",
    file: "cli/delivery/stacks.ts",
    find: "await git(root, ...log,",
    replace: 'await git(root, "diff", "--name-only", "-z",',
    test: "tests/unit/delivery-stacks.test.ts",
    name: "counts where a later commit undid it",
  },
  {
    promise: "A stack whose preview or scan was skipped does not pass for judged.",
    file: "cli/delivery/complete.ts",
    find: '(result === "skipped" && nothingToDo)',
    replace: 'result === "skipped"',
    test: workflows,
    name: "golive delivery complete",
  },
  {
    promise: "A comment of an earlier run does not stand as if it were of this commit.",
    file: "cli/delivery/publish.ts",
    find: '(await keptReport("preview", stack)) ?? unevaluated(stack)',
    replace: '(await keptReport("preview", stack)) ?? ""',
    test: published,
    name: "takes back what an earlier run said",
  },
  {
    promise: "A second run edits its comment, and never another's.",
    file: "cli/delivery/github.ts",
    find: "user?.login === this.#author && ",
    replace: "",
    test: published,
    name: "never edits a comment of somebody else that carries our mark",
  },
  {
    promise: "An audit that could not ask is no pass (S4-11).",
    file: "cli/delivery/audit.ts",
    find: "if (report?.vulnerabilities === undefined)",
    replace: "if (report === null)",
    test: found,
    name: "that could not ask is no pass",
  },
  {
    promise: "A vulnerability is accepted for a while only.",
    file: "cli/delivery/findings.ts",
    find: '(entryOf(finding)?.until ?? "") >= today',
    replace: "entryOf(finding) !== undefined",
    test: found,
    name: "may be accepted until a day, that day included, and not after it",
  },
  {
    promise: "A preview's identity cannot reach the database.",
    file: ".github/cluster/roles.yaml",
    find: "    resources: [configmaps, pods]",
    replace: "    resources: [configmaps, pods, secrets]",
    test: "tests/unit/delivery-roles.test.ts",
    name: "show a preview no Secret",
  },
];
