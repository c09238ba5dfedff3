import process from "node:process";
import { readableRecords } from "../../rollout/ledger/read.ts";
import type { Session } from "../session.ts";
import { brokenDatabase } from "./database-look.ts";
import { DriverLease } from "./lease.ts";
import type { RolloutLine } from "./line.ts";
import { note, pauseIn } from "./pause.ts";
import { drive } from "./session.ts";
import { openStack } from "./stack.ts";
import { finish, walkFrom } from "./start.ts";

/** Takes a pause back. A driver that waits for it goes on; where there is none, this one walks. */
export async function resume(line: RolloutLine, session: Session): Promise<number> {
  const stack = await openStack(line.stack, session.progress);
  const paused = pauseIn(await readableRecords(stack.cluster.api, stack.place));
  const holder = await new DriverLease(stack.cluster.api, stack.place, "").holder();
  if (paused === undefined || holder === undefined)
    return drive(line, session, async (driver) =>
      finish(line, session, await walkFrom(driver, line, "resume", () => brokenDatabase(driver.stack, session))),
    );
  await note(stack, "resume", `was paused by ${paused}`);
  const said = `stack ${line.stack} goes on: ${holder.who} drives it`;
  process.stdout.write(`${line.json ? JSON.stringify({ resumed: true, driver: holder.who }) : said}\n`);
  return 0;
}
