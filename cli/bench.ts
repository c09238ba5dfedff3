import { type Command, parseOptions } from "./command.ts";
import { Failure } from "./failure.ts";

export const bench: Command = {
  help: `
golive bench: what one step of the traffic costs, what the queries of the application take, and how often the gate is wrong.

Usage: golive bench step
       golive bench database [--tasks N]
       golive bench gate [--days N]
       golive bench preview
       golive bench rollback

  step      one rung's "pulumi up" of stack local against the "up" of a program without resources: five times each, in turns,
            on this machine. Stack local must be up (golive demo --keep); its traffic goes 10, 0, 10, 0, 10 and ends at 0.
            Prints the medians and their ratio, and writes .golive/bench.json.
  database  five queries of TaskFlow and four calls of its API, 100 times each, on a PostgreSQL of its own in the throw-away
            cluster with 200,000 tasks (--tasks: another number); each query with and without row level security. Exit code 1
            when a query's p95 is 50 ms or more, a call's 100 ms or more, or a plan reads a big table from end to end. Writes
            .golive/bench-database.json. It takes some minutes.
  gate      simulated releases against the gate and the guard's fast test, the same ones each time: how many good ones are
            taken back in 100 days (--days: another number), and in how many seconds bad ones are. Needs no cluster. Exit
            code 1 when a good one is taken back once in 100 days, or one of which 30 % fails is not found in 5 seconds.
            Writes .golive/bench-gate.json. It takes two minutes.
  preview   a full preview of stack production with the policy pack against the same without it: five times each, in turns.
            Prints the medians and their ratio; exit code 1 when it is 1.30 or more. Writes .golive/bench-preview.json. It takes
            some minutes.
  rollback  a release that fails 30 % of its requests at 10 % of 1,500 a second: how long users meet it, and how many of their
            requests fail, by the guard, by "abort --now" and by "pulumi up". Stack local must be up (golive demo --keep); it
            ends at 0. Writes .golive/bench-rollback.json. It takes some minutes, and ends with 1 when an aim is missed.

Examples:
  golive demo --keep && golive bench step
  golive bench database
  golive bench gate --days 30
  golive demo --keep && golive bench rollback
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("bench", args, {
      tasks: { type: "string" },
      days: { type: "string" },
    });
    const [what, ...more] = positionals;
    const isWhat = what !== undefined && Object.hasOwn(optionOf, what) && more.length === 0;
    if (!isWhat)
      throw refuse(
        `got ${what === undefined ? "nothing" : `"${positionals.join(" ")}"`}; allowed: ${whats.join(", ")}`,
      );
    const option = optionOf[what];
    const other = Object.keys(values).find((each) => each !== option);
    if (other !== undefined)
      throw refuse(`got --${other}; ${what} takes ${option === undefined ? "no options" : `--${option} only`}`);
    if (what === "step") return await (await import("./bench/step.ts")).benchStep(session);
    if (what === "preview") return await (await import("./bench/preview.ts")).benchPreview(session);
    if (what === "rollback") return await (await import("./bench/rollback.ts")).benchRollback(session);
    if (what === "gate")
      return await (await import("./bench/gate.ts")).benchGate(
        session,
        wholeNumber("days", values.days ?? "100", days),
      );
    const { benchDatabase } = await import("./bench/database.ts");
    return await benchDatabase(session, wholeNumber("tasks", values.tasks ?? "200000", tasks));
  },
};

const refuse = (problem: string) => new Failure(`golive bench: ${problem}. See: golive bench --help`, 2);

/** What can be measured, and the option that it takes. */
const optionOf: Readonly<Record<string, "tasks" | "days" | undefined>> = {
  step: undefined,
  database: "tasks",
  gate: "days",
  preview: undefined,
  rollback: undefined,
};
const whats = Object.keys(optionOf);

/** With fewer there are not twenty members of large teams to ask for. */
const tasks = { least: 50_000, most: 2_000_000 };
/** With more it takes an hour. */
const days = { least: 1, most: 10_000 };

function wholeNumber(option: string, text: string, { least, most }: { readonly least: number; readonly most: number }) {
  const number = Number(text);
  if (/^[0-9]+$/.test(text) && number >= least && number <= most) return number;
  throw refuse(`--${option}: got "${text}"; allowed: ${least} to ${most}`);
}
