import { resolve } from "node:path";

/** What golive must know of a Pulumi command line to prepare for it; the engine itself judges the rest. */
export interface PulumiArgs {
  /** `up`, `config`, …; undefined when there is none (`pulumi --version`). */
  readonly command: string | undefined;
  /** The word after the command: `set` in `config set`, a positional elsewhere. */
  readonly subcommand: string | undefined;
  /** As `--stack` or `-s` gives it. */
  readonly stack: string | undefined;
  /** The option that names another working directory, as it was typed. */
  readonly cwd: string | undefined;
  readonly asksForHelp: boolean;
  /** The same arguments, with files that are named relative to the user's directory made absolute. */
  readonly args: readonly string[];
}

const stackFlags = ["--stack", "-s"];
const cwdFlags = ["--cwd", "-C"];
const pathFlags = ["--file", "--save-plan", "--plan", "--policy-pack", "--policy-pack-config", "--config-file"];
// Flags whose next word is their value, not a command. Flags that only stand after the command's words need not be here.
const valueFlags = ["--color", "--memprofilerate", "--otel-traces", "--profiling", "--tracing", "--verbose", "-v"];

/** Reads a Pulumi command line. `directory` is where the user stands; the engine will stand elsewhere. */
export function readPulumiArgs(given: readonly string[], directory: string): PulumiArgs {
  const words: string[] = [];
  const args: string[] = [];
  let stack: string | undefined;
  let cwd: string | undefined;
  let asksForHelp = false;

  for (let index = 0; index < given.length; index++) {
    const argument = given[index] ?? "";
    if (argument === "--") {
      args.push(...given.slice(index));
      break;
    }
    if (!argument.startsWith("-")) {
      words.push(argument);
      args.push(argument);
      continue;
    }
    const [flag, attached] = splitFlag(argument);
    const takesValue = [...stackFlags, ...cwdFlags, ...pathFlags, ...valueFlags].includes(flag);
    const next = given[index + 1];
    const value = attached ?? (takesValue ? next : undefined);
    if (takesValue && attached === undefined && next !== undefined) index++;

    if (stackFlags.includes(flag)) stack = value;
    if (cwdFlags.includes(flag)) cwd = argument;
    if (flag === "--help" || flag === "-h") asksForHelp = true;
    if (pathFlags.includes(flag) && value !== undefined) args.push(`${flag}=${resolve(directory, value)}`);
    else if (takesValue && attached === undefined && value !== undefined) args.push(argument, value);
    else args.push(argument);
  }
  return { command: words[0], subcommand: words[1], stack, cwd, asksForHelp, args };
}

/** `--stack=local` and `-slocal` into the flag and what is attached to it. */
function splitFlag(argument: string): readonly [string, string | undefined] {
  const equals = argument.indexOf("=");
  if (equals > 0) return [argument.slice(0, equals), argument.slice(equals + 1)];
  const short = argument.slice(0, 2);
  const attaches =
    !argument.startsWith("--") && argument.length > 2 && [...stackFlags, ...cwdFlags, "-v"].includes(short);
  return attaches ? [short, argument.slice(2)] : [argument, undefined];
}
