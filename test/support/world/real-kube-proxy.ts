/**
 * The real kube-proxy on a node of the tests, fed by a real API server (kube-server.ts): the rules are whatever it
 * makes of the objects. Version, mode and the nft and iptables that it finds are a test's to choose. What it
 * could not write is noted over restarts, so that it is never missed.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type DebianRelease, kubernetesVersion } from '../../cluster/build/versions.ts'
import { debianDirectory, kubernetesProgram, programPath } from '../needs.ts'
import { Child, until } from '../process.ts'
import type { Netns } from './netns.ts'

export const realProxyModes = ['nftables', 'iptables-nft', 'iptables-legacy'] as const
export type RealProxyMode = (typeof realProxyModes)[number]

/** The one mode that this run is about (NEARDNS_KUBE_PROXY_MODE; see test/cluster/matrix/proxy-matrix.ts). */
export const onlyMode = realProxyModes.find((one) => one === process.env['NEARDNS_KUBE_PROXY_MODE'])
/** The version of kube-proxy that this run is about. */
const onlyVersion = process.env['NEARDNS_KUBE_PROXY_VERSION']
export const isMatrixRun = onlyMode !== undefined || onlyVersion !== undefined

/** For a test that any mode will do for: what it takes unless the run is about another one. */
export function usualMode(mode: RealProxyMode): RealProxyMode {
  return onlyMode ?? mode
}

export interface KubeProxyChoice {
  readonly mode: RealProxyMode
  /** Of Kubernetes, without `v`. NEARDNS_KUBE_PROXY_VERSION or the newest unless given. */
  readonly version?: string
  /** Whose nft and iptables it runs; the machine's unless given. */
  readonly programs?: DebianRelease
}

export interface KubeProxySettings extends KubeProxyChoice {
  readonly node: Netns
  /** Name of the Node object that is its own. */
  readonly nodeName: string
  readonly podNetworks: readonly string[]
  readonly kubeconfig: string
}

export class RealKubeProxy {
  readonly #directory = mkdtempSync(join(tmpdir(), 'neardns-kube-proxy-'))
  /** Syncs of its rules that failed, over restarts: the lines that say so, the same words in each mode since 1.34. */
  readonly syncFailures: string[] = []
  #settings: KubeProxySettings
  #child: Child | undefined

  private constructor(settings: KubeProxySettings) {
    this.#settings = settings
  }

  /** Returns once its rules for both families are written. */
  static async start(settings: KubeProxySettings): Promise<RealKubeProxy> {
    const proxy = new RealKubeProxy(settings)
    try {
      await proxy.startAgain()
      return proxy
    } catch (error) {
      await proxy.remove()
      throw error
    }
  }

  get mode(): RealProxyMode {
    return this.#settings.mode
  }

  /** What the one that runs has said. */
  get lines(): readonly string[] {
    return this.#child?.lines ?? []
  }

  /** Starts it where it was stopped or killed, with other choices if there are any. Returns once it has synced both families. */
  async startAgain(changes: Partial<KubeProxyChoice> = {}): Promise<void> {
    await this.kill()
    this.#settings = { ...this.#settings, ...changes }
    const { node } = this.#settings
    const version = this.#settings.version ?? onlyVersion ?? kubernetesVersion
    const env = { PATH: `${this.#programs()}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
    const args = ['--config', this.#configFile(), '-v=2']
    const program = kubernetesProgram('kube-proxy', version)
    const child = new Child(program, args, { netns: node.name, env })
    this.#child = child
    this.#noteFailures(child)
    const hasWritten = () => {
      if (!child.running) throw new Error('kube-proxy ended')
      return this.#hasSyncedBoth(child)
    }
    const what = `kube-proxy ${version} writes its rules`
    await until(what, hasWritten, { timeoutMs: 30_000 }).catch((error: unknown) => {
      throw new Error(
        `${error instanceof Error ? error.message : error}; it said:\n${child.tail()}`,
      )
    })
  }

  /** SIGKILL, the rules stay. */
  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL')
    this.#child = undefined
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Line by line, since a failure may be followed by more lines than are kept. */
  #noteFailures(child: Child): void {
    if (child.process.stderr === null) return
    createInterface({ input: child.process.stderr }).on('line', (line) => {
      if (/sync failed/i.test(line)) this.syncFailures.push(line)
    })
  }

  #hasSyncedBoth({ lines }: Child): boolean {
    const done = lines.filter((line) => line.includes('SyncProxyRules complete'))
    return ['IPv4', 'IPv6'].every((family) => done.some((line) => line.includes(family)))
  }

  #configFile(): string {
    const { mode, nodeName, podNetworks, kubeconfig } = this.#settings
    const path = join(this.#directory, 'config.yaml')
    const config = {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: mode === 'nftables' ? 'nftables' : 'iptables',
      clusterCIDR: podNetworks.join(','),
      hostnameOverride: nodeName,
      clientConnection: { kubeconfig },
      // nf_conntrack_max is the machine's, not a network namespace's.
      conntrack: { maxPerCore: 0, min: 0 },
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  /** A folder in which `iptables` is the wanted variant, and everything of the wanted release. */
  #programs(): string {
    const { mode, programs: release } = this.#settings
    const variant = mode === 'iptables-legacy' ? 'legacy' : 'nft'
    const folder = join(this.#directory, `programs-${variant}-${release ?? 'machine'}`)
    if (mkdirSync(folder, { recursive: true }) === undefined) return folder
    const from = (name: string) =>
      release === undefined
        ? (programPath(name) ?? name)
        : join(debianDirectory(release), 'bin', name)
    symlinkSync(from('nft'), join(folder, 'nft'))
    for (const program of ['iptables', 'ip6tables']) {
      for (const part of ['', '-save', '-restore']) {
        symlinkSync(from(`${program}-${variant}${part}`), join(folder, `${program}${part}`))
      }
    }
    return folder
  }
}
