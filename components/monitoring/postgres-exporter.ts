import type { types } from "@pulumi/kubernetes";
import { rotationAnnotation } from "../../rollout/rotation.ts";
import type { Settings } from "../../settings.ts";
import { authorityVolume, serverAddress } from "../database/address.ts";
import { databaseNames } from "../database/names.ts";
import { exporterDeployment } from "./exporter.ts";
import { postgresExporterName } from "./exporters.ts";
import { metricsPort } from "./scrape.ts";

const passwords = "/etc/golive/passwords";

/** Reads the server's own statistics as `login`, which sees no row of the application (S1-52). */
export function postgresExporter(
  settings: Settings,
  { login, database }: { readonly login: string; readonly database: string },
): types.input.apps.v1.Deployment {
  const authority = authorityVolume(settings);
  const secretName = databaseNames(settings.application.name).passwords;
  return exporterDeployment(settings, {
    name: postgresExporterName,
    namespace: settings.namespace,
    image: settings.monitoring.images.postgresExporter,
    port: { name: metricsPort, port: 9187 },
    healthPath: "/",
    memoryMiB: 128,
    env: [
      { name: "DATA_SOURCE_URI", value: sourceUri(settings, database) },
      { name: "DATA_SOURCE_USER", value: login },
      { name: "DATA_SOURCE_PASS_FILE", value: `${passwords}/${login}` },
    ],
    volumeMounts: [{ name: "passwords", mountPath: passwords, readOnly: true }, ...authority.volumeMounts],
    volumes: [
      { name: "passwords", secret: { secretName, defaultMode: 0o440, items: [{ key: login, path: login }] } },
      ...authority.volumes,
    ],
    // It reads the password once, when it starts.
    annotations: { [rotationAnnotation]: String(settings.rotation) },
  });
}

/** `host:port/database?sslmode=…` as the exporter's driver takes it. */
function sourceUri(settings: Settings, database: string): string {
  const { host, port, tls } = serverAddress(settings);
  const mode = tls.mode === "off" ? "sslmode=disable" : "sslmode=verify-full";
  const authority = tls.mode === "off" || tls.ca === undefined ? "" : `&sslrootcert=${tls.ca}`;
  return `${host}:${port}/${database}?${mode}${authority}`;
}
