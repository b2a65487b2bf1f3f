/** Makes the ticket of a question that goes upstream. */
import { upstreamQuery } from '../../wire/query.ts'
import type { Question } from '../../wire/question.ts'
import type { CacheEntry } from '../cache/entry.ts'
import { hashOfKey } from '../cache/key-bytes.ts'
import type { Route } from '../router.ts'
import { claimFor } from '../sharing/claim.ts'
import { nobody, type Ticket } from './in-flight.ts'

export interface TicketParts {
  readonly key: string
  /** Of the name. */
  readonly hash: number
  readonly route: Route
  readonly routeGeneration: number
  readonly asOf: number
  readonly entry: CacheEntry | undefined
  /** Address of the client that asks; empty for a question of our own. */
  readonly client: string
  readonly audited: string | undefined
}

/** @param query header and question; copied */
export function openTicket(query: Uint8Array, question: Question, parts: TicketParts): Ticket {
  const { dnssecOk, checkingDisabled, questionEnd } = question
  const { group, mayRecurse, payloadBytes, ednsOptions } = parts.route
  const options = { dnssecOk, checkingDisabled, payloadBytes, ednsOptions }
  if (parts.entry !== undefined) parts.entry.isHeld = true
  const frame = upstreamQuery(query, questionEnd, options)
  // Written out: a spread, which copies properties one by one, costs a microsecond.
  return {
    key: parts.key,
    keyHash: hashOfKey(parts.key, parts.hash),
    nextInBucket: undefined,
    hash: parts.hash,
    route: parts.route,
    routeGeneration: parts.routeGeneration,
    asOf: parts.asOf,
    entry: parts.entry,
    audited: parts.audited,
    frame,
    questionEnd,
    group,
    mayRecurse,
    claim: claimFor(parts.client, frame, domainLabels(parts.route)),
    dnssecOk,
    waiters: nobody,
    challenge: undefined,
    hasReturned: false,
    sendings: undefined,
    head: undefined,
  }
}

/** In the cluster domain, namespaces are what domains are elsewhere: `svc` is everybody's. */
function domainLabels({ zoneLabels, isCluster }: Route): number {
  return isCluster ? zoneLabels + 1 : zoneLabels
}
