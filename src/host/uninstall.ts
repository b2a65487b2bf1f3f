/**
 * What takes everything of ours off the node, as a list of commands: computed from what is there, so that it can be printed
 * before it is done. Tables that a running daemon owns cannot be removed by anybody else; they are named instead.
 */
import type { InterceptionSettings } from '../config/schema.ts'
import type { DroppingChain, HostFacts, IptablesVariant } from './facts.ts'
import { nftObjects, savedTable } from './facts.ts'
import { madeTableMark, ownTables, removalText } from './iptables-rules.ts'
import { addressRemoval } from './links.ts'
import { ownedTablePattern, ruleComment, standbyPattern } from './nft-rules.ts'
import type { RunProgram } from './run-program.ts'
import type { Step } from './steps.ts'

export interface Removal {
  readonly steps: readonly Step[]
  /** Owned tables of daemons that are running. */
  readonly running: readonly string[]
}

export async function planRemoval(
  run: RunProgram,
  facts: HostFacts,
  settings: InterceptionSettings,
): Promise<Removal> {
  const tables = await run('nft', ['--json', 'list', 'tables'])
  const names = nftObjects(tables.stdout).flatMap(({ table }) => (table ? [table.name] : []))
  const standby = names
    .filter((name) => standbyPattern.test(name))
    .map((name) => ({ program: 'nft', args: ['delete', 'table', 'inet', name] }))
  const native = facts.dropping.filter(({ owner }) => owner === 'nft')
  const accepts = await Promise.all(native.map((chain) => acceptRemoval(run, chain)))
  const iptables = await Promise.all(
    (['nft', 'legacy'] as const).flatMap((variant) =>
      ([4, 6] as const).map((family) => iptablesRemoval(run, variant, family)),
    ),
  )
  return {
    steps: [...standby, ...accepts.flat(), ...iptables.flat(), ...addressRemoval(facts, settings)],
    running: names.filter((name) => ownedTablePattern.test(name)),
  }
}

async function acceptRemoval(run: RunProgram, chain: DroppingChain): Promise<Step[]> {
  const place = [chain.family, chain.table, chain.chain]
  const listed = await run('nft', ['--handle', 'list', 'chain', ...place])
  const ours = listed.stdout.split('\n').filter((line) => line.includes(ruleComment))
  return ours.flatMap((line) => {
    const handle = /# handle (\d+)$/.exec(line)?.[1]
    return handle === undefined
      ? []
      : [{ program: 'nft', args: ['delete', 'rule', ...place, 'handle', handle] }]
  })
}

async function iptablesRemoval(
  run: RunProgram,
  variant: IptablesVariant,
  family: 4 | 6,
): Promise<Step[]> {
  const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}`
  const { stdout } = await run(`${program}-save`, [])
  return ownTables.flatMap((table) => {
    const saved = savedTable(stdout, table)
    const text = removalText(table, saved)
    if (text === undefined) return []
    const step = { program: `${program}-restore`, args: ['--noflush', '--wait', '5'], stdin: text }
    const isWhole = variant === 'nft' && isOnlyOurs(saved)
    if (!isWhole) return [step]
    // iptables-nft makes its tables when they are first used. This one we made, and nobody else has come since.
    const nftTable = ['delete', 'table', family === 4 ? 'ip' : 'ip6', table]
    return [step, { program: 'nft', args: nftTable }]
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
