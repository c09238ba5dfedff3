import process from "node:process";
import { jsonLog } from "../log.ts";
import { startExporter } from "./exporter.ts";
import { exporterSettings } from "./settings.ts";

const log = jsonLog("rollout-metrics", (line) => process.stdout.write(line));
const exporter = await startExporter(exporterSettings(process.env), log);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    log("info", "stopping", { signal });
    void exporter.stop();
  });
}
