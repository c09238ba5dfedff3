/** Live test files that run one after the other; lanes of one `golive test` run beside each other. */
export interface Lane {
  readonly name: "stack" | "beside" | "last";
  readonly files: readonly string[];
}

/** Files that make the stack `local`, of which a cluster has one, or whose previews would see it. */
const stack = new Set([
  "database-cloudnative-pg",
  "database-stack",
  "gate",
  "interruptions",
  "monitoring-runbooks",
  "monitoring-stack",
  "preview",
  "refusals",
  "steps",
  "urns",
]);

/** Files that restart what all others stand on: the gateway, the API server, the cluster. */
const last = /^(faults|z[a-z]-.*)$/;

/**
 * Parts the live test files (their names, with .test.ts) into what runs at the same time: the stories of the whole stack in one lane,
 * what has a namespace or a server of its own in another. What disturbs everybody comes when both have ended.
 */
export function lanesOf(files: readonly string[]): { readonly together: readonly Lane[]; readonly last: Lane } {
  const laneOf = (file: string) => {
    const name = file.replace(/\.test\.ts$/, "");
    return last.test(name) ? "last" : stack.has(name) ? "stack" : "beside";
  };
  const lane = (name: Lane["name"]): Lane => ({ name, files: files.filter((file) => laneOf(file) === name) });
  return { together: [lane("stack"), lane("beside")], last: lane("last") };
}
