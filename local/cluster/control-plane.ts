import { join } from "node:path";
import { places } from "../places.ts";
import { componentKubeconfig } from "./kubeconfig.ts";
import { clusterDirs, network, ports } from "./layout.ts";
import { pki } from "./pki.ts";
import type { Program } from "./processes.ts";

const flags = (values: Readonly<Record<string, string | number | boolean>>) =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

export function etcd(): Program {
  const client = `https://127.0.0.1:${ports.etcdClient}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return {
    name: "etcd",
    command: join(places.bin, "etcd"),
    args: flags({
      name: "golive",
      "data-dir": clusterDirs.etcd,
      "listen-client-urls": client,
      "advertise-client-urls": client,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": `golive=${peer}`,
      "client-cert-auth": true,
      "trusted-ca-file": pki.authority,
      "cert-file": pki.certificate("etcd"),
      "key-file": pki.key("etcd"),
      // What it holds is thrown away with the cluster: a power cut may lose it, a killed process does not.
      "unsafe-no-fsync": true,
      "log-level": "warn",
    }),
  };
}

export function apiServer(): Program {
  return {
    name: "kube-apiserver",
    command: join(places.bin, "kube-apiserver"),
    args: flags({
      "secure-port": ports.api,
      // Pods reach it at the node's address, people at loopback; our nftables table closes it to the outside.
      "bind-address": "0.0.0.0",
      "advertise-address": network.node,
      "etcd-servers": `https://127.0.0.1:${ports.etcdClient}`,
      "etcd-cafile": pki.authority,
      "etcd-certfile": pki.certificate("etcd"),
      "etcd-keyfile": pki.key("etcd"),
      "tls-cert-file": pki.certificate("apiserver"),
      "tls-private-key-file": pki.key("apiserver"),
      "client-ca-file": pki.authority,
      "authorization-mode": "Node,RBAC",
      "enable-admission-plugins": "NodeRestriction",
      "allow-privileged": true,
      "anonymous-auth": false,
      "service-cluster-ip-range": network.services,
      "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
      "service-account-key-file": pki.accounts,
      "service-account-signing-key-file": pki.accounts,
      "kubelet-certificate-authority": pki.authority,
      "kubelet-client-certificate": pki.certificate("apiserver-kubelet"),
      "kubelet-client-key": pki.key("apiserver-kubelet"),
      "kubelet-preferred-address-types": "InternalIP",
      profiling: false,
    }),
  };
}

export function controllerManager(): Program {
  return {
    name: "kube-controller-manager",
    command: join(places.bin, "kube-controller-manager"),
    args: flags({
      kubeconfig: componentKubeconfig("controller-manager"),
      "authentication-kubeconfig": componentKubeconfig("controller-manager"),
      "authorization-kubeconfig": componentKubeconfig("controller-manager"),
      "bind-address": "127.0.0.1",
      "secure-port": ports.controllerManager,
      "tls-cert-file": pki.certificate("controller-manager"),
      "tls-private-key-file": pki.key("controller-manager"),
      "use-service-account-credentials": true,
      "service-account-private-key-file": pki.accounts,
      "root-ca-file": pki.authority,
      "cluster-signing-cert-file": pki.authority,
      "cluster-signing-key-file": pki.authorityKey,
      // There is one of it: waiting for a lease of a killed predecessor would cost 15 s.
      "leader-elect": false,
      profiling: false,
    }),
  };
}

export function scheduler(): Program {
  return {
    name: "kube-scheduler",
    command: join(places.bin, "kube-scheduler"),
    args: flags({
      kubeconfig: componentKubeconfig("scheduler"),
      "authentication-kubeconfig": componentKubeconfig("scheduler"),
      "authorization-kubeconfig": componentKubeconfig("scheduler"),
      "bind-address": "127.0.0.1",
      "secure-port": ports.scheduler,
      "tls-cert-file": pki.certificate("scheduler"),
      "tls-private-key-file": pki.key("scheduler"),
      "leader-elect": false,
      profiling: false,
    }),
  };
}
