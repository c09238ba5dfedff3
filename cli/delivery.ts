import { nearest } from "../settings/nearest.ts";
import type { Command } from "./command.ts";
import { Failure } from "./failure.ts";

/** Each word has a file of its own, loaded only when it is asked for. */
const words: Readonly<Record<string, () => Promise<Command>>> = {
  stacks: async () => (await import("./delivery/stacks.ts")).stacks,
  login: async () => (await import("./delivery/login.ts")).login,
  token: async () => (await import("./delivery/login.ts")).token,
  latest: async () => (await import("./delivery/latest.ts")).latest,
  preview: async () => (await import("./delivery/preview.ts")).preview,
  up: async () => (await import("./delivery/up.ts")).up,
  promote: async () => (await import("./delivery/promote.ts")).promote,
  evidence: async () => (await import("./delivery/evidence.ts")).evidence,
  promoted: async () => (await import("./delivery/evidence.ts")).promoted,
  drift: async () => (await import("./delivery/drift.ts")).drift,
  complete: async () => (await import("./delivery/complete.ts")).complete,
  publish: async () => (await import("./delivery/publish.ts")).publish,
  audit: async () => (await import("./delivery/audit.ts")).audit,
  images: async () => (await import("./delivery/images.ts")).images,
};

export const delivery: Command = {
  help: `
golive delivery: what the workflows in .github/workflows do, each step as a command that also runs on your machine.

Usage: golive delivery WORD [options]

  stacks      which stacks a change concerns
  login       a kubeconfig and a cloud identity from the job's own short-lived token; there is no secret to keep
  token       that identity, as a Kubernetes client asks for it: what the kubeconfig calls
  latest      refuse a commit that a newer one has overtaken
  preview     the preview of a stack as a report for its pull request
  up          pulumi up with the policy pack, the identity kept fresh meanwhile
  evidence    which images a stack has proven at 100 %, by digest
  promoted    refuse a release that the evidence does not have and the stack does not run yet
  promote     write the images that one stack has proven into the next one's file
  drift       what is live and not as the stack last left it
  complete    one check with a fixed name for the jobs of all stacks
  publish     a report as a comment on a pull request, or drift as an issue; edited, never repeated
  audit       known vulnerabilities of the npm packages
  images      known vulnerabilities of the images that a stack names

  golive delivery WORD --help

How they fit together: docs/delivery.md
`,
  async helpOf([word = ""]) {
    const load = Object.hasOwn(words, word) ? words[word] : undefined;
    return load === undefined ? delivery.help : (await load()).help;
  },
  async run([word, ...args], session) {
    const load = word !== undefined && Object.hasOwn(words, word) ? words[word] : undefined;
    if (load !== undefined) return (await load()).run(args, session);
    const known = Object.keys(words);
    const meant = word === undefined ? undefined : nearest(word, known);
    const hint = meant === undefined ? `allowed: ${known.join(", ")}` : `did you mean ${meant}?`;
    throw new Failure(`golive delivery: got ${word === undefined ? "nothing" : `"${word}"`}; ${hint}`, 2);
  },
};
