import { gateway } from "../gateway.ts";
import { systemImages } from "../images/recipes.ts";
import { clusterDirs, network, node, ports } from "./layout.ts";

export const storageClass = "golive";
export const gatewayController = "traefik.io/gateway-controller";

/** A Kubernetes object, as far as this file cares. */
export type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string };

/** What runs inside the cluster before anything of the product: names, the gateway, volumes. */
export function systemManifests(): Manifest[] {
  return [...dns(), ...trafficGateway(), ...volumes()];
}

const system = "kube-system";
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
} as const;

interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly pod: Readonly<Record<string, unknown>>;
}

function deployment({ name, namespace, pod }: Workload): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      replicas: 1,
      // Ports on the node and a directory of it: two at a time would be in each other's way.
      strategy: { type: "Recreate" },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { serviceAccountName: name, terminationGracePeriodSeconds: 5, ...pod },
      },
    },
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function account(name: string, namespace: string, rules: readonly Rule[]): Manifest[] {
  const apiGroup = "rbac.authorization.k8s.io";
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    { apiVersion: `${apiGroup}/v1`, kind: "ClusterRole", metadata: { name: `golive:${name}` }, rules },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: `golive:${name}` },
      roleRef: { apiGroup, kind: "ClusterRole", name: `golive:${name}` },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
  ];
}

const watch = ["get", "list", "watch"] as const;

function dns(): Manifest[] {
  const name = "coredns";
  const corefile = `.:1053 {
  errors
  health :1054 {
    lameduck 0s
  }
  ready :1055
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 5
  }
  cache 5
}
`;
  const port = (name: string, protocol: string) => ({ name, port: 53, targetPort: 1053, protocol });
  return [
    ...account(name, system, [
      { apiGroups: [""], resources: ["services", "namespaces", "pods"], verbs: watch },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: watch },
    ]),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: system }, data: { Corefile: corefile } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: system },
      spec: {
        clusterIP: network.dnsService,
        selector: { app: name },
        ports: [port("dns", "UDP"), port("dns-tcp", "TCP")],
      },
    },
    deployment({
      name,
      namespace: system,
      pod: {
        dnsPolicy: "Default",
        containers: [
          {
            name,
            image: systemImages.coredns,
            args: ["-conf", "/etc/coredns/Corefile"],
            securityContext: restricted,
            readinessProbe: { httpGet: { path: "/ready", port: 1055 }, periodSeconds: 1 },
            volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
          },
        ],
        volumes: [{ name: "config", configMap: { name } }],
      },
    }),
  ];
}

function trafficGateway(): Manifest[] {
  const name = "traefik";
  const group = "gateway.networking.k8s.io";
  const kinds = ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants"];
  const listener = (section: string, port: number) => ({
    name: section,
    port,
    protocol: "HTTP",
    allowedRoutes: { namespaces: { from: "All" } },
  });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: gateway.namespace } },
    ...account(name, gateway.namespace, [
      { apiGroups: [""], resources: ["namespaces", "services", "secrets", "configmaps"], verbs: watch },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: watch },
      { apiGroups: [group], resources: kinds, verbs: watch },
      { apiGroups: [group], resources: kinds.map((kind) => `${kind}/status`), verbs: ["update"] },
    ]),
    deployment({
      name,
      namespace: gateway.namespace,
      pod: {
        hostNetwork: true,
        dnsPolicy: "ClusterFirstWithHostNet",
        containers: [
          {
            name,
            image: systemImages.traefik,
            args: traefikArguments(),
            securityContext: restricted,
            readinessProbe: {
              httpGet: { host: gateway.host, path: "/ping", port: ports.traefikPing },
              periodSeconds: 1,
            },
          },
        ],
      },
    }),
    {
      apiVersion: `${group}/v1`,
      kind: "GatewayClass",
      metadata: { name: gateway.name },
      spec: { controllerName: gatewayController },
    },
    {
      apiVersion: `${group}/v1`,
      kind: "Gateway",
      metadata: { name: gateway.name, namespace: gateway.namespace },
      spec: {
        gatewayClassName: gateway.name,
        listeners: [
          listener(gateway.section, gateway.publicPort),
          listener(gateway.internalSection, gateway.internalPort),
        ],
      },
    },
  ];
}

function traefikArguments(): string[] {
  const { host, publicPort, internalPort, section, internalSection } = gateway;
  const settings = {
    "global.checknewversion": false,
    "global.sendanonymoususage": false,
    [`entrypoints.${section}.address`]: `${host}:${publicPort}`,
    [`entrypoints.${internalSection}.address`]: `${host}:${internalPort}`,
    "entrypoints.ping.address": `${host}:${ports.traefikPing}`,
    "ping.entrypoint": "ping",
    "providers.kubernetesgateway": true,
    "providers.kubernetesgateway.statusaddress.ip": host,
    "providers.providersthrottleduration": "100ms",
    // No retry middleware is configured: a request is tried once. An idle connection is given up before a Node server
    // would close it (after 5 s by default), so that a request does not meet a connection that is just being closed.
    "serverstransport.forwardingtimeouts.idleconntimeout": "4s",
    "serverstransport.forwardingtimeouts.dialtimeout": "5s",
    "serverstransport.forwardingtimeouts.responseheadertimeout": "30s",
    "serverstransport.maxidleconnsperhost": 100,
    "log.level": "INFO",
  };
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}

function volumes(): Manifest[] {
  const name = "volumes";
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: storageClass, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "golive.local/volumes",
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    },
    ...account(name, system, [
      { apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: watch },
      { apiGroups: [""], resources: ["persistentvolumes"], verbs: [...watch, "create", "delete"] },
    ]),
    deployment({
      name,
      namespace: system,
      pod: {
        nodeName: node.name,
        containers: [
          {
            name,
            image: systemImages.volumes,
            env: [
              { name: "NODE_EXTRA_CA_CERTS", value: "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt" },
              { name: "NODE_DIRECTORY", value: clusterDirs.volumes },
              { name: "DIRECTORY", value: "/volumes" },
              { name: "STORAGE_CLASS", value: storageClass },
            ],
            securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
            volumeMounts: [{ name: "volumes", mountPath: "/volumes" }],
          },
        ],
        volumes: [{ name: "volumes", hostPath: { path: clusterDirs.volumes, type: "Directory" } }],
      },
    }),
  ];
}
