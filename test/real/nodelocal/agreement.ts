/** In which aspects two replies to one question differ. */
import type { ReadMessage, ReadRecord } from '../../support/client/dns-message.ts'
import type { Question } from './world.ts'

/** Both said the same question; TTLs count down between the two. */
export interface Pair {
  /** Name of the form of Corefile. */
  readonly form: string
  readonly question: Question
  readonly theirs: ReadMessage
  readonly ours: ReadMessage
  /** What CoreDNS said the first time to each question whose answer has one life with this one's; empty now. */
  readonly before: readonly ReadMessage[]
  /** Whether the name, or one that is kept as the same, was asked before, for any type. */
  readonly isKnownName: boolean
}

export type Aspect = 'rcode' | 'answers' | 'denial' | 'ttl' | 'truncated'

/** A second for the way, and one for two clocks that turn at different times. */
const driftSeconds = 2

/** @returns in which aspects the replies differ */
export function differences(pair: Pair): Aspect[] {
  const { theirs, ours } = pair
  const found: Aspect[] = []
  if (theirs.rcode !== ours.rcode) found.push('rcode')
  if (theirs.tc !== ours.tc) found.push('truncated')
  // What a client throws away.
  if (theirs.tc || ours.tc) return found
  if (setOf(theirs.answers) !== setOf(ours.answers)) found.push('answers')
  if (denialOf(theirs) !== denialOf(ours)) found.push('denial')
  if (!ttlsAgree(pair)) found.push('ttl')
  return found
}

/** Names are compared without case: which spelling an answer has is the question's. */
function setOf(records: readonly ReadRecord[]): string {
  return records
    .map(({ name, type, data }) => `${name} ${type} ${data}`.toLowerCase())
    .toSorted()
    .join('\n')
}

/** The SOA of a reply without data. */
function denialOf({ answers, authorities }: ReadMessage): string {
  if (answers.some(({ type }) => type !== cname)) return ''
  return setOf(authorities.filter(({ type }) => type === soa))
}

const cname = 5
const soa = 6

/** CoreDNS gives all records of a cached answer the shortest TTL; each of ours is its own, so that the shortest are the same. */
function ttlsAgree({ theirs, ours, before, isKnownName }: Pair): boolean {
  const [their, our] = [shortest(theirs), shortest(ours)]
  if (their === undefined || our === undefined) return true
  // Later, one of them may have asked again: none is kept for longer than fresh data.
  if (before.length > 0) return our <= freshest([theirs, ...before], our)
  // A is asked for beside AAAA of a cluster's name, and is older then.
  return our <= their + driftSeconds && (isKnownName || our >= their - driftSeconds)
}

/** @param otherwise where one of them has no TTL */
function freshest(replies: readonly ReadMessage[], otherwise: number): number {
  return Math.max(...replies.map((reply) => shortest(reply) ?? otherwise))
}

function shortest({ answers, authorities }: ReadMessage): number | undefined {
  const records = answers.length > 0 ? answers : authorities.filter(({ type }) => type === soa)
  return records.length === 0 ? undefined : Math.min(...records.map(({ ttl }) => ttl))
}
