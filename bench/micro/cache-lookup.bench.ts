/** Key and look-up among 1,000 names: those that are there, those that are not. */

import { Cache } from '../../src/core/cache/cache.ts'
import { QuestionKey } from '../../src/core/cache/key.ts'
import { Router } from '../../src/core/router.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { defaultOutlook, keep } from './fixture.ts'
import type { MicroBench } from './measure.ts'

const names = 1000

interface Parsed {
  readonly query: Buffer
  readonly question: Question
}

export const bench: MicroBench = () => {
  const { config, routing } = defaultOutlook(53)
  const cache = new Cache(config.cache)
  const router = new Router(routing.zones)
  const key = new QuestionKey()
  const there = Array.from({ length: names }, (_, i) => parsed(`a1-${i}.bench.cluster.local`))
  const absent = Array.from({ length: names }, (_, i) => parsed(`n-${i}.bench.cluster.local`))
  for (const { query, question } of there) keep(cache, router, query, question)
  let at = 0
  const lookup = (from: readonly Parsed[]) => () => {
    at = at + 1 < names ? at + 1 : 0
    const { query, question } = from[at] as Parsed
    return cache.lookup(key.read(query, question))?.rcode ?? 1
  }
  return [
    { name: 'key and look-up, found', op: lookup(there) },
    { name: 'key and look-up, not found', op: lookup(absent) },
  ]
}

function parsed(name: string): Parsed {
  const query = writeQuery(name, 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  return { query, question }
}
