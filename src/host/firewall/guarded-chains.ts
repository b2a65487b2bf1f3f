/**
 * Finds the chains that a query to the daemon must pass: base chains at input and output that drop unaccepted packets. A
 * packet without a connection (NOTRACK) matches none of the usual accepts for established connections. Chains that only their
 * owner can open are marked as closed. Reads, changes nothing.
 */
import { type GuardedChain, savedTable } from '../facts.ts'
import { type BaseChain, chainOf, isRefusal, type RuleFact } from '../nft/decode.ts'
import type { Place } from '../nft/model.ts'
import type { Nftables } from '../nft/nftables.ts'
import { hasOpening } from './openings.ts'

/** NF_INET_LOCAL_IN and NF_INET_LOCAL_OUT. */
const hookNames: Readonly<Record<number, GuardedChain['hook']>> = { 1: 'input', 3: 'output' }
/** Expressions that match every packet. */
const unconditional = new Set(['counter', 'log', 'immediate', 'reject', 'target'])
/** `INPUT` -> a chain of the firewall -> one more; no firewall was seen to go deeper. */
const depthMax = 3

/** The last chain on the way of a pod's packet to its node in Calico's two dataplanes, by the table of the base chain. */
const calicoToHost: Readonly<Record<string, string>> = {
  filter: 'cali-wl-to-host',
  calico: 'filter-cali-wl-to-host',
}
/** Felix keeps putting its own rules before all others: an accept rule of ours would not stay in force. */
const calicoDrops =
  'Calico drops what pods send to their node (defaultEndpointToHostAction is Drop)'

const ownerCloses = 'it refuses pods, and its table belongs to another process (flags owner)'

export async function guardedChains(nftables: Nftables, port = 53): Promise<GuardedChain[]> {
  const owned = (await nftables.tables()).filter(({ isOwned }) => isOwned)
  const found: GuardedChain[] = []
  for (const base of await nftables.baseChains()) {
    if (base.type !== 'filter' || base.table.startsWith('neardns')) continue
    const isOwned = owned.some(({ family, name }) => family === base.family && name === base.table)
    const one = await guardOf(nftables, base, isOwned ? port : undefined)
    if (one !== undefined) found.push(one)
  }
  return found
}

/** @param ownedPort given when another process owns the table: the port that the table may let in by itself */
async function guardOf(
  nftables: Nftables,
  base: BaseChain,
  ownedPort: number | undefined,
): Promise<GuardedChain | undefined> {
  const hook = hookNames[base.hook]
  if (hook === undefined) return undefined
  const { family, table, chain } = base
  const guarded = { family, table, chain, hook, ...ownerOf(base) }
  if (hook === 'input' && (await dropsToHost(nftables, base))) {
    return { ...guarded, closed: calicoDrops }
  }
  if (!base.dropsByPolicy && !(await refusesAtItsEnd(nftables, base, depthMax))) return undefined
  if (ownedPort === undefined) return guarded
  return (await hasOpening(nftables, base, ownedPort))
    ? undefined
    : { ...guarded, closed: ownerCloses }
}

/** Chains of iptables that netlink shows are of its nft variant. */
function ownerOf(base: BaseChain): Pick<GuardedChain, 'owner' | 'variant'> {
  return isOfIptables(base) ? { owner: 'iptables', variant: 'nft' } : { owner: 'nft' }
}

/** Whether iptables created the chain, and must be able to read it. */
export function isOfIptables({ family, table, chain }: Place): boolean {
  return family !== 'inet' && table === 'filter' && (chain === 'INPUT' || chain === 'OUTPUT')
}

async function dropsToHost(nftables: Nftables, base: BaseChain): Promise<boolean> {
  const chain = calicoToHost[base.table]
  if (chain === undefined || base.family === 'inet') return false
  const last = (await nftables.rules({ ...base, chain })).at(-1)
  return last?.expressions.some(isRefusal) ?? false
}

async function refusesAtItsEnd(nftables: Nftables, at: Place, depth: number): Promise<boolean> {
  const last = (await nftables.rules(at)).at(-1)
  if (last === undefined || !isUnconditional(last)) return false
  if (last.expressions.some(isRefusal)) return true
  const next = last.expressions.map(chainOf).find((chain) => chain !== undefined)
  if (next === undefined || depth === 0) return false
  return await refusesAtItsEnd(nftables, { ...at, chain: next }, depth - 1)
}

function isUnconditional({ expressions }: RuleFact): boolean {
  return expressions.every(({ name }) => unconditional.has(name))
}

/** The same for the output of `iptables-legacy-save`. */
export function guardedInSave(saved: string, family: 'ip' | 'ip6'): GuardedChain[] {
  const filter = savedTable(saved, 'filter')
  const isClosedByCalico = endsInRefusal(filter, 'cali-wl-to-host')
  return (['INPUT', 'OUTPUT'] as const)
    .filter(
      (chain) =>
        (chain === 'INPUT' && isClosedByCalico) ||
        new RegExp(`^:${chain} DROP `, 'm').test(filter) ||
        endsInRefusal(filter, chain),
    )
    .map((chain) => ({
      family,
      table: 'filter',
      chain,
      hook: chain === 'INPUT' ? 'input' : 'output',
      owner: 'iptables',
      variant: 'legacy',
      ...(chain === 'INPUT' && isClosedByCalico ? { closed: calicoDrops } : {}),
    }))
}

function endsInRefusal(filter: string, chain: string): boolean {
  const last = filter.split('\n').findLast((line) => line.startsWith(`-A ${chain} `))
  return /^-A \S+ (?:-m comment --comment (?:"[^"]*"|\S+) )*-j (?:DROP|REJECT\b.*)$/.test(
    last ?? '',
  )
}
