import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type AlertmanagerSecrets, alertmanagerConfig } from "../../monitoring/alertmanager/configuration.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { labelsOf } from "../pod/labels.ts";
import { alertmanagerName, alertmanagerPort } from "./names.ts";
import { operatedPod, volumeOf } from "./operated-pod.ts";
import { webService } from "./prometheus.ts";
import { clockOf } from "./scrape.ts";

export function alertmanagerManifest(settings: Settings): CustomManifest {
  const { application, monitoring, imageMirrors } = settings;
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "Alertmanager",
    metadata: {
      name: application.name,
      namespace: monitoring.namespace,
      labels: labelsOf(settings, alertmanagerName),
    },
    spec: {
      image: mirrored(monitoring.images.alertmanager, imageMirrors),
      version: monitoring.alertmanagerVersion,
      ...operatedPod(settings, alertmanagerName),
      automountServiceAccountToken: false,
      configSecret: alertmanagerName,
      // Silences, and who was told of what: without it everybody is told again.
      ...volumeOf(settings, "1Gi"),
      resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
      externalUrl: `http://localhost:${alertmanagerPort}/`,
    },
  };
}

export const alertmanagerService = (settings: Settings) => webService(settings, alertmanagerName, alertmanagerPort);

/** Who is told of what; the addresses of the on-call tool and of the mail server are in it. */
export function alertmanagerSecret(settings: Settings, file: pulumi.Input<string>): types.input.core.v1.Secret {
  return {
    metadata: {
      name: alertmanagerName,
      namespace: settings.monitoring.namespace,
      labels: labelsOf(settings, alertmanagerName),
    },
    stringData: { "alertmanager.yaml": file },
  };
}

/** The text of the configuration file. A secret. */
export function alertmanagerFile(settings: Settings): string {
  const { application, monitoring, secrets } = settings;
  return alertmanagerConfig(
    {
      contacts: application.contacts,
      notify: monitoring.notify,
      clock: clockOf(settings),
      grafanaHostname: monitoring.grafanaHostname,
    },
    { ...unknownYet, ...secrets },
  );
}

/** Without its secrets only a preview gets here (settings/checks.ts); its text is never sent anywhere. */
const unknownYet: AlertmanagerSecrets = { smtpPassword: "not-set", onCallUrl: "https://not-set.invalid/" };
