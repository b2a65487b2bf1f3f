/**
 * Names, addresses and paths of the test cluster, in one place. All of it lives in two network namespaces and one mount, PID, UTS and
 * IPC namespace of its own. Never starts anything.
 */
import { join } from 'node:path'
import { cacheDirectory } from '../support/needs.ts'
import { debianReleases, kubernetesVersion } from './build/versions.ts'

export const nodeName = 'node1'
export const nodeIp = '10.90.0.2'
export const worldIp = '10.90.0.1'
export const podCidr = '10.244.0.0/16'
export const serviceCidr = '10.96.0.0/16'
export const kubernetesIp = '10.96.0.1'
export const kubeDnsIp = '10.96.0.10'
export const linkLocal = '169.254.20.10'
export const clusterDomain = 'cluster.local'

/** Archives of images, roots and buildah's storage: kept between runs. */
export const clusterCache = join(cacheDirectory(), 'cluster')
export const imageDirectory = join(clusterCache, 'images')
export const configDirectory = join(import.meta.dirname, 'config')
export const shellDirectory = join(import.meta.dirname, 'shell')
export const projectDirectory = join(import.meta.dirname, '../..')

export const proxyModes = ['nftables', 'iptables-nft', 'iptables-legacy'] as const
export type ProxyMode = (typeof proxyModes)[number]

/** Whose nft the node has: the machine's, neardns's image's, or a Debian release's (`npm run cluster:nft` brings these). */
export const nodeNfts = ['machine', 'image', ...debianReleases] as const
export type NodeNft = (typeof nodeNfts)[number]

export interface ClusterOptions {
  /** Two clusters on one machine differ in it; names of namespaces and cgroups carry it. */
  readonly name: string
  readonly proxyMode: ProxyMode
  readonly nodeNft: NodeNft
  /** Version of kube-proxy, when it is not the cluster's. */
  readonly kubeProxyVersion: string
}

export const defaultOptions: ClusterOptions = {
  name: 'try',
  proxyMode: 'nftables',
  nodeNft: 'machine',
  kubeProxyVersion: kubernetesVersion,
}

export interface Places {
  readonly nodeNs: string
  readonly worldNs: string
  /** The subtree of every cgroup hierarchy that the kubelet may use. */
  readonly cgroup: string
  /** Everything that goes when the cluster goes. */
  readonly state: string
  readonly logs: string
}

export function placesOf(name: string): Places {
  const state = join(clusterCache, 'run', name)
  return {
    nodeNs: `neardns-${name}-node`,
    worldNs: `neardns-${name}-world`,
    cgroup: `neardns-${name}`,
    state,
    logs: join(state, 'log'),
  }
}

export function readNodeNft(text: string): NodeNft {
  const nft = nodeNfts.find((one) => one === text)
  if (nft === undefined) throw new Error(`--node-nft is one of ${nodeNfts.join(', ')}`)
  return nft
}
