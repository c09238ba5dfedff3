import { gateway } from "../gateway.ts";
import { systemImages } from "../images/recipes.ts";
import { clusterDirs, network, node, ports } from "./layout.ts";
import { monitoringOperator } from "./monitoring-operator.ts";
import { account, deployment, type Manifest, restricted } from "./workload.ts";

export const storageClass = "golive";
/** Its volumes hold as much as their claims ask for, in memory: what fills one meets its end. */
export const boundedStorageClass = "golive-bounded";
export const gatewayController = "traefik.io/gateway-controller";

/** What runs inside the cluster before anything of the product: names, the gateway, volumes. */
export function systemManifests(): Manifest[] {
  return [...dns(), ...trafficGateway(), ...volumes(), ...monitoringOperator()];
}

const system = "kube-system";
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
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: gateway.namespace },
      data: { [insideFile]: insideRoutes() },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: gateway.namespace },
      spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: "inside" }] },
    },
    ...account(name, gateway.namespace, [
      { apiGroups: [""], resources: ["namespaces", "services", "secrets", "configmaps"], verbs: watch },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: watch },
      { apiGroups: [group], resources: kinds, verbs: watch },
      { apiGroups: [group], resources: kinds.map((kind) => `${kind}/status`), verbs: ["update"] },
    ]),
    deployment({
      name,
      namespace: gateway.namespace,
      labels: { "app.kubernetes.io/name": name },
      pod: {
        hostNetwork: true,
        dnsPolicy: "ClusterFirstWithHostNet",
        containers: [
          {
            name,
            image: systemImages.traefik,
            args: traefikArguments(),
            securityContext: restricted,
            ports: [
              { name: "metrics", containerPort: ports.traefikMetrics },
              { name: "inside", containerPort: ports.traefikInside },
            ],
            volumeMounts: [{ name: "inside", mountPath: insideDirectory, readOnly: true }],
            readinessProbe: {
              httpGet: { host: gateway.host, path: "/ping", port: ports.traefikPing },
              periodSeconds: 1,
            },
          },
        ],
        volumes: [{ name: "inside", configMap: { name } }],
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

const insideDirectory = "/etc/traefik";
const insideFile = "inside.json";

/**
 * The public listener is on loopback, where no pod can come: its connections are passed on, as they are, from the node's
 * own address. Two addresses with one port would not do, since Traefik knows a listener of a Gateway by its port alone.
 */
function insideRoutes(): string {
  const servers = [{ address: `${gateway.host}:${gateway.publicPort}` }];
  const router = { entryPoints: ["inside"], rule: "HostSNI(`*`)", service: "public" };
  return JSON.stringify({ tcp: { routers: { public: router }, services: { public: { loadBalancer: { servers } } } } });
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
    "entrypoints.inside.address": `${network.node}:${ports.traefikInside}`,
    "providers.file.filename": `${insideDirectory}/${insideFile}`,
    "entrypoints.metrics.address": `${network.node}:${ports.traefikMetrics}`,
    "metrics.prometheus": true,
    "metrics.prometheus.entrypoint": "metrics",
    "metrics.prometheus.addrouterslabels": true,
    "metrics.prometheus.addserviceslabels": true,
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
    storage(storageClass, { "storageclass.kubernetes.io/is-default-class": "true" }),
    storage(boundedStorageClass, {}),
    ...account(name, system, [
      { apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: watch },
      { apiGroups: [""], resources: ["persistentvolumes"], verbs: [...watch, "create", "delete"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "create", "delete"] },
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
              { name: "BOUNDED_STORAGE_CLASS", value: boundedStorageClass },
              { name: "HOLDER_IMAGE", value: systemImages.pause },
              { name: "NAMESPACE", value: system },
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

function storage(name: string, annotations: Readonly<Record<string, string>>): Manifest {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name, annotations },
    provisioner: "golive.local/volumes",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  };
}
