/**
 * A cluster under test: brings neardns into the state that a scenario begins with, and looks after what must hold behind every scenario.
 * Never decides what is lost too much (bounds.ts).
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { imageNft } from './build/images.ts'
import { Cluster } from './cluster.ts'
import { Deployment } from './deployment.ts'
import { helm, installChart } from './helm.ts'
import { type ClusterOptions, kubeDnsIp, linkLocal, projectDirectory } from './layout.ts'
import type { Node } from './node.ts'
import { applyPods, clientPid } from './pods.ts'
import { pause, run, waitFor } from './run.ts'
import type { Scenario } from './scenario.ts'

const readySeconds = 75
const settleMs = 3000

export class Lab {
  readonly cluster: Cluster
  readonly neardns: Deployment
  /** In whose namespaces loads run. */
  readonly clientPid: number
  /** How many upgrades the scenario `upgrade` makes. */
  readonly upgrades: number
  readonly #options: ClusterOptions
  #setting: Scenario['setting'] = 'nothing'
  #isSpoilt = false
  #services = 0

  readonly #nftVersion: string

  private constructor(cluster: Cluster, pid: number, nftVersion: string, upgrades: number) {
    this.cluster = cluster
    this.neardns = new Deployment(cluster)
    this.clientPid = pid
    this.upgrades = upgrades
    this.#nftVersion = nftVersion
    this.#options = cluster.options
  }

  static async open(
    options: Partial<ClusterOptions>,
    upgrades: number,
    say: (text: string) => void,
  ): Promise<Lab> {
    const cluster = await Cluster.up(options, say)
    await applyPods(cluster)
    const nft = await cluster.node.must(['nft', '--version'])
    const nftVersion = /v(\S+)/.exec(nft)?.[1] ?? 'unknown'
    const lab = new Lab(cluster, await clientPid(cluster), nftVersion, upgrades)
    const fault = await lab.#serviceFault('web')
    if (fault !== undefined) throw new Error(fault)
    return lab
  }

  get node(): Node {
    return this.cluster.node
  }

  get variant(): string {
    const { proxyMode, kubeProxyVersion } = this.#options
    const nft = proxyMode === 'nftables' ? `, nft ${this.#nftVersion} on the node` : ''
    return `kube-proxy ${kubeProxyVersion}, ${proxyMode}${nft}`
  }

  /** @returns why the state that the scenario begins with cannot be had */
  async prepare({ setting = 'cluster-ip' }: Scenario): Promise<string | undefined> {
    await this.#restoreCluster()
    if (this.#setting === setting && !this.#isSpoilt && (await this.#isFresh())) return undefined
    await this.clear()
    this.#setting = setting
    this.#isSpoilt = false
    if (setting === 'nothing') {
      // kube-proxy forgets the last scenario's Service.
      await pause(settleMs)
      return undefined
    }
    if (setting === 'chart') await this.#installChart()
    else await this.neardns.apply(setting)
    return await this.#unreadiness()
  }

  async installChart(): Promise<void> {
    await this.#installChart()
    this.#setting = 'chart'
    await this.mustBeReady()
  }

  async mustBeReady(): Promise<void> {
    const why = await this.#unreadiness()
    if (why !== undefined) throw new Error(why)
  }

  /** The next scenario must begin anew: something was changed that pods do not show. */
  spoil(): void {
    this.#isSpoilt = true
  }

  /** Takes neardns off the cluster, however it came there, and off the node. */
  async clear(): Promise<void> {
    if (this.#setting === 'chart')
      await helm(this.cluster, ['uninstall', 'neardns', '--no-hooks', '--ignore-not-found'])
    await this.neardns.delete()
    this.#setting = 'nothing'
    await this.removeRemains()
  }

  /** What a plain deletion leaves on the node by intent: addresses and standby. */
  async removeRemains(): Promise<void> {
    const config = join(this.node.places.state, 'remove.yaml')
    writeFileSync(
      config,
      `listen: ["${linkLocal}:53", "${kubeDnsIp}:53"]\n` +
        `interception: { addresses: ["${linkLocal}"], clusterIps: ["${kubeDnsIp}"] }\n`,
    )
    const path = `${dirname(imageNft())}:${process.env['PATH']}`
    await this.node.must(
      [
        process.execPath,
        join(projectDirectory, 'src/main.ts'),
        'rules',
        'remove',
        '--config',
        config,
      ],
      { env: { PATH: path } },
    )
  }

  async rollOutCoredns(): Promise<void> {
    const { kubectl } = this.cluster
    await kubectl.run(['-n', 'kube-system', 'rollout', 'restart', 'deployment/coredns'])
    await kubectl.mustBeRolledOut('deployment/coredns', 120)
  }

  async scaleCoredns(replicas: number): Promise<void> {
    const scale = ['scale', 'deployment/coredns', `--replicas=${replicas}`]
    await this.cluster.kubectl.run(['-n', 'kube-system', ...scale])
    await this.cluster.kubectl.mustBeRolledOut('deployment/coredns', 120)
  }

  async deleteDaemonSet(): Promise<void> {
    const { kubectl } = this.cluster
    await kubectl.run(['-n', 'kube-system', 'delete', 'daemonset', 'neardns'])
    await this.neardns.gone()
    this.#setting = 'unmodified'
  }

  async restartKubeProxy(mode = this.cluster.options.proxyMode): Promise<void> {
    await this.cluster.restart('kube-proxy', { proxyMode: mode })
  }

  /** The mode that kube-proxy is switched to, and back from. */
  otherMode(): ClusterOptions['proxyMode'] {
    return this.#options.proxyMode === 'nftables' ? 'iptables-nft' : 'nftables'
  }

  async waitUntilServing(seconds = readySeconds): Promise<void> {
    await waitFor('neardns serving again', seconds, async () => {
      const [pod] = await this.neardns.pods()
      return pod?.isReady === true
    })
  }

  /** Failed syncs of kube-proxy since the cluster's start. */
  failedSyncs(): number {
    const failed = /sync failed|Failed to execute iptables-restore|Failed to sync/gi
    return (this.node.log('kube-proxy').match(failed) ?? []).length
  }

  /** Makes a Service and asks it from the client's network. @returns what went wrong */
  async newServiceFault(): Promise<string | undefined> {
    const { kubectl } = this.cluster
    const name = `after-${++this.#services}`
    await kubectl.run(['expose', 'pod', 'web', `--name=${name}`, '--port=80', '--target-port=8080'])
    try {
      return await this.#serviceFault(name)
    } finally {
      await kubectl.try(['delete', 'service', name, '--wait=false'])
    }
  }

  async close(): Promise<void> {
    await this.cluster.down()
  }

  async #serviceFault(name: string): Promise<string | undefined> {
    const { kubectl } = this.cluster
    const ip = await kubectl.run(['get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}'])
    const curl = ['curl', '-sS', '--max-time', '1', `http://${ip}/`]
    let said = ''
    try {
      await waitFor(`the Service ${name}`, 15, async () => {
        const ran = await run(['nsenter', '-t', String(this.clientPid), '--net', ...curl])
        said = ran.stdout + ran.stderr
        return ran.stdout.includes('hello')
      })
      return undefined
    } catch (error) {
      return `${String(error)}: ${said.trim()}`
    }
  }

  async #installChart(): Promise<void> {
    const settings = ['--set', `config.dnsServer=${kubeDnsIp}`]
    await installChart(this.cluster, settings, () => undefined)
  }

  async #unreadiness(): Promise<string | undefined> {
    if (await this.neardns.isReady(readySeconds)) return undefined
    return `neardns is not ready: ${await this.neardns.complaint()}`
  }

  /** True when no scenario has left a trace in neardns. */
  async #isFresh(): Promise<boolean> {
    if (this.#setting === 'nothing') return false
    const pods = await this.neardns.pods(true)
    return pods.length === 1 && pods.every(({ isReady, restarts }) => isReady && restarts === 0)
  }

  async #restoreCluster(): Promise<void> {
    if (this.cluster.options.proxyMode !== this.#options.proxyMode) {
      await this.restartKubeProxy(this.#options.proxyMode)
      await pause(5000)
    }
    await this.scaleCoredns(2)
  }
}
