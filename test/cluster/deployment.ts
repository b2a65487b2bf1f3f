/**
 * neardns on the test cluster: applied from the project's manifests or chart, its pods, its processes as the machine sees them.
 * Never changes a manifest but where `ways` says so.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { nodeIp, projectDirectory } from './layout.ts'

export const manifestDirectory = join(projectDirectory, 'manifests')

/** What is applied: the manifests as they are, an overlay of them, or the one that takes the ClusterIP over with one more setting. */
export type Way = 'unmodified' | 'cluster-ip' | 'leave-nothing' | 'supervised' | 'iptables-backend'

const folders: Readonly<Record<Way, string>> = {
  unmodified: '.',
  'cluster-ip': 'overlays/cluster-ip',
  'leave-nothing': 'overlays/leave-nothing',
  supervised: 'overlays/cluster-ip',
  'iptables-backend': 'overlays/cluster-ip',
}

/** A line of the ConfigMap, and what stands there instead. */
const changes: Readonly<Partial<Record<Way, readonly [old: string, by: string]>>> = {
  supervised: ['    listen:\n', '    supervisor: always\n    listen:\n'],
  'iptables-backend': ['    interception:\n', '    interception:\n      mode: iptables\n'],
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
    readonly status: {
      readonly containerStatuses?: readonly {
        readonly containerID?: string
        readonly restartCount: number
        readonly ready: boolean
      }[]
    }
  }[]
}

export interface NeardnsPod {
  readonly name: string
  readonly containerId: string
  readonly restarts: number
  readonly isReady: boolean
}

const selector = 'app.kubernetes.io/name=neardns'

export class Deployment {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** What `kubectl apply -k` would apply, as text. */
  async rendered(way: Way): Promise<string> {
    const folder = join(manifestDirectory, folders[way])
    const text = await this.#cluster.kubectl.run(['kustomize', folder])
    const change = changes[way]
    return change === undefined ? text : replaced(text, ...change)
  }

  async apply(way: Way): Promise<void> {
    await this.#cluster.kubectl.apply(await this.rendered(way))
  }

  /** Deletes what was applied and waits until no pod of it is left. */
  async delete(): Promise<void> {
    const { kubectl } = this.#cluster
    const text = await this.rendered('unmodified')
    await kubectl.run(['delete', '--ignore-not-found', '-f', '-'], { stdin: text })
    await this.gone()
  }

  async gone(): Promise<void> {
    const wait = ['-n', 'kube-system', 'wait', '--for=delete', 'pod', '-l', selector]
    await this.#cluster.kubectl.run([...wait, '--timeout=60s'])
  }

  async isReady(seconds: number): Promise<boolean> {
    return await this.#cluster.kubectl.isRolledOut('daemonset/neardns', seconds)
  }

  /** Why it is not ready, as far as it says so. */
  async complaint(): Promise<string> {
    const ready = await this.admin('/ready')
    const log = await this.#cluster.kubectl.try([
      ...['-n', 'kube-system', 'logs', 'daemonset/neardns', '--tail=3'],
    ])
    return `/ready: ${ready.trim()}\nlog: ${(log.stdout + log.stderr).trim()}`
  }

  /** A page of the daemon, asked on the node. */
  async admin(path: string): Promise<string> {
    const url = `http://${nodeIp}:9253${path}`
    const { stdout, stderr } = await this.#cluster.node.inNetwork([
      ...['curl', '-sS', '--max-time', '3', url],
    ])
    return stdout + stderr
  }

  /** The value of a metric without labels, or NaN. */
  async metric(name: string): Promise<number> {
    const page = await this.admin('/metrics')
    const line = page.split('\n').find((text) => text.startsWith(`${name} `))
    return Number(line?.split(' ')[1] ?? Number.NaN)
  }

  async pods(withTerminating = false): Promise<NeardnsPod[]> {
    const text = await this.#cluster.kubectl.run([
      ...['-n', 'kube-system', 'get', 'pods', '-l', selector, '-o', 'json'],
    ])
    const { items } = JSON.parse(text) as PodList
    return items
      .filter(({ metadata }) => withTerminating || metadata.deletionTimestamp === undefined)
      .map(({ metadata, status }) => {
        const container = status.containerStatuses?.[0]
        return {
          name: metadata.name,
          containerId: container?.containerID?.replace('containerd://', '') ?? '',
          restarts: container?.restartCount ?? 0,
          isReady: container?.ready ?? false,
        }
      })
  }

  /** What the daemon warned of last, to explain a fault. */
  async warnings(): Promise<string[]> {
    const args = ['-n', 'kube-system', 'logs', '-l', selector, '--tail=200']
    const { stdout } = await this.#cluster.kubectl.try(args)
    const lines = stdout.split('\n').filter((line) => /"level":"(warn|error)"/.test(line))
    return lines.slice(-4).map((line) => `log: ${line.slice(0, 300)}`)
  }

  /** The log of every pod until it ends, for what a deletion leaves. */
  async lastLogs(): Promise<string[]> {
    const pods = await this.pods(true)
    return await Promise.all(
      pods.map(async ({ name }) => {
        const args = ['-n', 'kube-system', 'logs', '--follow', '--tail=8', name]
        const { stdout, stderr } = await this.#cluster.kubectl.try(args, { timeoutMs: 60_000 })
        return `${name}: ${stdout}${stderr}`
      }),
    )
  }

  async pod(): Promise<NeardnsPod> {
    const [pod] = await this.pods()
    if (pod === undefined || pod.containerId === '') throw new Error('no pod of neardns runs')
    return pod
  }

  /** Every process of the daemon's container, the first one first. */
  async processes(): Promise<number[]> {
    const { containerId } = await this.pod()
    return processesOf(containerId)
  }

  async daemonPid(): Promise<number> {
    const [pid] = await this.processes()
    if (pid === undefined) throw new Error('the daemon does not run')
    return pid
  }
}

/** Machine's pids of a container, oldest first. */
export function processesOf(containerId: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readQuietly(`/proc/${pid}/cgroup`).includes(containerId))
    .map(Number)
    .toSorted((a, b) => a - b)
}

/** The cgroup of a process in a hierarchy of cgroup v1, or the only one of v2. */
export function cgroupOf(pid: number, hierarchy: string): string {
  const lines = readQuietly(`/proc/${pid}/cgroup`).trim().split('\n')
  const v1 = lines.map((line) => line.split(':')).find(([, name]) => name === hierarchy)
  if (v1 !== undefined) return join('/sys/fs/cgroup', hierarchy, v1[2] ?? '')
  const v2 = lines.find((line) => line.startsWith('0::'))
  return join('/sys/fs/cgroup', v2?.slice(3) ?? '')
}

/** @throws when there is nothing to replace: a scenario must not go on with what it was not made for */
export function replaced(text: string, old: string, by: string): string {
  if (!text.includes(old)) throw new Error(`the manifests have no \`${old.trim()}\` any more`)
  return text.replace(old, by)
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process has ended meanwhile.
    return ''
  }
}
