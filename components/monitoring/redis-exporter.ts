import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import { exporterPasswordKey, exporterUser, serverName } from "../cache/statefulset.ts";
import { exporterDeployment } from "./exporter.ts";
import { redisExporterName } from "./exporters.ts";
import { metricsPort } from "./scrape.ts";

/** Reads what Redis says of itself, as a user that can read no key (S1-53). */
export function redisExporter(settings: Settings): types.input.apps.v1.Deployment {
  return exporterDeployment(settings, {
    name: redisExporterName,
    namespace: settings.namespace,
    image: settings.monitoring.images.redisExporter,
    port: { name: metricsPort, port: 9121 },
    healthPath: "/",
    memoryMiB: 64,
    env: [
      { name: "REDIS_ADDR", value: `redis://${serverName}.${settings.namespace}.svc.cluster.local:6379` },
      { name: "REDIS_USER", value: exporterUser },
      {
        name: "REDIS_PASSWORD",
        valueFrom: { secretKeyRef: { name: serverName, key: exporterPasswordKey } },
      },
      // It would need a right for it, and says nothing that the address does not.
      { name: "REDIS_EXPORTER_SET_CLIENT_NAME", value: "false" },
    ],
  });
}
