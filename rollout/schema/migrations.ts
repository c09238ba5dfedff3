import type { Refused } from "../decision.ts";

/** A migration as far as the rollout cares about it. */
export interface Migration {
  /** `013_drop_old_status.sql`. */
  readonly name: string;
  /** `expand` may run at any rung; `contract` takes away what older releases need. */
  readonly phase: "expand" | "contract";
}

/** What a run does to the schema, as `planMigrations` works it out from the files and the record. */
export interface PlannedMigrations {
  /** Applied by this run, in this order. */
  readonly pending: readonly Migration[];
  /** Contract files that config does not ask for yet. */
  readonly held: readonly Migration[];
  /** Edited, missing and late files, and a `golive:contract` that names none: a sentence each. */
  readonly problems: readonly string[];
}

/** `013_drop_old_status.sql (contract), 014_…`: a few by name, the rest counted. */
export function named(migrations: readonly Migration[]): string {
  const first = migrations.slice(0, 3).map(({ name, phase }) => `${name} (${phase})`);
  const rest = migrations.length - first.length;
  return rest > 0 ? `${first.join(", ")} and ${rest} more` : first.join(", ");
}

/** Why no run may start with these files and this `golive:contract`, or undefined. */
export function refuseMigrations(application: string, { problems }: PlannedMigrations): Refused | undefined {
  if (problems.length === 0) return undefined;
  return {
    allowed: false,
    reason: `migrations/${application} and golive:contract do not fit the schema as it was last applied:\n${problems.map((each) => `  ${each}`).join("\n")}`,
    next: "put that right; an applied file never changes, a change of the schema is a new file with the next number",
  };
}
