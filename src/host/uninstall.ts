/**
 * What takes everything of ours off the node, as a list of commands: computed from what is there, so that it can be printed
 * before it is done. Tables that a running daemon owns cannot be removed by anybody else; they are named instead.
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
 * Another process has sockets on our addresses: a successor that serves, or the one before us that the kubelet is just ending. It is
 * waited for so long, within the 15 s that the manifests give a pod to stop.
 */
const othersMs = 6000
const pollMs = 500

/** Takes everything of ours off the node, unless somebody else goes on serving the addresses. @returns what could not be done */
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
  // Somebody saved our tables and loaded them again: they are nobody's then.
  const orphaned = held.filter(({ isOwned }) => !isOwned)
  const standby = tables.filter(({ name }) => standbyPattern.test(name))
  // A firewall may have become milder since: all chains in which there can be rules of ours.
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
    // iptables-nft makes its tables when they are first used. This one we made, and nobody else has come since.
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
