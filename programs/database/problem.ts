/** Something a person has to put right: its message names the file, table or host, what was found and what to do next. */
export class Problem extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Problem";
  }
}
