/** What a test of the access to a database declares: written by the test, read by the program. */
export interface AccessPlan {
  /** Of the server's superuser. */
  readonly user: string;
  readonly password: string;
  /** Loopback port that leads to it. */
  readonly port: number;
  /** Where its pod is: the program opens the port itself, as a stack does. Undefined: it is open. */
  readonly namespace?: string | undefined;
  /** Its roles begin with it: the server may be shared. */
  readonly application: string;
  readonly rotation: number;
}
