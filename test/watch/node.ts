/**
 * What only a node can show, in a network namespace of its own: a daemon that may not write rules, one whose own question a
 * firewall drops, so that queries pass it by, and one whose address another program takes away. No kube-proxy, no CoreDNS.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtProgram } from '../support/built-program.ts'
import { Child, mustRun, until } from '../support/process.ts'
import { Agent } from '../support/world/agent.ts'
import { Netns } from '../support/world/netns.ts'
import type { Target } from './prometheus.ts'
import { targetLabels } from './watched.ts'
import { Window } from './window.ts'

/** The sets of the DaemonSet, and the same without the one that rules need. */
const rights = { whole: '-all,+net_bind_service,+net_admin', none: '-all,+net_bind_service' }

interface Tenant {
  readonly address: string
  readonly admin: string
  readonly bounding: string
}

/** The names are those of the targets. */
const tenants = {
  'without-rights': { address: '169.254.20.10', admin: '127.0.0.1:9253', bounding: rights.none },
  'cut-off': { address: '169.254.20.11', admin: '127.0.0.1:9254', bounding: rights.whole },
  disturbed: { address: '169.254.20.12', admin: '127.0.0.1:9255', bounding: rights.whole },
} satisfies Record<string, Tenant>

export class WatchedNode {
  readonly targets: readonly Target[]
  readonly #netns: Netns
  readonly #agent: Agent
  readonly #directory: string
  readonly #daemons: readonly Child[]
  readonly #windows: readonly Window[]
  #isRemoved = false

  private constructor(parts: {
    netns: Netns
    agent: Agent
    directory: string
    daemons: readonly Child[]
    windows: readonly Window[]
  }) {
    this.#netns = parts.netns
    this.#agent = parts.agent
    this.#directory = parts.directory
    this.#daemons = parts.daemons
    this.#windows = parts.windows
    this.targets = Object.keys(tenants).map((name, n) => ({
      address: parts.windows[n]?.address ?? '',
      labels: targetLabels(name),
    }))
  }

  static async create(): Promise<WatchedNode> {
    const netns = await Netns.create('watch')
    const agent = new Agent(netns)
    const directory = await mkdtemp(join(tmpdir(), 'neardns-watch-'))
    // It cannot be put there by a daemon without rights, and a daemon that cannot bind ends.
    await netns.ip('addr', 'add', `${tenants['without-rights'].address}/32`, 'dev', 'lo')
    const daemons: Child[] = []
    const windows: Window[] = []
    for (const [name, tenant] of Object.entries(tenants)) {
      daemons.push(await startTenant(netns, join(directory, `${name}.yaml`), tenant))
      windows.push(await Window.open(agent, tenant.admin))
    }
    return new WatchedNode({ netns, agent, directory, daemons, windows })
  }

  /** As another program would, again and again; waits for the daemon to put it back each time. */
  async takeAddressAway(times: number): Promise<void> {
    const { address } = tenants.disturbed
    for (let n = 0; n < times; n++) {
      await until('the address is there', () => this.#hasAddress(address), { timeoutMs: 15_000 })
      await this.#netns.ip('addr', 'del', `${address}/32`, 'dev', 'nodelocaldns')
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }

  /** A firewall rule that drops what the daemon asks itself, as that of kubelet and kube-proxy did (KUBE-FIREWALL). */
  async cutOff(): Promise<void> {
    const { address } = tenants['cut-off']
    const table = `table inet firewall {
  chain input {
    type filter hook input priority filter
    ip daddr ${address} drop
  }
}`
    await mustRun('nft', ['-f', '-'], { netns: this.#netns.name, stdin: table })
  }

  async remove(): Promise<void> {
    if (this.#isRemoved) return
    this.#isRemoved = true
    for (const daemon of this.#daemons) await daemon.stop('SIGKILL')
    for (const window of this.#windows) await window.close()
    await this.#agent.stop()
    await this.#netns.remove()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #hasAddress(address: string): Promise<boolean> {
    return (await this.#netns.ip('-oneline', 'addr')).includes(` ${address}/`)
  }
}

async function startTenant(netns: Netns, config: string, tenant: Tenant): Promise<Child> {
  const { address, admin, bounding } = tenant
  const settings = {
    listen: [`${address}:53`],
    admin: { listen: admin },
    interception: { addresses: [address], link: { kind: 'bridge' } },
    external: { upstreams: ['127.0.0.1:1'] },
  }
  await writeFile(config, JSON.stringify(settings))
  const sets = ['--bounding-set', bounding, '--inh-caps=-all', '--no-new-privs']
  const command = [...sets, process.execPath, builtProgram(), 'run', '--config', config]
  const daemon = new Child('setpriv', command, { netns: netns.name })
  await daemon.line((line) => line.includes('"listening"'), 60_000)
  return daemon
}
