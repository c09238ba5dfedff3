import { parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";

/** The stack that a command line names. There is no default: what runs unattended names what it works on. */
export function stackOf(command: string, args: readonly string[]): string {
  const { values, positionals } = parseOptions(`delivery ${command}`, args, { stack: { type: "string" } });
  refusePositionals(`delivery ${command}`, positionals);
  return required(command, "stack", values.stack);
}

/** @throws Failure when an option that has no default was not given. */
export function required(command: string, option: string, value: string | undefined): string {
  if (value !== undefined && value !== "") return value;
  throw new Failure(`golive delivery ${command}: --${option}: got nothing. See: golive delivery ${command} --help`, 2);
}
