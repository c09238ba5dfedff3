import process from "node:process";
import { startExporter } from "./exporter.ts";
import { jsonLog } from "./log.ts";
import { exporterSettings } from "./settings.ts";

const log = jsonLog((line) => process.stdout.write(line));
const exporter = await startExporter(exporterSettings(process.env), log);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    log("info", "stopping", { signal });
    void exporter.stop();
  });
}
