/**
 * The command line of each of the cluster's components. Never starts one.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kubernetesProgram } from '../support/needs.ts'
import {
  type ClusterOptions,
  clusterDomain,
  configDirectory,
  kubeDnsIp,
  linkLocal,
  nodeIp,
  nodeName,
  placesOf,
  podCidr,
  serviceCidr,
  worldIp,
} from './layout.ts'

export type Component =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'containerd'
  | 'kubelet'
  | 'kube-proxy'

/** What runs on the node, in the order in which it is started. */
export function commandOf(component: Component, options: ClusterOptions): readonly string[] {
  const { state } = placesOf(options.name)
  const flags = (record: Readonly<Record<string, string | true>>) =>
    Object.entries(record).map(([name, value]) =>
      value === true ? `--${name}` : `--${name}=${value}`,
    )
  const pki = (file: string) => join(state, 'pki', file)
  const kubeconfig = (name: string) => join(state, `${name}.kubeconfig`)
  switch (component) {
    case 'etcd':
      return [
        kubernetesProgram('etcd'),
        ...flags({
          'data-dir': join(state, 'etcd'),
          // The cluster lives for minutes; nothing of it is to outlast a crash of the machine.
          'unsafe-no-fsync': true,
          'log-level': 'warn',
          'listen-client-urls': 'http://127.0.0.1:2379',
          'advertise-client-urls': 'http://127.0.0.1:2379',
          'listen-peer-urls': 'http://127.0.0.1:2380',
        }),
      ]
    case 'kube-apiserver':
      return [kubernetesProgram('kube-apiserver'), ...flags(apiServerFlags(pki))]
    case 'kube-controller-manager':
      return [
        kubernetesProgram('kube-controller-manager'),
        ...flags({
          kubeconfig: kubeconfig('controller-manager'),
          'authentication-kubeconfig': kubeconfig('controller-manager'),
          'authorization-kubeconfig': kubeconfig('controller-manager'),
          'service-account-private-key-file': pki('sa.key'),
          'root-ca-file': pki('ca.crt'),
          'use-service-account-credentials': true,
          'allocate-node-cidrs': true,
          'cluster-cidr': podCidr,
          'leader-elect': 'false',
          'bind-address': '127.0.0.1',
        }),
      ]
    case 'kube-scheduler':
      return [
        kubernetesProgram('kube-scheduler'),
        ...flags({
          kubeconfig: kubeconfig('scheduler'),
          'authentication-kubeconfig': kubeconfig('scheduler'),
          'authorization-kubeconfig': kubeconfig('scheduler'),
          'leader-elect': 'false',
          'bind-address': '127.0.0.1',
        }),
      ]
    case 'containerd':
      return ['containerd', '--config', join(configDirectory, 'containerd.toml')]
    case 'kubelet':
      return [
        kubernetesProgram('kubelet'),
        ...flags({
          config: rendered('kubelet.yaml', options),
          kubeconfig: kubeconfig('kubelet'),
          'node-ip': nodeIp,
          'hostname-override': nodeName,
        }),
      ]
    case 'kube-proxy':
      return [
        kubernetesProgram('kube-proxy', options.kubeProxyVersion),
        ...flags({ config: rendered('kube-proxy.yaml', options) }),
      ]
  }
}

function apiServerFlags(pki: (file: string) => string): Readonly<Record<string, string | true>> {
  return {
    'etcd-servers': 'http://127.0.0.1:2379',
    'advertise-address': nodeIp,
    'secure-port': '6443',
    'client-ca-file': pki('ca.crt'),
    'tls-cert-file': pki('apiserver.crt'),
    'tls-private-key-file': pki('apiserver.key'),
    'kubelet-client-certificate': pki('kubelet-client.crt'),
    'kubelet-client-key': pki('kubelet-client.key'),
    'service-account-issuer': `https://kubernetes.default.svc.${clusterDomain}`,
    'service-account-key-file': pki('sa.pub'),
    'service-account-signing-key-file': pki('sa.key'),
    'service-cluster-ip-range': serviceCidr,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': 'true',
    'kubelet-preferred-address-types': 'InternalIP',
  }
}

/** Writes a file of config/ into the state folder, this cluster's names put in. @returns its path */
export function rendered(file: string, options: ClusterOptions): string {
  const { cgroup, state } = placesOf(options.name)
  const values: Readonly<Record<string, string>> = {
    CGROUP: cgroup,
    CLUSTER_DNS: `${linkLocal}, ${kubeDnsIp}`,
    CLUSTER_DOMAIN: clusterDomain,
    NODE_IP: nodeIp,
    NODE_NAME: nodeName,
    POD_CIDR: podCidr,
    PROXY_MODE: options.proxyMode === 'nftables' ? 'nftables' : 'iptables',
    STATE: state,
    WORLD_IP: worldIp,
  }
  const text = readFileSync(join(configDirectory, file), 'utf8')
  const path = join(state, file)
  writeFileSync(
    path,
    text.replaceAll(/__([A-Z]+(?:_[A-Z]+)*)__/g, (whole, key: string) => values[key] ?? whole),
  )
  return path
}
