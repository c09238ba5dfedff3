import { join } from "node:path";
import { places } from "../places.ts";

/** Sockets and the owner's record: short paths (a unix socket's path ends at 107 bytes), gone after a reboot. */
export const runDir = "/run/golive";

/** Where the throw-away cluster keeps things below `.golive/cluster/`. */
export const clusterDirs = {
  pki: join(places.cluster, "pki"),
  logs: join(places.cluster, "logs"),
  pids: join(places.cluster, "pids"),
  config: join(places.cluster, "config"),
  etcd: join(places.cluster, "etcd"),
  /** What the node's processes see at fixed paths of theirs. */
  node: join(places.cluster, "node"),
  volumes: join(places.cluster, "volumes"),
  containerd: join(places.cluster, "containerd"),
} as const;

/** All addresses of the cluster are in one block, which no route of the machine may overlap. */
export const network = {
  block: "10.213.0.0/22",
  pods: "10.213.0.0/24",
  services: "10.213.1.0/24",
  apiService: "10.213.1.1",
  dnsService: "10.213.1.10",
  node: "10.213.2.1",
  bridge: "golive0",
  nftTable: "golive",
} as const;

/** Ports of the cluster's processes: on loopback but for what pods reach. The Gateway's two are in local/gateway.ts. */
export const ports = {
  api: 16443,
  etcdClient: 16379,
  etcdPeer: 16380,
  controllerManager: 16257,
  scheduler: 16259,
  kubelet: 16250,
  kubeletHealth: 16248,
  kubeProxyHealth: 16256,
  kubeProxyMetrics: 16249,
  traefikPing: 18082,
  /** On the node's address, for pods alone. */
  traefikMetrics: 18083,
  traefikInside: 18084,
} as const;

export const node = { name: "golive", cgroup: "golive" } as const;

export const sockets = {
  containerd: join(runDir, "containerd.sock"),
} as const;

/** Every process of the cluster carries this in its environment, so that one whose pid file was never written is found. */
export const mark = "GOLIVE_CLUSTER_OF";
