import process from "node:process";
import { jsonLog } from "../log.ts";
import { guardSettings } from "./settings.ts";
import { startGuard } from "./start.ts";

const log = jsonLog("guard", (line) => process.stdout.write(line));
const guard = await startGuard(guardSettings(process.env), log);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    log("info", "stopping", { signal });
    void guard.stop();
  });
}
