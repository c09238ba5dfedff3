/** A change of the product that must turn a test red: one for each promise that is guarded. */
export interface Break {
  /** What a user would lose, in one sentence. */
  readonly promise: string;
  /** Number of the check in research/database.md section 5, where it is one of those. */
  readonly check?: number;
  /** File that is changed, from the root of the repository. */
  readonly file: string;
  /** Text that stands exactly once in the file, and what is put in its place. */
  readonly find: string;
  readonly replace: string;
  /** Test file that must fail then, from the root, and the beginning of the name of the test in it. */
  readonly test: string;
  readonly name: string;
}
