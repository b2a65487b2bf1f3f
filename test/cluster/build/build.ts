/**
 * Builds the programs of a real Kubernetes from Go modules by name, into the cache directory outside of the tree:
 * kubernetes/VERSION/PROGRAM. What is there is not built again, and a build that is broken off leaves nothing half done.
 *
 *   npm run cluster:build -- api        etcd, kube-apiserver, kube-proxy and kubectl of the newest release (the default)
 *   npm run cluster:build -- node       these and kube-controller-manager, kube-scheduler, kubelet, pause
 *   npm run cluster:build -- proxies    kube-proxy of the older releases
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { goPath, kubernetesDirectory, kubernetesProgram } from '../../support/needs.ts'
import { makeGoModule } from '../kubernetes/go-module.ts'
import { kubernetesVersion, olderKubeProxyVersions } from './versions.ts'

const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
} as const
type Program = keyof typeof packages

const apiPrograms: readonly Program[] = ['etcd', 'kube-apiserver', 'kube-proxy', 'kubectl']
const nodePrograms: readonly Program[] = ['kube-controller-manager', 'kube-scheduler', 'kubelet']

/** What the programs of a cluster are built with: static, and the same from the same modules. */
const environment = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=mod -trimpath' }

export const buildSets = ['api', 'node', 'proxies'] as const
export type BuildSet = (typeof buildSets)[number]

/** Builds what is missing of a set. */
export function buildKubernetes(set: BuildSet): void {
  if (set === 'proxies') {
    for (const version of olderKubeProxyVersions) buildOf(version, ['kube-proxy'])
    return
  }
  buildOf(kubernetesVersion, apiPrograms)
  if (set === 'api') return
  buildOf(kubernetesVersion, nodePrograms)
  buildPause()
}

function buildOf(version: string, programs: readonly Program[]): void {
  const missing = programs.filter((name) => !existsSync(kubernetesProgram(name, version)))
  if (missing.length === 0) return
  const folder = join(kubernetesDirectory(version), 'module')
  makeGoModule(go(), version, folder)
  for (const name of missing) {
    build({ target: kubernetesProgram(name, version), from: packages[name], folder, version })
  }
}

function buildPause(): void {
  const target = kubernetesProgram('pause', kubernetesVersion)
  if (existsSync(target)) return
  const folder = join(import.meta.dirname, '..', 'kubernetes', 'pause')
  build({ target, from: '.', folder, version: kubernetesVersion })
}

interface Build {
  readonly target: string
  readonly from: string
  readonly folder: string
  readonly version: string
}

function build({ target, from, folder, version }: Build): void {
  const startedMs = performance.now()
  mkdirSync(join(target, '..'), { recursive: true })
  const unfinished = `${target}.${process.pid}.new`
  execFileSync(go(), ['build', '-ldflags', linkerFlags(version), '-o', unfinished, from], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  })
  renameSync(unfinished, target)
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  console.log(`built ${target} in ${seconds} s, ${statSync(target).size} bytes`)
}

/** The version that a program tells; without it kube-proxy and the kubelet call themselves v0.0.0. */
function linkerFlags(version: string): string {
  const [major = '', minor = ''] = version.split('.')
  const values = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
  }
  const flags = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  )
  return ['-s -w', ...flags].join(' ')
}

function go(): string {
  const path = goPath()
  if (path === undefined)
    throw new Error('Go 1.26 or newer is needed, in PATH or /usr/local/go/bin')
  return path
}

if (import.meta.main) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['api']
  for (const name of wanted) {
    const set = buildSets.find((one) => one === name)
    if (set === undefined) throw new Error(`${name} is none of ${buildSets.join(', ')}`)
    buildKubernetes(set)
  }
}
