import { statfsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { hostTools } from "../debian/host-tools.ts";
import { systemImages } from "../images/recipes.ts";
import { places } from "../places.ts";
import { componentKubeconfig } from "./kubeconfig.ts";
import { clusterDirs, network, node, ports, runDir, sockets } from "./layout.ts";
import { pki } from "./pki.ts";
import type { Identity, Program } from "./processes.ts";

/**
 * Directories whose paths are fixed in containerd, the CNI library and the kubelet. The node's processes run in a mount
 * namespace of their own in which these are directories of ours, so that the machine's are left alone, and so that no
 * mount is left when the last of the processes has ended.
 */
export const covered: Readonly<Record<string, string>> = {
  "/run/containerd": join(clusterDirs.node, "run-containerd"),
  "/var/lib/cni": join(clusterDirs.node, "cni"),
  "/var/lib/kubelet": join(clusterDirs.node, "kubelet"),
  "/var/log/pods": join(clusterDirs.node, "pod-logs"),
  "/var/log/containers": join(clusterDirs.node, "container-logs"),
};

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

export function containerd(): Program {
  const mounts = Object.entries(covered).map(([path, ours]) => `mount --bind ${quoted(ours)} ${path}`);
  const config = join(clusterDirs.config, "containerd.toml");
  // Shared among the node's processes and pods, as on a machine that systemd started: a pod that sees the machine's mounts
  // (node_exporter) must also see them end, or it holds the volumes of pods that are gone.
  const shared = "mount --make-rshared /";
  const script = ["set -e", shared, ...mounts, `exec ${quoted(hostTools.containerd)} --config ${quoted(config)}`];
  return {
    name: "containerd",
    command: "unshare",
    args: ["--mount", "--propagation", "private", "sh", "-c", script.join("\n")],
    env: { PATH: `${hostTools.path}:${process.env.PATH}` },
    irreplaceable: true,
  };
}

export function kubelet(runtime: Identity): Program {
  return {
    name: "kubelet",
    command: "nsenter",
    args: [
      `--mount=/proc/${runtime.pid}/ns/mnt`,
      join(places.bin, "kubelet"),
      `--config=${join(clusterDirs.config, "kubelet.json")}`,
      `--kubeconfig=${componentKubeconfig("kubelet")}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${network.node}`,
      // Whose containers it measures it asks at an endpoint that its configuration does not name.
      `--containerd=${sockets.containerd}`,
    ],
    config: nodeFiles()["kubelet.json"],
  };
}

export function kubeProxy(): Program {
  return {
    name: "kube-proxy",
    command: join(places.bin, "kube-proxy"),
    args: [`--config=${join(clusterDirs.config, "kube-proxy.json")}`],
    config: nodeFiles()["kube-proxy.json"],
    env: { PATH: `${hostTools.path}:${process.env.PATH}` },
  };
}

/** The files that the node's processes read, by name. */
export function nodeFiles() {
  return {
    "containerd.toml": containerdConfig(),
    "kubelet.json": JSON.stringify(kubeletConfig(), undefined, 2),
    "kube-proxy.json": JSON.stringify(kubeProxyConfig(), undefined, 2),
    "cni/golive.conflist": JSON.stringify(cniConfig(), undefined, 2),
    // Pods that do not use the cluster's DNS get no other: nothing here asks a name server outside.
    "resolv.conf": `nameserver ${network.dnsService}\n`,
  } as const;
}

function containerdConfig(): string {
  const string = JSON.stringify;
  return `version = 2
root = ${string(clusterDirs.containerd)}
state = ${string(join(runDir, "containerd"))}
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = ${string(sockets.containerd)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${string(systemImages.pause)}
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${string(hostTools.cni)}
    conf_dir = ${string(join(clusterDirs.config, "cni"))}
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = ${string(hostTools.runc)}
      Root = ${string(join(runDir, "runc"))}
`;
}

function kubeletConfig() {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: network.node,
    port: ports.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: ports.kubeletHealth,
    tlsCertFile: pki.certificate("kubelet"),
    tlsPrivateKeyFile: pki.key("kubelet"),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki.authority },
    },
    authorization: { mode: "Webhook" },
    clusterDNS: [network.dnsService],
    clusterDomain: "cluster.local",
    resolvConf: join(clusterDirs.config, "resolv.conf"),
    containerRuntimeEndpoint: `unix://${sockets.containerd}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${node.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    // Without it the kubelet measures no disk, and so no volume; with it, it does not start where it cannot.
    localStorageCapacityIsolation: isMeasured(statfsSync(places.root).type),
    makeIPTablesUtilChains: false,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    oomScoreAdj: 0,
    // Images are imported, not pulled: one that was collected would be gone for good.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    // By default a pod sees a changed ConfigMap, and a volume is measured, every minute: a rehearsal is fifteen times as fast.
    syncFrequency: "4s",
    volumeStatsAggPeriod: "4s",
    // The node reports all of its images, so that another clone can see that none is missing.
    nodeStatusMaxImages: -1,
  };
}

/** Magic numbers of the file systems that the kubelet measures: ext2 to ext4, XFS, Btrfs, overlay, ZFS, F2FS, tmpfs, NFS. */
const measured = [0xef53, 0x58465342, 0x9123683e, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0x01021994, 0x6969];

/** Whether the kubelet can tell how full a file system of this type (as statfs gives it) is. */
export const isMeasured = (type: number) => measured.includes(type);

function kubeProxyConfig() {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: componentKubeconfig("proxy") },
    hostnameOverride: node.name,
    mode: "nftables",
    // How long a Service may not know of a pod that became ready: a second by default.
    nftables: { minSyncPeriod: "100ms" },
    clusterCIDR: network.pods,
    bindAddress: network.node,
    healthzBindAddress: `127.0.0.1:${ports.kubeProxyHealth}`,
    metricsBindAddress: `127.0.0.1:${ports.kubeProxyMetrics}`,
    nodePortAddresses: [`${network.node}/32`],
    conntrack: { maxPerCore: 0, min: 0 },
    oomScoreAdj: 0,
  };
}

/** One veth pair a pod, routed by the machine: unlike a bridge it needs no br_netfilter for replies of Services. */
function cniConfig() {
  return {
    cniVersion: "0.4.0",
    name: "golive",
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        ipam: { type: "host-local", ranges: [[{ subnet: network.pods }]], routes: [{ dst: "0.0.0.0/0" }] },
      },
    ],
  };
}
