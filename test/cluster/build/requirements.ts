/**
 * What a machine must have to run the test cluster, and the command that brings it. Never installs anything.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { corednsPath, howToGet, kubernetesProgram } from '../../support/needs.ts'
import { areImagesMade } from './images.ts'

/** Programs and the Debian packages that bring them; .ci/run has the same list. */
export const clusterPrograms: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  iptables: 'iptables',
  nft: 'nftables',
  conntrack: 'conntrack',
  nsenter: 'util-linux',
  openssl: 'openssl',
  curl: 'curl',
  containerd: 'containerd',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  buildah: 'buildah',
  mmdebstrap: 'mmdebstrap',
  busybox: 'busybox-static',
  setcap: 'libcap2-bin',
}

export const kubernetesPrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
] as const

/** Debian packages that are missing. */
export function missingPackages(): string[] {
  const missing = Object.entries(clusterPrograms).filter(([program]) => !isInPath(program))
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))]
}

export function areKubernetesProgramsBuilt(): boolean {
  return kubernetesPrograms.every((program) => existsSync(kubernetesProgram(program)))
}

/** True when a cluster can be started without building or installing anything. */
export function isReadyForCluster(): boolean {
  return (
    howToGet('netns') === undefined &&
    missingPackages().length === 0 &&
    corednsPath() !== undefined &&
    areKubernetesProgramsBuilt() &&
    areImagesMade()
  )
}

function isInPath(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program)
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return directories.some((directory) => existsSync(join(directory, program)))
}
