import { type ParseArgsConfig, parseArgs } from "node:util";
import { Failure } from "./failure.ts";
import type { Session } from "./session.ts";

/** One word after `golive`. Its file is loaded only when that word is given. */
export interface Command {
  /** What `--help` prints: one line of what it does, the usage, the options, examples. */
  readonly help: string;
  /** The help of one of its words that has its own, as these arguments name it. Default: `help`. */
  helpOf?(args: readonly string[]): Promise<string>;
  /** Does the work. The number is the exit code; a Failure thrown carries its own. */
  run(args: readonly string[], session: Session): Promise<number>;
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The options of a command, strictly: one that is not known is a Failure that says which are. */
export function parseOptions<const T extends Options>(command: string, args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's message goes on about `--`, which means nothing to most commands; its first sentence is what was got.
    const got = error.message.split(/\. /, 1)[0] ?? error.message;
    const known = Object.keys(options).map((name) => `--${name}`);
    const allowed = known.length > 0 ? `allowed: ${known.join(", ")}` : "it takes no options";
    throw new Failure(`golive ${command}: ${got}; ${allowed}. See: golive ${command} --help`, 2);
  }
}

/** Refuses words that a command has no use for, before it does half of something else. */
export function refusePositionals(command: string, positionals: readonly string[]): void {
  const [first] = positionals;
  if (first !== undefined) {
    throw new Failure(`golive ${command}: got "${first}"; it takes options only. See: golive ${command} --help`, 2);
  }
}
