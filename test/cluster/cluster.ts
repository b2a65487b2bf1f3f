/**
 * A whole one-node Kubernetes in namespaces: up, down, and the handle for everything else. Leaves the machine as it was; no packet has a
 * way off it.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { corednsPath, debianDirectory } from '../support/needs.ts'
import { imageArchives, imageNft } from './build/images.ts'
import { rendered } from './components.ts'
import { Kubectl } from './kubectl.ts'
import {
  type ClusterOptions,
  clusterDomain,
  configDirectory,
  defaultOptions,
  kubernetesIp,
  type NodeNft,
  nodeIp,
  nodeName,
  placesOf,
  podCidr,
  shellDirectory,
  worldIp,
} from './layout.ts'
import { Node } from './node.ts'
import { must, waitFor } from './run.ts'

type Say = (text: string) => void

/** Settings of the machine that the kubelet writes; `down` puts them back. */
const machineSysctls = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
]

export class Cluster {
  readonly node: Node
  readonly kubectl: Kubectl
  options: ClusterOptions

  private constructor(options: ClusterOptions) {
    this.options = options
    this.node = new Node(options.name)
    this.kubectl = new Kubectl(this.node)
  }

  /** Brings the cluster up until CoreDNS answers; one that is up already is taken as it is. */
  static async up(wanted: Partial<ClusterOptions>, say: Say): Promise<Cluster> {
    const options = { ...defaultOptions, ...wanted }
    const running = Cluster.attach(options.name)
    if (running !== undefined) {
      say(`cluster ${options.name} is up already`)
      return running
    }
    // What a broken start left.
    await new Cluster(options).down()
    const cluster = new Cluster(options)
    try {
      await cluster.#start(say)
    } catch (error) {
      say(cluster.#lastWords())
      throw error
    }
    return cluster
  }

  /** The cluster of this name, when it is up. */
  static attach(name: string = defaultOptions.name): Cluster | undefined {
    const file = optionsFile(name)
    if (!existsSync(file)) return undefined
    const cluster = new Cluster(JSON.parse(readFileSync(file, 'utf8')) as ClusterOptions)
    return cluster.node.isRunning('kubelet') ? cluster : undefined
  }

  /** Takes down the cluster of this name, or what is left of one. */
  static async remove(name: string): Promise<void> {
    await new Cluster({ ...defaultOptions, name }).down()
  }

  /** Ends everything and puts the machine's settings back. Does nothing when nothing is there. */
  async down(): Promise<void> {
    const { state, cgroup } = this.node.places
    await this.node.destroy()
    this.node.stopWorld()
    await this.#network('down')
    this.#restoreSysctls()
    await removeCgroups(cgroup)
    rmSync(state, { recursive: true, force: true })
  }

  /** Starts a component anew, with other options if wanted. */
  async restart(component: 'kubelet' | 'kube-proxy', change: Partial<ClusterOptions> = {}) {
    await this.node.stop(component)
    this.options = { ...this.options, ...change }
    this.#remember()
    await this.node.start(component, this.options)
  }

  async #start(say: Say): Promise<void> {
    const startedMs = performance.now()
    const done = (what: string) =>
      say(`${what} after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
    const { node, options, kubectl } = this
    const { state, logs } = node.places
    for (const folder of [logs, join(state, 'cni-conf')]) mkdirSync(folder, { recursive: true })
    this.#remember()
    this.#saveSysctls()
    writeFileSync(join(state, 'resolv.conf'), `nameserver ${worldIp}\n`)
    await this.#network('up')
    await must(this.#shell('pki.sh', state, nodeName, nodeIp, kubernetesIp, clusterDomain))
    await node.create(options, nftOf(options.nodeNft))
    node.startWorld([corednsPath() ?? 'coredns', '-conf', rendered('world.Corefile', options)])
    await Promise.all([
      this.#startControlPlane().then(() => done('API server ready')),
      this.#startContainers().then(() => done('images imported')),
    ])
    makeCgroups(node.places.cgroup)
    await node.start('kubelet', options)
    await node.start('kube-proxy', options)
    await this.#waitForNode()
    done('node Ready')
    await kubectl.apply(readFileSync(join(configDirectory, 'coredns.yaml'), 'utf8'))
    await kubectl.mustBeRolledOut('deployment/coredns', 120)
    done('CoreDNS available')
  }

  async #startControlPlane(): Promise<void> {
    const { node, options, kubectl } = this
    await node.start('etcd', options)
    await node.start('kube-apiserver', options)
    await waitFor('kube-apiserver', 90, async () => {
      return (await kubectl.try(['get', '--raw', '/readyz'])).code === 0
    })
    await node.start('kube-controller-manager', options)
    await node.start('kube-scheduler', options)
  }

  async #startContainers(): Promise<void> {
    const { node, options } = this
    const cni = readFileSync(join(configDirectory, 'cni.conflist'))
    writeFileSync(join(node.places.state, 'cni-conf', '10-test.conflist'), cni)
    await node.start('containerd', options)
    await waitFor('containerd', 30, async () => (await node.run(['ctr', 'version'])).code === 0)
    for (const archive of imageArchives()) {
      await node.must(['ctr', '-n', 'k8s.io', 'images', 'import', '--digests=false', archive])
    }
  }

  async #waitForNode(): Promise<void> {
    const condition = ['wait', '--for=condition=Ready', `node/${nodeName}`, '--timeout=1s']
    await waitFor('node Ready', 90, async () => (await this.kubectl.try(condition)).code === 0)
  }

  #network(verb: 'up' | 'down'): Promise<string> {
    const { nodeNs, worldNs } = this.node.places
    return must(this.#shell('network.sh', verb, nodeNs, worldNs, nodeIp, worldIp, podCidr))
  }

  #shell(script: string, ...args: readonly string[]): string[] {
    return [join(shellDirectory, script), ...args]
  }

  #remember(): void {
    writeFileSync(optionsFile(this.options.name), JSON.stringify(this.options))
  }

  #saveSysctls(): void {
    const values = machineSysctls
      .filter((name) => existsSync(join('/proc/sys', name)))
      .map((name) => [name, readFileSync(join('/proc/sys', name), 'utf8').trim()])
    writeFileSync(this.#sysctlFile(), JSON.stringify(Object.fromEntries(values)))
  }

  #restoreSysctls(): void {
    if (!existsSync(this.#sysctlFile())) return
    const saved = JSON.parse(readFileSync(this.#sysctlFile(), 'utf8')) as Record<string, string>
    for (const [name, value] of Object.entries(saved)) {
      const path = join('/proc/sys', name)
      if (readFileSync(path, 'utf8').trim() !== value) writeFileSync(path, value)
    }
  }

  #sysctlFile(): string {
    return join(this.node.places.state, 'sysctls.json')
  }

  /** The end of each log, for a start that failed. */
  #lastWords(): string {
    const { logs } = this.node.places
    return readdirSync(logs)
      .map((file) => {
        const lines = readFileSync(join(logs, file), 'utf8').trim().split('\n')
        return `-- ${file}\n${lines.slice(-4).join('\n')}`
      })
      .join('\n')
  }
}

/** Undefined: the machine's own. */
function nftOf(nodeNft: NodeNft): string | undefined {
  if (nodeNft === 'machine') return undefined
  const path = nodeNft === 'image' ? imageNft() : join(debianDirectory(nodeNft), 'bin', 'nft')
  if (!existsSync(path)) throw new Error(`${path} is missing: npm run cluster:nft`)
  return path
}

function optionsFile(name: string): string {
  return join(placesOf(name).state, 'options.json')
}

const cgroupRoot = '/sys/fs/cgroup'

function hierarchies(): string[] {
  // cgroup v2 alone is one hierarchy, with a file of its own at the root.
  if (existsSync(join(cgroupRoot, 'cgroup.controllers'))) return [cgroupRoot]
  return readdirSync(cgroupRoot).map((name) => join(cgroupRoot, name))
}

function makeCgroups(cgroup: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, cgroup), { recursive: true })
  const cpuset = join(cgroupRoot, 'cpuset')
  if (!existsSync(join(cpuset, 'cpuset.cpus'))) return
  // cgroup v1: a new cpuset is empty, and no process could enter it.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeFileSync(join(cpuset, cgroup, file), readFileSync(join(cpuset, file)))
  }
}

async function removeCgroups(cgroup: string): Promise<void> {
  const roots = hierarchies().map((hierarchy) => join(hierarchy, cgroup))
  // The kernel lets go of a cgroup a moment after its last process.
  await waitFor('the end of the cgroups', 20, () => {
    for (const root of roots) removeTree(root)
    return !roots.some((root) => existsSync(root))
  })
}

/** The files of a cgroup cannot be removed, its folders can. */
function removeTree(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name))
  }
  try {
    rmdirSync(folder)
  } catch {
    // Busy still: the caller looks again.
  }
}
