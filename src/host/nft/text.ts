/** nftables as people read and write it: the text of a table, a rule, a change. What is shown could be fed to `nft -f`. Pure. */
import { formatEndpoint } from '../../address/endpoint.ts'
import type {
  NftChain,
  NftChange,
  NftMatch,
  NftRule,
  NftTable,
  NftVerdict,
  Place,
} from './model.ts'

export function changesText(changes: readonly NftChange[]): string {
  return changes.map((change) => `${changeText(change)}\n`).join('')
}

function changeText(change: NftChange): string {
  switch (change.kind) {
    case 'addTable':
      return tableText(change.table)
    case 'replaceTable': {
      const { name } = change.table
      return `table inet ${name}\ndelete table inet ${name}\n${tableText(change.table)}`
    }
    case 'deleteTable':
      return `delete table ${change.family} ${change.name}`
    case 'fillSet': {
      const set = `inet ${change.table} ${change.set.name}`
      const elements = change.addresses.map((one) => `${one} timeout ${change.timeoutMs}ms`)
      const add = `\nadd element ${set} { ${elements.join(', ')} }`
      return `flush set ${set}${elements.length === 0 ? '' : add}`
    }
    case 'insertRule':
      return `insert rule ${placeText(change.at)} ${ruleText(change.rule)}`
    case 'deleteRule':
      return `delete rule ${placeText(change.at)} handle ${change.handle}`
  }
}

function placeText({ family, table, chain }: Place): string {
  return `${family} ${table} ${chain}`
}

export function tableText({ name, isOwned, sets, chains }: NftTable): string {
  const lines = [
    ...(isOwned ? ['flags owner'] : []),
    ...sets.map((set) => `set ${set.name} { type ipv${set.family}_addr; flags timeout; }`),
    ...chains.map(chainText),
  ]
  return `table inet ${name} {\n${lines.map((line) => `  ${line}\n`).join('')}}`
}

function chainText({ name, type, hook, priority, rules }: NftChain): string {
  const lines = rules.map((rule) => `    ${ruleText(rule)}\n`).join('')
  return `chain ${name} {\n    type ${type} hook ${hook} priority ${priority}; policy accept;\n${lines}  }`
}

export function ruleText({ matches, verdict, comment }: NftRule): string {
  const words = [...matches.map(matchText), verdictText(verdict)]
  return [...words, ...(comment === undefined ? [] : [`comment "${comment}"`])].join(' ')
}

function matchText(match: NftMatch): string {
  switch (match.kind) {
    case 'port': {
      const { protocol, side, ports } = match
      const text = typeof ports === 'number' ? String(ports) : ports.join('-')
      return `${protocol} ${side === 'source' ? 'sport' : 'dport'} ${text}`
    }
    case 'address':
      return `${fieldText(match)} ${match.address}`
    case 'set':
      return `${fieldText(match)} @${match.set}`
    case 'translated':
      return 'ct status dnat'
    case 'oneIn':
      return `numgen random mod ${match.count} 0`
  }
}

function fieldText({ family, side }: Extract<NftMatch, { kind: 'address' | 'set' }>): string {
  return `${family === 4 ? 'ip' : 'ip6'} ${side === 'source' ? 'saddr' : 'daddr'}`
}

function verdictText(verdict: NftVerdict): string {
  if (verdict.kind !== 'dnat') return verdict.kind
  return `dnat ${verdict.family === 4 ? 'ip' : 'ip6'} to ${formatEndpoint(verdict)}`
}
