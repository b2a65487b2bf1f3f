/** Queries and replies as the pipeline has them, made by hand. */

import { type ReplyFacts, ReplySource } from '../../../src/core/facts.ts'
import type { Arrival } from '../../../src/core/question/arrival.ts'
import type { Reply } from '../../../src/core/reply.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { writeQuery } from '../../support/client/dns-message.ts'

export function arrivalOf(name: string, client = '192.0.2.1', arrivedMs = 0): Arrival {
  const query = writeQuery(name, 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  return {
    ...{ question, query, arrivedMs, queryBytes: query.length, serverIndex: 0, transport: 0 },
    ...{ family: 4, clientPort: 40_000, clientAddress: () => client },
  }
}

export function replyOf(source: ReplySource, rcode = 0, upstream?: string): Reply {
  return { image: undefined, rcode, source, ede: -1, ...(upstream !== undefined && { upstream }) }
}

export function factsOf(facts: Partial<ReplyFacts> = {}): ReplyFacts {
  return {
    ...{ serverIndex: 0, zoneIndex: 0, transport: 0, family: 4, qtype: 1, rcode: 0 },
    ...{ source: ReplySource.cacheSuccess, queryBytes: 30, replyBytes: 60, dnssecOk: false },
    tookMs: 0.01,
    ...facts,
  }
}
