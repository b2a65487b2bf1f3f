/**
 * The first thing that a start in the place of node-cache does, before its configuration and most of its code are read: pods ask CoreDNS
 * until this process serves (host/nodelocal/early-standby.ts). A file of its own in the bundle, as small as it can be: each millisecond costs queries.
 */
import { parseAddress } from '../../config/address.ts'
import { openNftables } from '../../host/nft/nftables.ts'
import { usableNftables } from '../../host/node-tools.ts'
import { type EarlyTools, leadToCoredns } from '../../host/nodelocal/early-standby.ts'
import { forgetFlows } from '../../host/nodelocal/flows.ts'
import { readNodeCacheFlags } from '../../nodelocal/flags.ts'
import { serviceAddress } from '../../nodelocal/render.ts'
import { standbyExpirySeconds } from '../../nodelocal/settings.ts'
import { textAt } from '../../platform/text-at.ts'
import { firstSocketsIn } from '../../system/first-sockets.ts'
import { hasHandedConfig } from '../handed-config.ts'

/** @param argv node-cache's arguments. @returns what was done or could not be, a sentence each */
export async function leadPodsToCoredns(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const read = readNodeCacheFlags(argv)
  // Without rules of ours nothing stands in for us. The second start of a process finds the work of the first.
  if (read.kind !== 'serve' || !read.flags.setupIptables || hasHandedConfig()) return []
  const { localIps: addresses, port, upstreamService } = read.flags
  const service = parseAddress(serviceAddress(environment, upstreamService) ?? '')
  const opened = await openNftables()
  const tools: EarlyTools = {
    forgetFlows,
    run: async (...call) => (await import('../../host/run-program.ts')).runProgram(...call),
    readProc: async (path) => textAt(path) ?? '',
    nftables: opened.ok ? opened.nftables : opened.why,
  }
  try {
    return await leadToCoredns(tools, {
      addresses,
      port,
      standbyExpiryMs: standbyExpirySeconds * 1000,
      held: firstSocketsIn(environment).map(({ at }) => at),
      services: service.ok ? [service.value] : [],
    })
  } finally {
    await usableNftables(tools)?.close()
  }
}
