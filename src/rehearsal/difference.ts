/** Compares what the instance gives with what the pod got, and says why they differ. Pure. */
import { ReplySource } from '../core/facts.ts'
import { Rcode, RrType } from '../wire/constants.ts'
import { type AnswerForm, answerForm, isSameSet, saysTheSame } from './answer-form.ts'
import { type Given, nameOf, type PodQuery, typeOf, withType } from './pod-query.ts'
import type { Said } from './said.ts'

/** Why the answers are not the same; in the order of the report, with what each means. */
export const reasons = {
  unexplained: 'for a reason that is not known: please report it',
  wrongDenial: 'the search path would have denied a name that the server has',
  changed: 'the server changed its mind while its answer was still valid',
  appeared: 'the name came or went within the five seconds of the evidence',
  serverFailed: 'the server failed, and neardns had an answer',
  failureKept: 'the server had failed for this question just before',
  limit: 'a limit of neardns was reached (docs/operations.md)',
  answerMode: 'answer mode: the first name of the walk gets what the last would find',
  configured: 'answered from the configuration (hosts, templates, special names)',
  alias: 'the alias leads to another group, which is asked for the rest',
  size: 'one of the two is truncated: the pod asks again over TCP',
} as const

export type Reason = keyof typeof reasons

export type Verdict =
  | { readonly kind: 'same'; readonly isOtherTtl: boolean; readonly isOtherOrder: boolean }
  | { readonly kind: 'different'; readonly reason: Reason }
  | { readonly kind: 'unreadable' }

/** @param said also what the server said later than the pod's query, as far as the replay is behind */
export function judge(query: PodQuery, given: Given, said: Said): Verdict {
  const got = query.reply && answerForm(query.reply)
  const gives = answerForm(given.reply)
  if (got === undefined || gives === undefined) return { kind: 'unreadable' }
  if (saysTheSame(got, gives) && got.isTruncated === gives.isTruncated) {
    const isOtherOrder = got.records.some((record, i) => record !== gives.records[i])
    const isOtherTtl = isOtherOrder
      ? got.ttlSeconds !== gives.ttlSeconds
      : got.ttls.some((ttl, i) => ttl !== gives.ttls[i])
    return { kind: 'same', isOtherOrder, isOtherTtl }
  }
  return { kind: 'different', reason: reasonFor({ query, given, got, gives, said }) }
}

interface Unequal {
  readonly query: PodQuery
  readonly given: Given
  readonly got: AnswerForm
  readonly gives: AnswerForm
  readonly said: Said
}

function reasonFor(unequal: Unequal): Reason {
  const { query, given, got, gives, said } = unequal
  if (given.source === ReplySource.overloaded) return 'limit'
  if (got.isTruncated !== gives.isTruncated) return 'size'
  if (given.source === ReplySource.local) return 'configured'
  if (isFailure(got)) return 'serverFailed'
  if (isFailure(gives)) return 'failureKept'
  if (given.source === ReplySource.synthesised) return searchReason(unequal)
  if (said.hasGiven(query.key, gives)) return 'changed'
  return hasSameAlias(query, got, gives) ? 'alias' : 'unexplained'
}

function searchReason({ query, got, gives, said }: Unequal): Reason {
  if (gives.records.length > 0) return 'answerMode'
  const denies = ({ rcode }: AnswerForm) => rcode === Rcode.nxdomain
  // A speaks for the name, whatever the type.
  const keys = [query.key, withType(query.key, RrType.a)]
  if (got.rcode !== Rcode.nxdomain && keys.some((key) => said.hasSaid(key, denies)))
    return 'appeared'
  return got.rcode === Rcode.nxdomain ? 'unexplained' : 'wrongDenial'
}

function isFailure({ rcode }: AnswerForm): boolean {
  return rcode !== Rcode.noerror && rcode !== Rcode.nxdomain
}

/** Both begin with the same alias of the name that was asked for. */
function hasSameAlias({ key }: PodQuery, got: AnswerForm, gives: AnswerForm): boolean {
  if (typeOf(key) === RrType.cname) return false
  const prefix = `${nameOf(key)} ${RrType.cname} `
  const aliases = ({ records }: AnswerForm) => records.filter((record) => record.startsWith(prefix))
  return aliases(got).length > 0 && isSameSet(aliases(got), aliases(gives))
}
