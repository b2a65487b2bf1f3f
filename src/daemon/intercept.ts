/** Builds the interception of a daemon, with its self-query, its log lines and its readiness. Decides nothing about the node. */
import type { Endpoint } from '../address/endpoint.ts'
import type { Config, InterceptionSettings } from '../config/schema.ts'
import { Interception } from '../host/interception.ts'
import { openNftables } from '../host/nft/nftables.ts'
import { readProc } from '../host/node-tools.ts'
import { runProgram } from '../host/run-program.ts'
import { setupErrorType, type Trouble, type TroubleKind } from '../host/trouble.ts'
import type { Log } from '../observe/log.ts'
import { Readiness } from '../observe/readiness.ts'
import { selfQuery } from './self-query.ts'

/** A lasting trouble is reported in every round; it is logged once in this time. */
const repeatLogMs = 60_000

export function buildInterception(config: Config, log: Log, readiness: Readiness): Interception {
  const { interception, cluster } = config
  const wanted = interception.addresses.length + interception.clusterIps.length
  const isWanted = wanted > 0 && interception.mode !== 'none'
  if (isWanted) readiness.set('interception', { kind: 'waiting', for: 'its first renewal' })
  return new Interception({
    settings: interception,
    clusterUpstreams: cluster.upstreams,
    run: runProgram,
    readProc,
    openNftables,
    // Whoever reads the socket serves the address: during a hand-over that is another process.
    ask: (at) => selfQuery(at, 'any'),
    onTrouble: (trouble) => logTrouble(log, trouble),
    onChange: (active, blindness) => {
      // The end reports that nothing is intercepted any more, which is no news here.
      if (!isWanted) return
      log.info({ active }, 'interception: addresses whose queries come to this daemon')
      const why =
        active.length > 0 ? blindness : 'no address is intercepted; pods ask CoreDNS directly'
      readiness.set('interception', why === undefined ? { kind: 'ready' } : { kind: 'failed', why })
    },
  })
}

function logTrouble(log: Log, { kind, what, cure }: Trouble): void {
  const heldBack = log.limited(`interception ${kind}`, repeatLogMs)
  if (heldBack === undefined) return
  log.warn({ kind, what, cure, heldBack }, 'interception: trouble with the node')
}

/**
 * Puts the addresses and the lasting rules on the node before anything listens on them, for a parent whose workers intercept. Intercepts
 * nothing itself.
 */
export async function placeAddresses(config: Config, log: Log): Promise<void> {
  const interception = buildInterception(config, log, new Readiness())
  await interception.prepare()
  await interception.close('abandoned')
}

/** Addresses whose packets the rules bring to the daemon. */
export function interceptedBy({
  mode,
  addresses,
  clusterIps,
  port,
}: InterceptionSettings): Endpoint[] {
  const hosts = mode === 'none' ? [] : [...addresses, ...clusterIps]
  return hosts.map((host) => ({ ...host, port }))
}

/** Counts of troubles under the labels of NodeLocal DNSCache's counter. */
export function setupErrors(troubles: ReadonlyMap<TroubleKind, number>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [kind, count] of troubles) {
    const type = setupErrorType[kind]
    if (type !== undefined) counts.set(type, (counts.get(type) ?? 0) + count)
  }
  return counts
}
