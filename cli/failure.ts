/**
 * Something a person can put right: its message is printed without a stack, and the process ends with `exitCode`.
 * The message says what was got, what is allowed and what to do next.
 */
export class Failure extends Error {
  /** 1: the work was refused or failed. 2: the command itself, its configuration or the machine is not right. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}
