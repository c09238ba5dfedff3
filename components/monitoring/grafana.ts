import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { digestOf } from "../database/migration-job.ts";
import { labelsOf } from "../pod/labels.ts";
import { scratch } from "../pod/scratch.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { dashboardsName } from "./dashboards.ts";
import { grafanaPort, grafanaName as name, prometheusName, prometheusPort, webPort } from "./names.ts";
import { clockOf } from "./scrape.ts";

/** `grafana` in the official image. */
const uid = 472;
const provisioning = "/etc/grafana/provisioning";
const dashboards = "/etc/grafana/dashboards";
const passwordFile = "/etc/golive/grafana/admin-password";

const metadataOf = (settings: Settings) => ({
  name,
  namespace: settings.monitoring.namespace,
  labels: labelsOf(settings, name),
});

/** The password of `admin`, who is the only user: nobody else may come in. */
export function grafanaSecret(settings: Settings, password: pulumi.Input<string>): types.input.core.v1.Secret {
  return { metadata: metadataOf(settings), stringData: { "admin-password": password } };
}

/** What Grafana finds when it starts. Everything comes from files: what somebody changes in it by hand is gone with its pod. */
export function grafanaConfigMap(settings: Settings): types.input.core.v1.ConfigMap {
  return { metadata: metadataOf(settings), data: files(settings) };
}

function files(settings: Settings): Readonly<Record<string, string>> {
  const { application, monitoring } = settings;
  return {
    "datasources.yaml": asYaml({
      apiVersion: 1,
      datasources: [
        {
          name: "Prometheus",
          uid: prometheusName,
          type: "prometheus",
          access: "proxy",
          isDefault: true,
          url: `http://${prometheusName}.${monitoring.namespace}.svc.cluster.local:${prometheusPort}`,
          // The least window that a rate is taken over depends on it.
          jsonData: { timeInterval: clockOf(settings).duration(15), httpMethod: "POST" },
        },
      ],
    }),
    "dashboards.yaml": asYaml({
      apiVersion: 1,
      providers: [
        {
          name: application.name,
          folder: application.name,
          type: "file",
          disableDeletion: true,
          allowUiUpdates: false,
          updateIntervalSeconds: 30,
          options: { path: dashboards },
        },
      ],
    }),
  };
}

/** JSON, which is YAML. */
const asYaml = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

export function grafanaDeployment(settings: Settings, image: string): types.input.apps.v1.Deployment {
  const labels = labelsOf(settings, name);
  const healthy = { httpGet: { path: "/api/health", port: webPort }, timeoutSeconds: 5 };
  return {
    // A step must not wait for what only shows it.
    metadata: { ...metadataOf(settings), annotations: { "pulumi.com/skipAwait": "true" } },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        // Data sources are read once, when it starts.
        metadata: { labels, annotations: { "golive/config": digestOf(files(settings)) } },
        spec: {
          ...restrictedPod(uid),
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name,
              image: mirrored(image, settings.imageMirrors),
              ...restrictedContainer(),
              env: Object.entries(environment(settings)).map(([variable, value]) => ({ name: variable, value })),
              ports: [{ name: webPort, containerPort: grafanaPort }],
              startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
              readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
              livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
              resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
              volumeMounts: [
                {
                  name: "config",
                  mountPath: `${provisioning}/datasources/golive.yaml`,
                  subPath: "datasources.yaml",
                  readOnly: true,
                },
                {
                  name: "config",
                  mountPath: `${provisioning}/dashboards/golive.yaml`,
                  subPath: "dashboards.yaml",
                  readOnly: true,
                },
                { name: "dashboards", mountPath: dashboards, readOnly: true },
                { name: "password", mountPath: passwordFile, subPath: "admin-password", readOnly: true },
                { name: "data", mountPath: "/var/lib/grafana" },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          volumes: [
            { name: "config", configMap: { name } },
            { name: "dashboards", configMap: { name: dashboardsName(settings) } },
            { name: "password", secret: { secretName: name, defaultMode: 0o440 } },
            scratch("data", "1Gi"),
            scratch("tmp", "64Mi"),
          ],
        },
      },
    },
  };
}

/** It may be reached from anywhere (S4-75): it tells nobody anything who has not logged in, and asks nobody outside. */
function environment({ monitoring }: Settings): Readonly<Record<string, string>> {
  const { grafanaHostname: host } = monitoring;
  return {
    GF_SECURITY_ADMIN_PASSWORD__FILE: passwordFile,
    GF_AUTH_ANONYMOUS_ENABLED: "false",
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_SNAPSHOTS_ENABLED: "false",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    GF_SECURITY_DISABLE_GRAVATAR: "true",
    GF_SECURITY_COOKIE_SAMESITE: "strict",
    ...(host === undefined
      ? {}
      : {
          GF_SERVER_ROOT_URL: `https://${host}/`,
          GF_SERVER_DOMAIN: host,
          GF_SECURITY_COOKIE_SECURE: "true",
          GF_SECURITY_STRICT_TRANSPORT_SECURITY: "true",
        }),
  };
}

/** `kubectl port-forward svc/grafana -n monitoring 3001:3000` (S4-62). */
export function grafanaService(settings: Settings): types.input.core.v1.Service {
  return {
    metadata: { ...metadataOf(settings), annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { selector: labelsOf(settings, name), ports: [{ name: webPort, port: grafanaPort, targetPort: webPort }] },
  };
}

/** Its public address, behind the certificate of the Gateway's listener (S4-75). */
export function grafanaRoute(settings: Settings, hostname: string): CustomManifest {
  const { gateway } = settings;
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: metadataOf(settings),
    spec: {
      parentRefs: [{ name: gateway.name, namespace: gateway.namespace, sectionName: gateway.section }],
      hostnames: [hostname],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          backendRefs: [{ name, port: grafanaPort }],
        },
      ],
    },
  };
}
