import { nearest } from "../settings/nearest.ts";
import type { Command } from "./command.ts";
import { Failure } from "./failure.ts";
import { driverWords, lineOf, type RolloutLine, type Word } from "./rollout/line.ts";
import type { Session } from "./session.ts";

type Work = (line: RolloutLine, session: Session) => Promise<number>;

// Each word is loaded only when asked for: `abort --now` must not pay for the rest.
const driven: Readonly<Record<Word, () => Promise<Work>>> = {
  start: async () => (await import("./rollout/start.ts")).start,
  resume: async () => (await import("./rollout/resume.ts")).resume,
  step: async () => (await import("./rollout/step.ts")).step,
  pause: async () => (await import("./rollout/pause.ts")).pause,
  status: async () => (await import("./rollout/status.ts")).status,
  watch: async () => (await import("./rollout/watch.ts")).watch,
  promote: async () => (await import("./rollout/promote.ts")).promote,
  retire: async () => (await import("./rollout/retire.ts")).retire,
};

/** Words with a command line of their own. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  preflight: async () => (await import("./rollout/preflight.ts")).preflightCommand,
  smoke: async () => (await import("./rollout/smoke.ts")).smoke,
  abort: async () => (await import("./rollout/abort.ts")).abort,
  clear: async () => (await import("./rollout/clear.ts")).clear,
  record: async () => (await import("./rollout/record.ts")).record,
};

export const rollout: Command = {
  help: `
golive rollout: walks a release up its ladder, watches it, and takes it back.

Usage: golive rollout WORD [--stack STACK] [--json] [options]

  start [--to PERCENT]   walk the candidate up: gate, step, soak, next; a release that fails goes to 0, and this ends with 1
  resume [--to PERCENT]  take a pause back; go on where a walk was stopped or killed
  pause --reason WHY     hold every walk where it is; ways down go on
  step [PERCENT]         one step: the next rung, any lower one, or 0; without waiting for soak or gate
  status                 rung, soak, shares, counts of both colours, verdict, the ledger's tail, what would be next
  watch                  the same, live; after 100 % by the cadence of the first 24 hours; moves nothing
  promote                after 24 h at 100 %: the candidate is the stable one, the other colour the next candidate
  retire                 after 24 h: drain and stop the colour at 0, take a last backup
  preflight, smoke, abort, clear, record   golive rollout WORD --help

  --stack STACK          default: local
  --json                 the result as one line of JSON
  --on-conflict MODE     another driver, or another pulumi up: wait (default) or fail
  --commit               commit each change of Pulumi.STACK.yaml before its pulumi up (with PULUMI_BACKEND_URL)
  --patience MINUTES     how long the gate may hold on one rung beyond its soak; default: 240

The state is the cluster and Pulumi.STACK.yaml, nothing else: a driver that is killed is followed by "resume" from anywhere.
Exit codes: 0 as asked; 1 refused, rolled back, held or stopped; 2 the command line or the stack's file is not right.

Examples:
  golive rollout start --stack production --commit
  golive rollout step 0 --stack production
  golive rollout status --stack staging --json
`,
  async helpOf([word = ""]) {
    const load = Object.hasOwn(commands, word) ? commands[word] : undefined;
    return load === undefined ? rollout.help : (await load()).help;
  },
  async run([word, ...args], session) {
    const own = driverWords.find((each) => each === word);
    if (own !== undefined) return (await driven[own]())(lineOf(own, args), session);
    const load = word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (load !== undefined) return (await load()).run(args, session);
    const known = [...driverWords, ...Object.keys(commands)];
    const meant = word === undefined ? undefined : nearest(word, known);
    const hint = meant === undefined ? `allowed: ${known.join(", ")}.` : `did you mean ${meant}?`;
    throw new Failure(
      `golive rollout: got ${word === undefined ? "nothing" : `"${word}"`}; ${hint} See: golive rollout --help`,
      2,
    );
  },
};
