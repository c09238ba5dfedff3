import { nearest } from "../../settings/nearest.ts";
import { parseOptions } from "../command.ts";
import { Failure } from "../failure.ts";
import { changeableStack } from "../workspace.ts";

const options = {
  stack: { type: "string", default: changeableStack },
  json: { type: "boolean", default: false },
  timeout: { type: "string", default: "60" },
  "dry-run": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  "from-dump": { type: "string" },
  tasks: { type: "string" },
} as const;

/** Options that every word takes. */
const common = ["stack", "json", "timeout"];

/** The words, the options that each takes beside the common ones, and the most operands. */
const words = {
  status: { options: [], operands: 0 },
  verify: { options: [], operands: 0 },
  migrate: { options: ["dry-run"], operands: 0 },
  backup: { options: [], operands: 0 },
  restore: { options: ["list", "yes"], operands: 1 },
  drill: { options: [], operands: 0 },
  seed: { options: ["from-dump", "tasks", "yes"], operands: 0 },
} as const satisfies Readonly<Record<string, { readonly options: readonly string[]; readonly operands: number }>>;

export type Word = keyof typeof words;

/** What one `golive database` is to do. */
export interface Plan {
  readonly word: Word;
  /** What the program gets after its command word. */
  readonly args: readonly string[];
  readonly stack: string;
  /** The result as JSON instead of tables. */
  readonly json: boolean;
  /** Nobody is asked before data is replaced. */
  readonly yes: boolean;
  /** What takes the place of the rows in the database, in words; undefined: they stay. */
  readonly replacement: string | undefined;
  /** Seconds after which the cluster ends it. */
  readonly seconds: number;
}

const refuse = (word: string, problem: string) =>
  new Failure(`golive database${word === "" ? "" : ` ${word}`}: ${problem}. See: golive database --help`, 2);

/** Reads the command line of `golive database`. A Failure says what was got and what is allowed. */
export function planOf(commandLine: readonly string[]): Plan {
  const { values, positionals } = parseOptions("database", commandLine, options);
  const [first, ...operands] = positionals;
  const word = wordOf(first);
  const rule = words[word];
  const taken: readonly string[] = [...common, ...rule.options];
  const given = Object.entries(values).filter(([name, value]) => value !== undefined && value !== false && name !== "");
  const stray = given.find(([name]) => !taken.includes(name));
  if (stray !== undefined)
    throw refuse(word, `got --${stray[0]}; allowed: ${taken.map((name) => `--${name}`).join(", ")}`);
  if (operands.length > rule.operands) {
    throw refuse(
      word,
      `got "${operands.join(" ")}"; allowed: ${rule.operands === 0 ? "options only" : "the name of one backup"}`,
    );
  }
  if (word === "migrate" && !values["dry-run"]) {
    throw refuse(word, "only --dry-run is allowed here: migrations run in pulumi up, after a verified backup");
  }
  const dump = values["from-dump"];
  if (dump !== undefined && values.tasks !== undefined)
    throw refuse(word, "got --from-dump and --tasks; allowed: one of them");
  if (word === "seed" && dump === undefined && values.yes)
    throw refuse(word, "--yes: nothing is asked without --from-dump");
  if (values.list && (operands.length > 0 || values.yes)) throw refuse(word, "--list goes alone: it restores nothing");
  return {
    word,
    args: [
      ...operands.map((name) => backupName(word, name)),
      ...(values["dry-run"] ? ["--dry-run"] : []),
      ...(values.list ? ["--list"] : []),
      ...(dump === undefined ? [] : ["--from-dump", backupName(word, dump)]),
      ...(values.tasks === undefined ? [] : ["--tasks", String(integer(word, "tasks", values.tasks, 2_000_000))]),
    ],
    stack: values.stack,
    json: values.json,
    yes: values.yes,
    replacement: replacementOf(word, values.list, dump ?? operands[0]),
    seconds: integer(word, "timeout", values.timeout, 24 * 60) * 60,
  };
}

function replacementOf(word: Word, list: boolean, backup: string | undefined): string | undefined {
  if (word === "seed" && backup !== undefined) return `the masked rows of the backup ${backup}`;
  if (word !== "restore" || list) return undefined;
  return backup === undefined ? "its newest backup" : `the backup ${backup}`;
}

function wordOf(given: string | undefined): Word {
  const known = Object.keys(words);
  const found = known.find((word) => word === given) as Word | undefined;
  if (found !== undefined) return found;
  const meant = given === undefined ? undefined : nearest(given, known);
  const hint = meant === undefined ? `allowed: ${known.join(", ")}` : `did you mean ${meant}?`;
  throw refuse("", `got ${given === undefined ? "nothing" : `"${given}"`}; ${hint}`);
}

function backupName(word: Word, name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw refuse(word, `got "${name}"; allowed: the name of a backup, as golive database restore --list prints it`);
}

function integer(word: Word, option: string, text: string, most: number): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= most) return value;
  throw refuse(word, `--${option}: got "${text}"; allowed: 1 to ${most}`);
}
