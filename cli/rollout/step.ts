import { nextAction } from "../../rollout/walk/walk.ts";
import type { Session } from "../session.ts";
import type { RolloutLine } from "./line.ts";
import type { Step, WalkResult } from "./result.ts";
import { type DriverSession, drive } from "./session.ts";
import { finish } from "./start.ts";

/**
 * One step: to the percentage that the line names, up or down, or to the next rung. It does not wait: the program and its hook
 * say at once whether the step may be taken.
 */
export async function step(line: RolloutLine, session: Session): Promise<number> {
  return drive(line, session, async (driver) => finish(line, session, await stepOnce(driver, line)));
}

export async function stepOnce(driver: Pick<DriverSession, "read" | "write" | "up">, { to }: Pick<RolloutLine, "to">) {
  const before = await driver.read();
  const { live = 0, ladder } = before;
  const target = to ?? ladder.after(live);
  const end = (outcome: WalkResult["outcome"], reason: string, next: string, steps: readonly Step[], now = live) => ({
    ...{ outcome, reason, next, live: now, steps },
  });
  if (target === undefined) return end("reached", "the candidate has 100 %: the top of the ladder", "", []);
  const action = nextAction(before);
  // What would be waited for is refused by the program itself, with the same words; what is certain is said before any work.
  if (target > live && action.kind === "refuse") return end("refused", action.reason, action.next, []);
  await driver.write(target, `step ${live} -> ${target}`);
  const { succeeded, reason, seconds } = await driver.up();
  const after = await driver.read();
  const now = after.live ?? 0;
  if (succeeded)
    return end(
      "reached",
      `${now} % of the requests go to the candidate`,
      "",
      [{ from: live, to: target, outcome: "success", seconds }],
      now,
    );
  // The file says what is live again, or the lower of the two.
  const lower = Math.min(now, target);
  if (lower !== target && ladder.allows(lower)) await driver.write(lower, `refused: ${reason}`);
  return end(
    "refused",
    reason,
    "golive rollout status",
    [{ from: live, to: target, outcome: "refused", reason, seconds }],
    now,
  );
}
