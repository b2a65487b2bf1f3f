/** The directives about clients: `timeouts`, `bufsize`, `log`, `dnstap` and `debug`. One setting takes the place of those of all blocks. */
import type { Block } from '../blocks.ts'
import type { LogRule } from '../directives/log.ts'
import { dnstapSettings } from './dnstap.ts'
import type { PlainSection } from './plain.ts'

export function clientSettings(blocks: readonly Block[]): PlainSection {
  const tcp = tcpOf(blocks)
  const sizes = blocks.map(({ has }) => has.bufsize)
  const sizesSet = sizes.flatMap((size) => size ?? [])
  const log = logOf(blocks)
  return {
    ...(Object.keys(tcp).length > 0 && { tcp }),
    ...(sizesSet.length > 0 &&
      sizesSet.length === sizes.length && { udp: { replyBytesMax: Math.max(...sizesSet) } }),
    ...(Object.keys(log).length > 0 && { log }),
  }
}

/** The longest of each; the settings end at a minute, idling at ten. */
function tcpOf(blocks: readonly Block[]): PlainSection {
  const all = blocks.flatMap(({ has }) => has.timeouts ?? [])
  const most = (values: readonly (number | undefined)[], max: number) => {
    const set = values.flatMap((value) => value ?? [])
    return set.length === 0 ? undefined : Math.min(Math.max(...set), max)
  }
  const idleMs = most(
    all.map((one) => one.idleMs),
    600_000,
  )
  const messageMs = most(
    all.map((one) => one.readMs),
    60_000,
  )
  const writeStallMs = most(
    all.map((one) => one.writeMs),
    60_000,
  )
  return {
    ...(idleMs !== undefined && { idleMs }),
    ...(messageMs !== undefined && { messageMs }),
    ...(writeStallMs !== undefined && { writeStallMs }),
  }
}

function logOf(blocks: readonly Block[]): PlainSection {
  const isDebug = blocks.some(({ has }) => has.debug)
  const isLogged = blocks.some(({ has }) => has.log)
  const dnstap = dnstapSettings(blocks)
  return {
    ...(isDebug && { level: 'debug' }),
    ...(isLogged && { queries: { sampleOneIn: 1, rules: rulesOf(blocks) } }),
    ...(dnstap !== undefined && { dnstap }),
  }
}

/** The first rule for a name counts, so those of deeper zones come first; a zone without `log` has none of its lines. */
function rulesOf(blocks: readonly Block[]): PlainSection[] {
  const zones = blocks.flatMap(({ labels, has }) =>
    labels.flatMap((label) => label.zones.map((zone) => ({ zone, log: has.log ?? [] }))),
  )
  const ordered = zones.toSorted((one, other) => depth(other.zone) - depth(one.zone))
  return ordered.flatMap(({ zone, log }) => [
    ...log.flatMap((rule) => rule.names.flatMap((name) => inside(name, zone, rule))),
    ...(log.some(({ names }) => names.some((name) => covers(name, zone)))
      ? []
      : [{ zone, classes: [] }]),
  ])
}

/** What a rule means in a zone: nothing where its name lies elsewhere. */
function inside(
  name: string,
  zone: string,
  { classes, format = '{common}' }: LogRule,
): PlainSection[] {
  const narrower = covers(name, zone) ? zone : covers(zone, name) ? name : undefined
  if (narrower === undefined) return []
  return [{ zone: narrower, classes: classes.length === 0 ? allClasses : classes, format }]
}

const allClasses = ['success', 'denial', 'error']

function covers(zone: string, name: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`)
}

function depth(zone: string): number {
  return zone === '.' ? 0 : zone.split('.').length
}
