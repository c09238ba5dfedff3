import { join } from "node:path";
import { moduleDirectory } from "../go/build.ts";
import { systemImages } from "../images/recipes.ts";
import { kubectl } from "./api.ts";
import { deployment, type Manifest, restricted } from "./workload.ts";

const name = "prometheus-operator";
const namespace = "monitoring-operator";
const group = "rbac.authorization.k8s.io";

/**
 * The operator that turns what a stack declares of Prometheus and Alertmanager into pods. Its role is upstream's own
 * (see `installMonitoringTypes`), so that it may do here what it may do elsewhere and no more.
 */
export function monitoringOperator(): Manifest[] {
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    {
      apiVersion: `${group}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: `golive:${name}` },
      roleRef: { apiGroup: group, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    deployment({
      name,
      namespace,
      labels: { "app.kubernetes.io/name": name },
      pod: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name,
            image: systemImages.prometheusOperator,
            args: [
              `--prometheus-config-reloader=${systemImages.prometheusConfigReloader}`,
              // A hundredth of a processor, its default, makes a pod's first start wait for seconds.
              "--config-reloader-cpu-limit=0",
            ],
            ports: [{ name: "http", containerPort: 8080 }],
            securityContext: restricted,
            readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1 },
          },
        ],
      },
    }),
  ];
}

/** The operator's ten kinds and its role, as its release has them. It does without kinds that it does not find at its start. */
export async function installMonitoringTypes(): Promise<void> {
  const module = await moduleDirectory("prometheus-operator", "github.com/prometheus-operator/prometheus-operator");
  const types = join(module, "example", "prometheus-operator-crd");
  const role = join(module, "example", "rbac", name, `${name}-cluster-role.yaml`);
  await kubectl(["apply", "--server-side", "--force-conflicts", "--filename", types, "--filename", role]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "--filename", types]);
}
