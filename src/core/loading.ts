/**
 * Puts the answers of a dump file into the cache, each as if an upstream had just sent it: it has to answer its question, be whole, hold only
 * records that belong there, come from no other owner than the name's, and live within the present limits. A hand-over trusts its dump more:
 * that comes from a process of ours (core/cache/dump.ts). The search path learns nothing from a file. Pure.
 */

import { putU16 } from '../wire/bytes.ts'
import { Flag2, headerBytes } from '../wire/constants.ts'
import { Question, readQuestion, Verdict } from '../wire/question.ts'
import { matchesQuestion } from '../wire/response-match.ts'
import { ResponseScan, scanResponse } from '../wire/scan.ts'
import type { Cache } from './cache/cache.ts'
import type { DumpRecord } from './cache/dump.ts'
import { FailureCache } from './cache/failure-cache.ts'
import { bitsIn, nameIn } from './cache/key.ts'
import { hashOf, suffixBytes } from './cache/key-bytes.ts'
import { ageTtls } from './cache/ttl.ts'
import type { Ticket } from './question/in-flight.ts'
import { openTicket } from './question/ticket.ts'
import type { Router } from './router.ts'
import { Settler, type SettlerParts } from './settlement.ts'

export interface LoadParts extends Pick<SettlerParts, 'cache' | 'router' | 'local'> {
  readonly cache: Cache
  readonly router: Router
  /** Whether a stage may answer questions about a name otherwise than an upstream would. */
  readonly isAltered: (name: Uint8Array, nameBytes: number) => boolean
}

export interface Loaded {
  readonly answers: number
  /** There is a fresh answer already. */
  readonly known: number
  readonly expired: number
  /** An upstream that sent them would not be believed, or may not answer for their names. */
  readonly refused: number
}

type Fate = keyof Loaded

export class Loader {
  private readonly parts: LoadParts
  private readonly settler: Settler
  private readonly question = new Question()
  private readonly scan = new ResponseScan()

  constructor(parts: LoadParts) {
    this.parts = parts
    const { cache, router, local } = parts
    // Neither what fails here nor what is denied here says anything about upstreams.
    const failures = new FailureCache({ minSeconds: 1, maxSeconds: 1 })
    this.settler = new Settler({ cache, router, local, failures, search: { path: undefined } })
  }

  /**
   * @param ageMs since the dump was made
   * @returns what became of the record
   */
  load(record: DumpRecord, ageMs: number, nowMs: number): Fate {
    const { key } = record
    const ticket = this.ticketFor(key)
    if (ticket === undefined) return 'refused'
    if (this.parts.cache.peekText(key, ticket.hash)?.isFresh(nowMs) === true) return 'known'
    const leftMs = record.lifetimeSeconds * 1000 - record.ageMs - ageMs
    if (leftMs <= 0) return 'expired'
    const reply = Buffer.from(record.image)
    const { frame, questionEnd } = ticket
    if (!matchesQuestion(reply, reply.length, frame, questionEnd)) return 'refused'
    if (!scanResponse(reply, reply.length, this.scan) || this.scan.end !== reply.length)
      return 'refused'
    ageTtls(reply, this.scan.questionEnd, this.scan.records, Math.ceil(ageMs / 1000))
    scanResponse(reply, reply.length, this.scan)
    const outcome = { kind: 'answer', reply, scan: this.scan, upstream: 'file' } as const
    return this.settler.settle(ticket, outcome, nowMs).kept === undefined ? 'refused' : 'answers'
  }

  /** @returns undefined when the key is of no question that a client could ask */
  private ticketFor(key: string): Ticket | undefined {
    const { router, isAltered, cache } = this.parts
    const query = queryOf(key)
    const { question } = this
    if (readQuestion(query, query.length, question) !== Verdict.ask) return undefined
    if (question.questionEnd !== query.length) return undefined
    question.dnssecOk = bitsIn(key).dnssecOk
    const name = Buffer.from(nameIn(key), 'latin1')
    const isSure = !isAltered(name, name.length)
    return openTicket(query, question, {
      key,
      hash: hashOf(nameIn(key)),
      route: router.route(name, name.length),
      routeGeneration: isSure ? router.generation : -1,
      asOf: cache.flushes.count,
      entry: undefined,
      client: '',
      audited: undefined,
    })
  }
}

/** Header and question, with CD as the key has it. */
function queryOf(key: string): Buffer {
  const wire = Buffer.from(key, 'latin1')
  const question = wire.subarray(0, Math.max(0, wire.length - 1))
  const query = Buffer.alloc(headerBytes + question.length)
  query[2] = 1
  query[3] = bitsIn(key).checkingDisabled ? Flag2.cd : 0
  putU16(query, 4, 1)
  question.copy(query, headerBytes)
  return wire.length > suffixBytes ? query : Buffer.alloc(0)
}
