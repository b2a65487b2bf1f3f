/**
 * What CoreDNS's own Corefile says about names that are not asked of CoreDNS: pods that ask it directly get those answers, pods behind the
 * node's cache do not. Pure; reads CoreDNS's Corefile as a person does, and doubts nothing that it cannot read.
 */

import { parseAddress } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import { type Corefile, parseCorefile, type ServerBlock } from '../corefile/corefile.ts'
import type { CorefileDirective } from '../corefile/directive.ts'
import type { CorefileFiles } from '../corefile/files.ts'
import { isPlainZone, isWithin } from '../corefile/label.ts'
import type { Remark } from './reading.ts'

export type ForwardedNames = Pick<Config, 'clusterDomain' | 'cluster' | 'zones' | 'external'>

/** @returns by line; empty when CoreDNS answers nothing else, or is asked about it */
export function bypassed(text: string, config: ForwardedNames, files?: CorefileFiles): Remark[] {
  const corefile = parseCorefile(text, files)
  if (!corefile.ok) return corefile.problems.map((one) => ({ ...one }))
  const remarks = corefile.blocks.flatMap((block) => [
    ...zoneRemarks(block, config),
    ...block.directives.flatMap((directive) => directiveRemarks(directive, block, config)),
  ])
  return [...remarks, ...importRemarks(corefile)].toSorted((a, b) => a.line - b.line)
}

const namesMax = 3

function zoneRemarks({ labels }: ServerBlock, config: ForwardedNames): Remark[] {
  return labels.flatMap(({ zones, line }) =>
    zones
      .filter((zone) => zone !== '.' && isPassedBy(zone, config))
      .map((zone) => ({
        line,
        message: `CoreDNS answers ${zone} in a block of its own, and it is not asked about these names; ${cure(zone)}`,
      })),
  )
}

function directiveRemarks(
  directive: CorefileDirective,
  block: ServerBlock,
  config: ForwardedNames,
): Remark[] {
  const namesOf = readers.get(directive.name)
  if (namesOf === undefined) return []
  const names = namesOf(directive, block).filter((name) => isPassedBy(name, config))
  const [first = '.'] = names
  if (names.length === 0) return []
  const shown = [...new Set(names)].slice(0, namesMax).join(', ')
  const more = names.length > namesMax ? ' and others' : ''
  const message = `\`${directive.name}\` of CoreDNS is for ${shown}${more}, and CoreDNS is not asked about these names; ${cure(first)}`
  return [{ line: directive.line, message }]
}

function cure(zone: string): string {
  return zone === '.'
    ? 'forward the zones that need it to CoreDNS, or repeat it in the Corefile of the node'
    : `forward ${zone} to CoreDNS, or repeat it in the Corefile of the node`
}

/** Whether another than CoreDNS is asked about a name. */
function isPassedBy(name: string, { clusterDomain, cluster, zones, external }: ForwardedNames) {
  if (!isPlainZone(name) || isWithin(name, clusterDomain)) return false
  const isReverse = isWithin(name, 'in-addr.arpa') || isWithin(name, 'ip6.arpa')
  if (cluster.reverse && isReverse) return false
  const deepest = zones
    .filter((zone) => isWithin(name, zone.name))
    .toSorted((one, other) => other.name.length - one.name.length)[0]
  const asked = (deepest ?? external).upstreams.map(({ address }) => address)
  return !cluster.upstreams.some(({ address }) => asked.includes(address))
}

type NamesOf = (directive: CorefileDirective, block: ServerBlock) => readonly string[]

const readers: ReadonlyMap<string, NamesOf> = new Map<string, NamesOf>([
  ['hosts', hostNames],
  ['rewrite', rewrittenNames],
  ['template', ({ args }, block) => zonesOr(args.slice(2), block)],
  ['file', ({ args }, block) => zonesOr(args.slice(1), block)],
  ['k8s_external', ({ args }, block) => zonesOr(args, block)],
])

/** Names of the inline entries; with a file that nobody reads here, those of the block. */
function hostNames({ args, block = [] }: CorefileDirective, server: ServerBlock): string[] {
  const [file, ...zones] = args
  const entries = block.filter(({ name }) => parseAddress(name).ok)
  const inline = entries.flatMap(({ args: names }) => names).map(plain)
  return file === undefined || file === '/dev/null'
    ? inline
    : [...inline, ...zonesOr(zones, server)]
}

/** `rewrite [continue|stop] name [MATCH] FROM TO`. A pattern may be any name. */
function rewrittenNames({ args }: CorefileDirective): string[] {
  const words = args[0] === 'continue' || args[0] === 'stop' ? args.slice(1) : args
  if (words[0] !== 'name') return []
  const [match = '', from = ''] = words.length > 3 ? words.slice(1) : ['exact', words[1]]
  return match === 'exact' || match === 'suffix' ? [plain(from).replace(/^\./, '')] : ['.']
}

function zonesOr(args: readonly string[], { labels }: ServerBlock): string[] {
  return args.length > 0 ? args.map(plain) : labels.flatMap(({ zones }) => zones)
}

function plain(text: string): string {
  return text === '.' ? text : text.toLowerCase().replace(/\.$/, '')
}

function importRemarks({ unresolvedImports }: Corefile): Remark[] {
  return unresolvedImports.map(({ pattern, line }) => ({
    line,
    message: `\`import ${pattern}\` of CoreDNS cannot be read from here and may be for more names`,
  }))
}
