/**
 * Pairs queries with replies: by client, its port, server and ID, and by the question where the reply has one. A client that sends the
 * same query again gets a reply for each. Pure; the clock is the capture's.
 */
import { u8, u16 } from '../wire/bytes.ts'
import { Flag1, headerBytes } from '../wire/constants.ts'
import { foldTable } from '../wire/name.ts'
import type { Datagram } from './packet.ts'
import { type PodQuery, questionKey } from './pod-query.ts'

/** What the other end is: the query's sender, or the server that was asked. */
interface Ends {
  readonly client: string
  readonly clientPort: number
  readonly server: string
}

export type Paired =
  | { readonly kind: 'query'; readonly query: PodQuery }
  | { readonly kind: 'reply'; readonly query: PodQuery }
  /** `late`: its query was sent before the capture began, or was lost. */
  | { readonly kind: 'malformed' | 'late' }

export class Pairing {
  private readonly open = new Map<string, PodQuery[]>()

  /** Queries that wait for their replies. */
  get waiting(): number {
    return this.open.size
  }

  takeQuery(datagram: Datagram, atMs: number): Paired {
    const { from, fromPort, to, family } = datagram
    const bytes = Buffer.from(datagram.payload)
    const key = questionKey(bytes)
    if (key === undefined) return { kind: 'malformed' }
    const query: PodQuery = {
      client: from,
      clientPort: fromPort,
      family,
      bytes,
      key,
      atMs,
      reply: undefined,
      repliedMs: 0,
      given: undefined,
      isUnfed: false,
      isFetch: false,
    }
    const place = placeOf({ client: from, clientPort: fromPort, server: to }, u16(bytes, 0))
    const others = this.open.get(place)
    if (others === undefined) this.open.set(place, [query])
    else others.push(query)
    return { kind: 'query', query }
  }

  takeReply({ from, to, toPort, payload }: Datagram, atMs: number): Paired {
    if (payload.length < headerBytes || (u8(payload, 2) & Flag1.qr) === 0)
      return { kind: 'malformed' }
    const place = placeOf({ client: to, clientPort: toPort, server: from }, u16(payload, 0))
    const waiting = this.open.get(place) ?? []
    const query = waiting.find(({ bytes }) => mayAnswer(payload, bytes))
    if (query === undefined) return { kind: 'late' }
    const left = waiting.filter((one) => one !== query)
    if (left.length === 0) this.open.delete(place)
    else this.open.set(place, left)
    query.reply = Buffer.from(payload)
    query.repliedMs = atMs
    return { kind: 'reply', query }
  }

  /** Gives up on queries that were sent before. */
  forget(beforeMs: number): void {
    for (const [place, queries] of this.open) {
      const left = queries.filter(({ atMs }) => atMs >= beforeMs)
      if (left.length === 0) this.open.delete(place)
      else if (left.length < queries.length) this.open.set(place, left)
    }
  }
}

function placeOf({ client, clientPort, server }: Ends, id: number): string {
  return `${client} ${clientPort} ${server} ${id}`
}

/** Some errors come without the question. */
function mayAnswer(reply: Buffer, query: Buffer): boolean {
  if (u16(reply, 4) === 0) return true
  for (let at = headerBytes; at < query.length; at++) {
    if (at >= reply.length) return false
    if (foldTable[u8(reply, at)] !== foldTable[u8(query, at)]) return false
    if (u8(query, at) === 0 && isEndOfName(query, at)) return isSameType(reply, query, at + 1)
  }
  return false
}

/** The first zero byte that is a label's length: labels may hold zeros. */
function isEndOfName(query: Buffer, at: number): boolean {
  let next: number = headerBytes
  while (next < at) next += u8(query, next) + 1
  return next === at
}

function isSameType(reply: Buffer, query: Buffer, at: number): boolean {
  return reply.length >= at + 4 && reply.readUInt32BE(at) === query.readUInt32BE(at)
}
