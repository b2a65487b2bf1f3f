/** `dns64`, `rewrite`, `template`, `hosts` and `whoami` as settings. In a Corefile they see the names of their block alone; our stages see all, so each says which are its own. */
import { isWithin } from '../../corefile/label.ts'
import type { Block } from '../blocks.ts'
import type { Dns64Directive } from '../directives/dns64.ts'
import type { HostsDirective } from '../directives/hosts.ts'
import type { RewriteRuleText } from '../directives/rewrite.ts'
import type { TemplateDirective } from '../directives/template.ts'
import type { Remark } from '../reading.ts'
import { forwardedZones } from './answers.ts'
import type { PlainSection } from './plain.ts'

export function stageSettings(blocks: readonly Block[]): PlainSection {
  const dns64 = blocks.flatMap((block) => {
    const one = block.has.dns64
    return one === undefined
      ? []
      : scoped({ zones: zonesIn(block) }, block, blocks).map(dns64Of(one))
  })
  const rewrites = withoutTwins(blocks.map((block) => rewritesOf(block, blocks))).flat()
  const templates = blocks.flatMap((block) =>
    (block.has.template ?? []).flatMap((one) => scoped(one, block, blocks).map(templateOf(one))),
  )
  const hosts = blocks.flatMap((block) => {
    const one = block.has.hosts
    return one === undefined ? [] : scoped(one, block, blocks).map(hostsOf(one))
  })
  const whoami = blocks.flatMap((block) => whoamiOf(block, blocks))
  return {
    ...(dns64.length > 0 && { dns64: withoutTwins(dns64) }),
    ...(rewrites.length > 0 && { rewrites }),
    ...(templates.length > 0 && { templates: withoutTwins(templates) }),
    ...(hosts.length > 0 && { hosts: withoutTwins(hosts) }),
    ...(whoami.length > 0 && { whoami: withoutTwins(whoami) }),
  }
}

/** `forward` comes first, so that only names that none takes are told. */
function whoamiOf(block: Block, blocks: readonly Block[]): PlainSection[] {
  if (block.has.whoami === undefined) return []
  const { forwarded, others } = forwardedZones(block)
  // One for each: what one leaves out may be inside another.
  return others.flatMap((zone) => {
    const within = forwarded.filter((one) => isWithin(one, zone))
    return scoped({ zones: [zone] }, block, blocks).map(({ zones, except }) =>
      scopeOf({ zones, except: [...except, ...within] }),
    )
  })
}

/** Directives that no question reaches. */
export function unreachedNotes(blocks: readonly Block[]): Remark[] {
  return blocks.flatMap(({ has, ...block }) => {
    if (has.whoami === undefined || forwardedZones({ has, ...block }).others.length > 0) return []
    const message = '`whoami` is never reached: `forward` answers for all names of the block'
    return [{ ...has.whoami.place, message }]
  })
}

interface Scope {
  readonly zones: readonly string[]
  readonly except: readonly string[]
}

/** @returns nothing when no name of the block is among those of the directive */
function scoped(
  { zones }: { readonly zones: readonly string[] },
  block: Block,
  blocks: readonly Block[],
): Scope[] {
  const own = zonesIn(block)
  const others = blocks.flatMap(zonesIn).filter((zone) => !own.includes(zone))
  const isElsewhere = (zone: string) =>
    others.some(
      (other) =>
        isWithin(zone, other) && !own.some((one) => isWithin(one, other) && isWithin(zone, one)),
    )
  const within = own.flatMap((top) =>
    zones.flatMap((zone) => {
      if (isWithin(zone, top)) return [zone]
      return isWithin(top, zone) ? [top] : []
    }),
  )
  const reached = [...new Set(within)].filter((zone) => !isElsewhere(zone))
  if (reached.length === 0) return []
  const except = others.filter((other) => reached.some((zone) => isWithin(other, zone)))
  return [{ zones: reached, except: [...new Set(except)] }]
}

function zonesIn({ labels }: Block): string[] {
  return labels.flatMap(({ zones }) => zones)
}

function templateOf(one: TemplateDirective): (scope: Scope) => PlainSection {
  const lists = { match: one.match, answer: one.answer, authority: one.authority }
  return (scope) => ({
    ...scopeOf(scope),
    ...(one.class !== 'IN' && { class: one.class }),
    type: one.type,
    ...filled({ ...lists, additional: one.additional }),
    ...(one.rcode !== 'NOERROR' && { rcode: one.rcode }),
    ...(one.ede !== undefined && { ede: one.ede }),
    ...filled({ fallthrough: one.fallthrough }),
  })
}

function dns64Of({
  prefix,
  translateAll,
  ipv4Clients,
}: Dns64Directive): (scope: Scope) => PlainSection {
  return (scope) => ({
    ...scopeOf(scope),
    ...(prefix !== undefined && { prefix }),
    ...(translateAll && { translateAll }),
    ...(ipv4Clients && { ipv4Clients }),
  })
}

/** Of one block, in their order; a rule that stands twice changes a name twice. */
function rewritesOf(block: Block, blocks: readonly Block[]): PlainSection[] {
  const zones = zonesIn(block)
  const rules = (block.has.rewrite ?? []).flatMap(({ rule }) => rule ?? [])
  return rules.flatMap((rule) => scoped({ zones }, block, blocks).map(rewriteOf(rule)))
}

function rewriteOf({ answer, ...rule }: RewriteRuleText): (scope: Scope) => PlainSection {
  return (scope) => ({ ...scopeOf(scope), ...rule, ...filled({ answer: answer ?? [] }) })
}

function hostsOf(one: HostsDirective): (scope: Scope) => PlainSection {
  return (scope) => ({
    ...scopeOf(scope),
    file: one.file,
    ...filled({ entries: one.entries }),
    ttlSeconds: one.ttlSeconds,
    reloadSeconds: Math.min(Math.ceil(one.reloadMs / 1000), 86_400),
    ...(!one.reverse && { reverse: false }),
    ...filled({ fallthrough: one.fallthrough }),
    ...(one.fallthroughUnsupported && { fallthroughUnsupported: true }),
  })
}

function scopeOf({ zones, except }: Scope): PlainSection {
  return { ...(zones.join() !== '.' && { zones }), ...filled({ except }) }
}

function filled(lists: Readonly<Record<string, readonly string[]>>): PlainSection {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0))
}

/** Blocks that are alike but for their addresses. */
function withoutTwins<T extends PlainSection | readonly PlainSection[]>(all: readonly T[]): T[] {
  const texts = all.map((one) => JSON.stringify(one))
  return all.filter((_, i) => texts.indexOf(texts[i] ?? '') === i)
}
