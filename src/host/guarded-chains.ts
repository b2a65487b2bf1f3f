/**
 * Finds the chains through which a query to us must get: base chains at input and output that refuse what nobody accepted. A
 * packet without a connection (NOTRACK) meets none of the usual accepts for established ones. Reads, changes nothing.
 */
import { type GuardedChain, savedTable } from './facts.ts'
import { type BaseChain, chainOf, isRefusal, type RuleFact } from './nft/decode.ts'
import type { Place } from './nft/model.ts'
import type { Nftables } from './nft/nftables.ts'
import type { RunProgram } from './run-program.ts'

/** NF_INET_LOCAL_IN and NF_INET_LOCAL_OUT. */
const hookNames: Readonly<Record<number, GuardedChain['hook']>> = { 1: 'input', 3: 'output' }
/** Expressions that ask nothing of a packet. */
const unconditional = new Set(['counter', 'log', 'immediate', 'reject', 'target'])
/** `INPUT` -> a chain of the firewall -> one more: deeper was never seen. */
const depthMax = 3

export async function guardedChains(nftables: Nftables): Promise<GuardedChain[]> {
  const found: GuardedChain[] = []
  for (const base of await nftables.baseChains()) {
    const hook = hookNames[base.hook]
    if (hook === undefined || base.type !== 'filter' || base.table.startsWith('neardns')) continue
    if (!(base.dropsByPolicy || (await refusesAtItsEnd(nftables, base, depthMax)))) continue
    const { family, table, chain } = base
    found.push({ family, table, chain, hook, owner: isOfIptables(base) ? 'iptables' : 'nft' })
  }
  return found
}

function isOfIptables({ family, table, chain }: BaseChain): boolean {
  return family !== 'inet' && table === 'filter' && (chain === 'INPUT' || chain === 'OUTPUT')
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

/** The same in the tables of iptables-legacy, of both families. */
export async function guardedByLegacy(run: RunProgram): Promise<GuardedChain[]> {
  const found: GuardedChain[] = []
  for (const family of ['ip', 'ip6'] as const) {
    const { stdout } = await run(`${family}tables-legacy-save`, ['-t', 'filter'])
    found.push(...guardedInSave(stdout, family))
  }
  return found
}

/** In what `iptables-legacy-save` prints. */
export function guardedInSave(saved: string, family: 'ip' | 'ip6'): GuardedChain[] {
  const filter = savedTable(saved, 'filter')
  return (['INPUT', 'OUTPUT'] as const)
    .filter(
      (chain) => new RegExp(`^:${chain} DROP `, 'm').test(filter) || endsInRefusal(filter, chain),
    )
    .map((chain) => ({
      family,
      table: 'filter',
      chain,
      hook: chain === 'INPUT' ? 'input' : 'output',
      owner: 'iptables',
    }))
}

function endsInRefusal(filter: string, chain: string): boolean {
  const last = filter.split('\n').findLast((line) => line.startsWith(`-A ${chain} `))
  return /^-A \S+ -j (?:DROP|REJECT\b.*)$/.test(last ?? '')
}
