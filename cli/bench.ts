import { type Command, parseOptions } from "./command.ts";
import { Failure } from "./failure.ts";

export const bench: Command = {
  help: `
golive bench: what one step of the traffic costs, and what the queries of the application take.

Usage: golive bench step
       golive bench database [--tasks N]

  step      one rung's "pulumi up" of stack local against the "up" of a program without resources: five times each, in turns,
            on this machine. Stack local must be up (golive demo --keep); its traffic goes 10, 0, 10, 0, 10 and ends at 0.
            Prints the medians and their ratio, and writes .golive/bench.json.
  database  five queries of TaskFlow and four calls of its API, 100 times each, on a PostgreSQL of its own in the throw-away
            cluster with 200,000 tasks (--tasks: another number); each query with and without row level security. Exit code 1
            when a query's p95 is 50 ms or more, a call's 100 ms or more, or a plan reads a big table from end to end. Writes
            .golive/bench-database.json. It takes some minutes.

Examples:
  golive demo --keep && golive bench step
  golive bench database
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("bench", args, { tasks: { type: "string" } });
    const [what, ...more] = positionals;
    if ((what === "step" || what === "database") && more.length === 0) {
      if (what === "step" && values.tasks !== undefined) throw refuse("got --tasks; step takes no options");
      if (what === "step") return await (await import("./bench/step.ts")).benchStep(session);
      const tasks = tasksOf(values.tasks ?? "200000");
      return await (await import("./bench/database.ts")).benchDatabase(session, tasks);
    }
    throw refuse(`got ${what === undefined ? "nothing" : `"${positionals.join(" ")}"`}; allowed: step, database`);
  },
};

const refuse = (problem: string) => new Failure(`golive bench: ${problem}. See: golive bench --help`, 2);

/** With fewer there are not twenty members of large teams to ask for. */
const leastTasks = 50_000;
const mostTasks = 2_000_000;

function tasksOf(text: string): number {
  const tasks = Number(text);
  if (/^[0-9]+$/.test(text) && tasks >= leastTasks && tasks <= mostTasks) return tasks;
  throw refuse(`--tasks: got "${text}"; allowed: ${leastTasks} to ${mostTasks}`);
}
