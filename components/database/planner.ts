/**
 * What PostgreSQL's planner is told, whoever runs the server. The defaults are of spinning disks and of long reports:
 * with `random_page_cost` 4 a page of a team's tasks under row level security is a bitmap and a sort instead of a walk along the
 * index (0.3 ms instead of 0.1 ms of 200,000 tasks, golive bench database); and compiling (`jit`) what takes a millisecond
 * takes a hundred.
 */
export const plannerParameters: Readonly<Record<string, string>> = { jit: "off", random_page_cost: "1.1" };

/** The same as arguments of `postgres`. */
export const plannerArguments: readonly string[] = Object.entries(plannerParameters).flatMap(([name, value]) => [
  "-c",
  `${name}=${value}`,
]);
