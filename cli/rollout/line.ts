import { parseOptions } from "../command.ts";
import { Failure } from "../failure.ts";
import { changeableStack } from "../workspace.ts";

const options = {
  stack: { type: "string", default: changeableStack },
  json: { type: "boolean", default: false },
  to: { type: "string" },
  "on-conflict": { type: "string" },
  commit: { type: "boolean", default: false },
  patience: { type: "string" },
  reason: { type: "string" },
} as const;

const writes = ["on-conflict", "commit"];
const walks = [...writes, "to", "patience"];

/** The words that the driver itself knows, what each takes beside --stack and --json, and its operand. */
const words = {
  start: { options: walks, operand: undefined },
  resume: { options: walks, operand: undefined },
  step: { options: writes, operand: "a percentage" },
  pause: { options: ["reason"], operand: undefined },
  status: { options: [], operand: undefined },
  watch: { options: [], operand: undefined },
  promote: { options: writes, operand: undefined },
  retire: { options: writes, operand: undefined },
} as const satisfies Readonly<Record<string, { options: readonly string[]; operand: string | undefined }>>;

export type Word = keyof typeof words;
export const driverWords = Object.keys(words) as readonly Word[];

/** What one `golive rollout` of the driver's own words is to do. */
export interface RolloutLine {
  readonly word: Word;
  readonly stack: string;
  /** The result as one line of JSON. */
  readonly json: boolean;
  /** The percentage to walk or step to; undefined: the top of the ladder, or its next rung. */
  readonly to: number | undefined;
  /** What happens where another driver, or another `up`, is at work. */
  readonly onConflict: "wait" | "fail";
  /** Each change of the stack's file is committed before its `up`. */
  readonly commit: boolean;
  /** Seconds that the gate may hold on one rung beyond its soak. */
  readonly patienceSeconds: number;
  readonly reason: string;
}

const refuse = (word: string, problem: string) =>
  new Failure(`golive rollout ${word}: ${problem}. See: golive rollout --help`, 2);

/** Reads the command line after `golive rollout WORD`. A Failure says what was got and what is allowed. */
export function lineOf(word: Word, args: readonly string[]): RolloutLine {
  const { values, positionals } = parseOptions(`rollout ${word}`, args, options);
  const rule = words[word];
  const taken: readonly string[] = ["stack", "json", ...rule.options];
  const stray = Object.entries(values).find(
    ([name, value]) => value !== undefined && value !== false && !taken.includes(name),
  );
  if (stray !== undefined)
    throw refuse(word, `got --${stray[0]}; allowed: ${taken.map((name) => `--${name}`).join(", ")}`);
  const [operand, ...more] = positionals;
  const strayOperand = rule.operand === undefined ? operand : more[0];
  if (strayOperand !== undefined)
    throw refuse(word, `got "${strayOperand}"; allowed: ${rule.operand ?? "options"} only`);
  const conflict = values["on-conflict"] ?? "wait";
  if (conflict !== "wait" && conflict !== "fail")
    throw refuse(word, `--on-conflict: got "${conflict}"; allowed: wait, fail`);
  const reason = (values.reason ?? "").trim();
  if (word === "pause" && reason === "")
    throw refuse(word, "--reason: got nothing; allowed: why, in a few words, for whoever finds it paused");
  const to = values.to ?? operand;
  return {
    word,
    stack: values.stack,
    json: values.json,
    to: to === undefined ? undefined : percentage(word, to),
    onConflict: conflict,
    commit: values.commit,
    patienceSeconds: 60 * minutes(word, values.patience ?? "240"),
    reason,
  };
}

function percentage(word: Word, text: string): number {
  const value = Number(text);
  if (/^[0-9]{1,3}$/.test(text) && value <= 100) return value;
  throw refuse(word, `got "${text}"; allowed: a percentage, 0 or a rung of the ladder`);
}

function minutes(word: Word, text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= 10_080) return value;
  throw refuse(word, `--patience: got "${text}"; allowed: minutes, 1 to 10080`);
}
