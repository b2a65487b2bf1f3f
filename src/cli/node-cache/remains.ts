/**
 * Takes away the rules that a node-cache left on the node, when we cannot serve in its place. Light: it runs where there is no memory for
 * the schema.
 */
import type { InterceptionSettings } from '../../config/schema.ts'
import { detect } from '../../host/detect.ts'
import { readProc } from '../../host/node-tools.ts'
import { clearLeftovers } from '../../host/nodelocal/leftovers.ts'
import { runProgram } from '../../host/run-program.ts'
import type { NodeCacheFlags } from '../../nodelocal/flags.ts'
import { isOnNode } from '../../nodelocal/settings.ts'

/** @returns what was done or could not be, a sentence each */
export async function clearRemains(flags: NodeCacheFlags): Promise<string[]> {
  if (!isOnNode(flags)) return []
  // Leftovers are rules of iptables: the kernel's nftables are not needed.
  const tools = { run: runProgram, readProc, nftables: 'not looked at' }
  const facts = await detect({ tools, settings: settingsOf(flags), clusterUpstreams: [] })
  const troubles = await clearLeftovers(runProgram, facts)
  if (troubles.length > 0) return troubles.map(({ what, cure }) => `${what}; ${cure}`)
  const { length } = facts.leftovers
  return length === 0 ? [] : [`${length} rules of a node-cache removed: pods ask CoreDNS directly`]
}

/** Only addresses and port count here. */
function settingsOf({ localIps, port, interfaceName }: NodeCacheFlags): InterceptionSettings {
  return {
    mode: 'iptables',
    addresses: [],
    clusterIps: localIps,
    port,
    link: { name: interfaceName, kind: 'auto' },
    renewMs: 1000,
    lifetimeMs: 2500,
    leaseSeconds: 1,
    watchMs: 200,
    standbyTo: [],
    standbySeconds: 60,
    standbyExpirySeconds: 0,
    onStop: 'keep',
  }
}
