/**
 * Network namespaces for tests: a bridge between a "node" and its "pods", or a lone namespace with a loopback.
 * Everything made here is inside namespaces with the test's own name and goes away with them; the machine's own
 * interfaces and rules are never touched. A resolv.conf of its own is what `ip netns exec` mounts from /etc/netns.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mustRun } from '../process.ts'

let counter = 0
let swept: Promise<void> | undefined

export class Netns {
  readonly name: string

  private constructor(name: string) {
    this.name = name
  }

  /** Makes a namespace whose loopback is up. */
  static async create(label: string): Promise<Netns> {
    swept ??= sweepOrphans()
    await swept
    counter += 1
    const netns = new Netns(`neardns-${process.pid}-${counter}-${label}`)
    await mustRun('ip', ['netns', 'add', netns.name])
    await netns.ip('link', 'set', 'lo', 'up')
    return netns
  }

  /** `ip` inside this namespace. */
  async ip(...args: readonly string[]): Promise<string> {
    return await mustRun('ip', ['-n', this.name, ...args])
  }

  /** Any command inside this namespace; it must succeed. */
  async exec(command: string, ...args: readonly string[]): Promise<string> {
    return await mustRun(command, args, { netns: this.name })
  }

  /** What programs started with `ip netns exec` from now on read as /etc/resolv.conf. */
  setResolvConf(text: string): void {
    mkdirSync(`/etc/netns/${this.name}`, { recursive: true })
    writeFileSync(`/etc/netns/${this.name}/resolv.conf`, text)
  }

  /** Packets to `address`:`port` vanish on arrival: a black hole, not a refusal. DROP on OUTPUT would give the sender EPERM. */
  async blackHole(address: string, port: number): Promise<void> {
    await this.#dropRules('-A', address, port)
  }

  async unblackHole(address: string, port: number): Promise<void> {
    await this.#dropRules('-D', address, port)
  }

  async remove(): Promise<void> {
    await mustRun('ip', ['netns', 'del', this.name])
    rmSync(`/etc/netns/${this.name}`, { recursive: true, force: true })
  }

  async #dropRules(action: '-A' | '-D', address: string, port: number): Promise<void> {
    for (const protocol of ['udp', 'tcp']) {
      const match = ['-d', address, '-p', protocol, '--dport', String(port), '-j', 'DROP']
      await this.exec('iptables', '-w', '-t', 'raw', action, 'PREROUTING', ...match)
    }
  }
}

export interface NodeAndPod {
  readonly node: Netns
  readonly pod: Netns
  remove(): Promise<void>
}

/** Addresses of `nodeAndPod`. */
export const nodeAddress = '10.77.0.1'
export const podAddress = '10.77.0.2'

/**
 * A node namespace with a bridge, and a pod namespace on that bridge with IPv4 and IPv6 and the node as its
 * default route, which is how a pod reaches 169.254.20.10. The link-local address sits on the node's loopback:
 * not every kernel has the dummy driver.
 */
export async function nodeAndPod(linkLocal = '169.254.20.10'): Promise<NodeAndPod> {
  const node = await Netns.create('node')
  const pod = await Netns.create('pod')
  await node.ip('link', 'add', 'br0', 'type', 'bridge')
  await node.ip('addr', 'add', `${nodeAddress}/24`, 'dev', 'br0')
  await node.ip('addr', 'add', 'fd77::1/64', 'dev', 'br0', 'nodad')
  await node.ip('addr', 'add', `${linkLocal}/32`, 'dev', 'lo')
  await node.ip('link', 'set', 'br0', 'up')
  await node.ip('link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
  await node.ip('link', 'set', 'veth0', 'master', 'br0', 'up')
  await pod.ip('addr', 'add', `${podAddress}/24`, 'dev', 'eth0')
  await pod.ip('addr', 'add', 'fd77::2/64', 'dev', 'eth0', 'nodad')
  await pod.ip('link', 'set', 'eth0', 'up')
  await pod.ip('route', 'add', 'default', 'via', nodeAddress)
  await pod.ip('-6', 'route', 'add', 'default', 'via', 'fd77::1')
  const remove = async () => {
    await pod.remove()
    await node.remove()
  }
  return { node, pod, remove }
}

/** A run that was killed leaves its namespaces, and servers in them. Their names say whose they were. */
async function sweepOrphans(): Promise<void> {
  const list = await mustRun('ip', ['netns', 'list'])
  for (const [name, pid] of list.matchAll(/^neardns-(\d+)-\S+/gm)) {
    if (existsSync(`/proc/${pid}`)) continue
    const inside = await mustRun('ip', ['netns', 'pids', name])
    for (const orphan of inside.split(/\s+/).filter((text) => text !== ''))
      endQuietly(Number(orphan))
    await mustRun('ip', ['netns', 'del', name])
    rmSync(`/etc/netns/${name}`, { recursive: true, force: true })
  }
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
