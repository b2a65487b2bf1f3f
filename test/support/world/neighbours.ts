/**
 * Whoever else writes rules on a node, as something that comes and goes: real ufw and firewalld (neighbours-programs.ts), and rulesets
 * that were written down from documents and sources where the program cannot run here (neighbours-rules.ts). They know
 * nothing of neardns.
 */
import { readFileSync } from 'node:fs'
import { type Child, until } from '../process.ts'
import { NodeSystem } from './neighbours-programs.ts'
import type { NodeWorld } from './node-world.ts'

export interface Neighbour {
  /** Its rules are on the node when this returns. */
  arrive(world: NodeWorld): Promise<void>
  /** Writes them anew, as at its own restart. */
  again?(world: NodeWorld): Promise<void>
  /** As its operator switches it off. */
  leave?(): Promise<void>
  /** Ends its processes, and takes away what it has outside of the node. */
  end?(): Promise<void>
}

/** `ufw enable` with Debian's defaults, by which everything that comes in is denied, and with routing as Kubernetes needs it. */
export class Ufw implements Neighbour {
  private system: NodeSystem | undefined

  async arrive({ node }: NodeWorld): Promise<void> {
    this.system = new NodeSystem(node)
    await this.system.run('ufw', 'default', 'allow', 'routed')
    await this.system.run('ufw', '--force', 'enable')
    // It writes two rules more when it does so again.
    await this.again()
  }

  async again(): Promise<void> {
    await this.system?.run('ufw', 'reload')
  }

  async leave(): Promise<void> {
    await this.system?.run('ufw', 'disable')
  }

  async end(): Promise<void> {
    this.system?.remove()
  }
}

export interface FirewalldChoice {
  /** `NftablesTableOwner`: its table is its process's, and nobody else may change it. Firewalld's default since 2.2. */
  readonly isTableOwned: boolean
  /** Arguments of `firewall-offline-cmd`, a call each. */
  readonly settings?: readonly (readonly string[])[]
}

/** One process tree, and so one view of its files; the bus goes with its only user. */
const startFirewalld = `
dbus-daemon --system --nofork --nopidfile & bus=$!
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.1; done
firewalld --nofork --nopid --log-target=console & daemon=$!
trap 'kill -HUP $daemon' HUP
trap 'kill $daemon' TERM
while kill -0 $daemon 2>/dev/null; do wait $daemon; done
kill $bus
`

/** Firewalld on a message bus of its own. */
export class Firewalld implements Neighbour {
  private readonly choice: FirewalldChoice
  private system: NodeSystem | undefined
  private daemon: Child | undefined

  constructor(choice: FirewalldChoice) {
    this.choice = choice
  }

  async arrive(world: NodeWorld): Promise<void> {
    const system = new NodeSystem(world.node)
    this.system = system
    const owner = this.choice.isTableOwned ? 'yes' : 'no'
    const conf = '/etc/firewalld/firewalld.conf'
    await system.run('sed', '-i', `s/^NftablesTableOwner=.*/NftablesTableOwner=${owner}/`, conf)
    for (const one of this.choice.settings ?? []) await system.run('firewall-offline-cmd', ...one)
    await system.run('mkdir', '-p', '/run/dbus', '/run/firewalld')
    const daemon = system.start('sh', '-c', startFirewalld)
    this.daemon = daemon
    const isThere = async () => {
      if (!daemon.running) throw new Error(`firewalld ended: ${daemon.tail()}`)
      const rules = await world.nodeRun('nft', ['list', 'ruleset'])
      return rules.includes('chain filter_INPUT_POLICIES')
    }
    await until('the rules of firewalld', isThere, { timeoutMs: 30_000, everyMs: 100 })
  }

  /** SIGHUP: what `firewall-cmd --reload` does. */
  async again(): Promise<void> {
    this.daemon?.process.kill('SIGHUP')
  }

  async end(): Promise<void> {
    await this.daemon?.stop()
    this.system?.remove()
  }
}

/** A ruleset for `iptables-nft-restore --noflush`, or `-legacy-`. */
export class IptablesText implements Neighbour {
  private readonly text: string
  private readonly variant: 'nft' | 'legacy'
  private readonly programs: readonly string[]

  /** @param families the text must be good for all of them */
  constructor(text: string, variant: 'nft' | 'legacy' = 'nft', families: readonly (4 | 6)[] = [4]) {
    this.text = text
    this.variant = variant
    this.programs = families.map((family) => (family === 4 ? 'iptables' : 'ip6tables'))
  }

  async arrive(world: NodeWorld): Promise<void> {
    for (const program of this.programs) {
      await world.nodeRun(`${program}-${this.variant}-restore`, ['--noflush'], this.text)
    }
  }
}

export class NftText implements Neighbour {
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  async arrive(world: NodeWorld): Promise<void> {
    await world.nodeRun('nft', ['-f', '-'], this.text)
  }
}

/** Switches of the kernel, for the node's namespace alone. */
export class Sysctls implements Neighbour {
  private readonly values: readonly string[]

  constructor(...values: readonly string[]) {
    this.values = values
  }

  async arrive({ node }: NodeWorld): Promise<void> {
    for (const value of this.values) await node.exec('sysctl', '-qw', value)
  }
}

/** Whether the kernel has a match of iptables: not every kernel that tests run on has `rpfilter`. */
export function hasMatch(name: string): boolean {
  try {
    return readFileSync('/proc/net/ip_tables_matches', 'latin1').split('\n').includes(name)
  } catch {
    return false
  }
}
