/**
 * Where rewritten names are asked. In a Corefile the `forward` of the block has them, whatever zone they are in; our cache is one, and a name has
 * one owner: so a zone that no other block has becomes one of the block's servers. Pure.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import { isPlainZone, isWithin } from '../../corefile/label.ts'
import type { RewriteRuleText } from '../directives/rewrite.ts'
import type { Remark } from '../reading.ts'
import type { ZoneAnswer } from './answers.ts'
import type { Served } from './listeners.ts'

export interface RewriteTargets {
  readonly served: readonly Served[]
  readonly notes: readonly Remark[]
}

export function withRewriteTargets(given: readonly Served[]): RewriteTargets {
  const notes: Remark[] = []
  const all = given.flatMap(({ answers }) => answers)
  const served = given.map((one): Served => {
    const targets = (one.block.has.rewrite ?? []).flatMap(({ rule, place }) => {
      const zone = rule && targetZone(rule)
      return zone === undefined ? [] : [{ zone, place }]
    })
    const added = targets.flatMap((target) => ownedBy(one, target, all, notes))
    const isNew = ({ zone }: ZoneAnswer, i: number) =>
      added.findIndex((other) => other.zone === zone) === i
    return { ...one, targets: added.filter(isNew) }
  })
  return { served, notes }
}

/** The zone that all names end with that a rule makes; undefined where that is unknown, or where they keep their end. */
function targetZone({ match = 'exact', to }: RewriteRuleText): string | undefined {
  if (to === undefined || match === 'prefix') return undefined
  const end = to.slice(to.lastIndexOf('}') + 1).replace(/\.$/, '')
  const isWhole = match === 'exact' || (match === 'regex' && end === to.replace(/\.$/, ''))
  // Up to its first dot a label may be the end of a longer one.
  const zone = isWhole ? end : end.includes('.') ? end.slice(end.indexOf('.') + 1) : ''
  return zone !== '' && isPlainZone(zone) ? zone : undefined
}

function ownedBy(
  { block, answers }: Served,
  { zone, place }: { readonly zone: string; readonly place: CorefilePlace },
  all: readonly ZoneAnswer[],
  notes: Remark[],
): ZoneAnswer[] {
  const [own] = answers
  const owner = all
    .filter((one) => isWithin(zone, one.zone))
    .toSorted((one, other) => other.zone.length - one.zone.length)[0]
  if (own?.answer.asks === undefined || (owner && isOf(owner, answers))) return []
  const whose = own.answer.asks.file ?? own.answer.asks.upstreams.join(', ')
  if (owner === undefined || owner.zone === '.') {
    const message = `names of ${zone}, to which this leads, are asked of ${whose} for everybody here, and not only when they are rewritten`
    notes.push({ ...place, message })
    return [{ zone, place, answer: own.answer }]
  }
  const message = `names of ${zone}, to which this leads, are asked of the servers of ${owner.zone} (block in line ${owner.place.line}), and not of ${whose}, those of the block in line ${block.line}`
  notes.push({ ...place, message })
  return []
}

function isOf(owner: ZoneAnswer, answers: readonly ZoneAnswer[]): boolean {
  const asks = ({ answer }: ZoneAnswer) => JSON.stringify(answer.asks)
  return answers.some((one) => one === owner || asks(one) === asks(owner))
}
