import { join } from "node:path";
import { kubectl } from "../cluster/api.ts";
import { moduleDirectory } from "../go/build.ts";

/** The CRD of PodMonitor alone, without the operator: enough for an API server to take what production declares. */
export async function installPodMonitorType(): Promise<void> {
  const module = await moduleDirectory("prometheus-operator", "github.com/prometheus-operator/prometheus-operator");
  const file = join(module, "example", "prometheus-operator-crd", "monitoring.coreos.com_podmonitors.yaml");
  await kubectl(["apply", "--server-side", "--force-conflicts", "--filename", file]);
}
