/**
 * Removes everything of ours from the node, as a list of steps computed from what is there, so that it can be printed
 * first. Tables that a running daemon owns cannot be removed by another process; they are named instead.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { InterceptionSettings } from '../config/schema.ts'
import { chainsOnlyOurs, madeTableMark, ownTables, removalText } from './backends/iptables-rules.ts'
import { ownedTablePattern, ruleComment, standbyPattern } from './backends/nft-rules.ts'
import { type Detection, detect } from './detect.ts'
import type { HostFacts, IptablesVariant } from './facts.ts'
import { savedTable } from './facts.ts'
import { isOfIptables } from './firewall/guarded-chains.ts'
import { addressRemoval } from './links.ts'
import type { NftFamily, Place } from './nft/model.ts'
import type { Nftables } from './nft/nftables.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'
import type { RunProgram } from './run-program.ts'
import { type NftStep, runSteps, type Step, stepProgram } from './steps.ts'
import { type Trouble, troubleOf } from './trouble.ts'

export interface Removal {
  readonly steps: readonly Step[]
  /** Owned tables of daemons that are running. */
  readonly running: readonly string[]
}

/**
 * How long to wait for another process with sockets on our addresses: a successor that serves, or a predecessor that the kubelet is
 * just ending. Within the 15 s that the manifests give a pod to stop.
 */
const othersMs = 6000
const pollMs = 500

/** Removes everything of ours from the node, unless another process goes on serving the addresses. @returns what could not be done */
export async function uninstall(detection: Detection): Promise<Trouble[]> {
  const endMs = performance.now() + othersMs
  let facts = await detect(detection)
  while (facts.servedByOthers.length > 0) {
    if (performance.now() > endMs) return []
    await delay(pollMs)
    facts = await detect(detection)
  }
  const { tools, settings } = detection
  const { steps } = await planRemoval(tools, facts, settings)
  const failed = await runSteps(tools, steps)
  return failed.map(({ step, ran }) => troubleOf(stepProgram(step), ran, 'rules_failed'))
}

export async function planRemoval(
  tools: NodeTools,
  facts: HostFacts,
  settings: InterceptionSettings,
): Promise<Removal> {
  const nftables = usableNftables(tools)
  const tables = (await nftables?.tables()) ?? []
  const held = tables.filter(({ name }) => ownedTablePattern.test(name))
  // Tables of ours that were saved and loaded again have no owner.
  const orphaned = held.filter(({ isOwned }) => !isOwned)
  const standby = tables.filter(({ name }) => standbyPattern.test(name))
  // The firewall may drop less by now: all chains that may hold rules of ours count.
  const chains = ((await nftables?.baseChains()) ?? []).filter(({ type }) => type === 'filter')
  const native = chains.filter(
    (chain) => !isOfIptables(chain) && !chain.table.startsWith('neardns-'),
  )
  const accepts = await Promise.all(native.map((chain) => acceptRemoval(nftables, chain)))
  const iptables = await Promise.all(
    (['nft', 'legacy'] as const).flatMap((variant) =>
      ([4, 6] as const).map((family) => iptablesRemoval(tools.run, variant, family)),
    ),
  )
  return {
    steps: [
      ...[...standby, ...orphaned].map(({ name }) => tableRemoval('inet', name)),
      ...accepts.flat(),
      ...iptables.flat(),
      ...addressRemoval(facts, settings),
    ],
    running: held.filter(({ isOwned }) => isOwned).map(({ name }) => name),
  }
}

function tableRemoval(family: NftFamily, name: string): NftStep {
  return { changes: [{ kind: 'deleteTable', family, name }] }
}

async function acceptRemoval(nftables: Nftables | undefined, at: Place): Promise<Step[]> {
  const rules = (await nftables?.rules(at)) ?? []
  const ours = rules.filter(({ comment }) => comment === ruleComment)
  return ours.map(({ handle }) => ({ changes: [{ kind: 'deleteRule', at, handle }] }))
}

async function iptablesRemoval(
  run: RunProgram,
  variant: IptablesVariant,
  family: 4 | 6,
): Promise<Step[]> {
  const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}`
  const { stdout } = await run(`${program}-save`, [])
  return ownTables.flatMap((table): Step[] => {
    const saved = savedTable(stdout, table)
    const text = removalText(table, saved)
    if (text === undefined) return []
    const step = { program: `${program}-restore`, args: ['--noflush', '--wait', '5'], stdin: text }
    const isWhole = variant === 'nft' && isOnlyOurs(saved)
    if (!isWhole) {
      const chains = variant === 'nft' ? chainsOnlyOurs(table, saved) : []
      return [step, ...chains.map((chain) => ({ program, args: ['-t', table, '-X', chain] }))]
    }
    // iptables-nft creates its tables at the first use. The daemon created this one, and nothing else is in it.
    return [step, tableRemoval(family === 4 ? 'ip' : 'ip6', table)]
  })
}

function isOnlyOurs(saved: string): boolean {
  const rules = saved.split('\n').filter((line) => line.startsWith('-A '))
  const chains = saved.split('\n').filter((line) => /^:\S+ - /.test(line))
  return (
    saved.includes(madeTableMark) &&
    !/^:\S+ DROP /m.test(saved) &&
    rules.every((rule) => rule.includes('NEARDNS-')) &&
    chains.every((chain) => chain.startsWith(':NEARDNS-'))
  )
}
