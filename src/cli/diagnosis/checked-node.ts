/** What `check` knows of a node: facts that others have read. */
import type { Config } from '../../config/schema.ts'
import type { HostFacts } from '../../host/facts.ts'
import type { Plan } from '../../host/plan.ts'
import type { Capability } from './capabilities.ts'
import type { HitsForesight } from './kernel-hits.ts'
import type { Holder, ListeningSocket } from './listeners.ts'

export interface CheckedNode {
  readonly config: Config
  readonly facts: HostFacts
  readonly plan: Plan
  /** Undefined when /proc does not say it. */
  readonly capabilities: ReadonlySet<Capability> | undefined
  readonly userId: number
  readonly sockets: readonly ListeningSocket[]
  readonly holders: (sockets: readonly ListeningSocket[]) => readonly Holder[]
  /** Ports from this one on need no capability (net.ipv4.ip_unprivileged_port_start). */
  readonly freePortMin: number
  /** net.core.rmem_max; undefined when it cannot be read. */
  readonly receiveBytesMax: number | undefined
  readonly memoryLimitBytes: number
  /** Undefined when the mode is off. */
  readonly kernelHits: HitsForesight | undefined
  /** Name servers of resolv.conf. */
  readonly resolvers: readonly string[]
}

/** Whether the configuration asks for addresses or rules on the node. */
export function wantsInterception({ interception }: Config): boolean {
  const { mode, addresses: own, clusterIps } = interception
  return mode !== 'none' && own.length + clusterIps.length > 0
}
