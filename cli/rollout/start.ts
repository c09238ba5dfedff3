import process from "node:process";
import { readableRecords } from "../../rollout/ledger/read.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { brokenDatabase } from "./database-look.ts";
import { walk } from "./drive.ts";
import type { RolloutLine } from "./line.ts";
import { note, pauseIn } from "./pause.ts";
import { exitCodeOf, resultText, type WalkResult } from "./result.ts";
import { type DriverSession, drive } from "./session.ts";

/** Seconds between two looks in real time; a stack that lives faster is looked at more often. */
const pollSeconds = 15;

/** Walks the candidate up to the top of its ladder, or to the rung that the line names. */
export async function start(line: RolloutLine, session: Session): Promise<number> {
  return drive(line, session, async (driver) =>
    finish(line, session, await walkFrom(driver, line, "start", () => brokenDatabase(driver.stack, session))),
  );
}

/** The walk from wherever the stack is, with its first and its last word in the ledger. */
export async function walkFrom(
  driver: DriverSession,
  line: RolloutLine,
  begun: "start" | "resume",
  broken?: () => Promise<string | undefined>,
): Promise<WalkResult> {
  const { stack } = driver;
  const paused = pauseIn(await readableRecords(stack.cluster.api, stack.place));
  if (begun === "start" && paused !== undefined)
    throw new Failure(`golive rollout start: paused by ${paused}. Next: golive rollout resume --stack ${line.stack}`);
  const after = paused === undefined ? "" : `; was paused by ${paused}`;
  await driver.begin(() => note(stack, begun, `walk to ${driver.goal} %${after}`));
  const { monitoring, gate } = await stack.settings();
  if (gate.mode === "off") driver.note("the gate is off (golive:gate): nothing is measured, and no soak is kept");
  const result = await walk(driver, {
    pollSeconds: Math.max(1, pollSeconds / monitoring.speed),
    patienceSeconds: line.patienceSeconds,
    ...(broken === undefined ? {} : { broken }),
  });
  await note(stack, "finish", `${result.outcome}: ${result.reason}`).catch((error: unknown) =>
    driver.note(`the end of the walk is not in the ledger: ${error instanceof Error ? error.message : error}`),
  );
  return result;
}

/** Tells the result. After Ctrl-C nothing is returned to anybody: it is said at once. */
export function finish({ json, stack }: RolloutLine, session: Session, result: WalkResult): number {
  const named = {
    ...result,
    next: result.next.replaceAll(/golive rollout (\w+)/g, `golive rollout $1 --stack ${stack}`),
  };
  const text = json ? JSON.stringify(named) : resultText(named);
  (session.endedBy === undefined ? process.stdout : process.stderr).write(`${text}\n`);
  return exitCodeOf(result);
}
