/** TTLs of a kept answer set to the present second: once per entry and second, not per query. */
import { Cache } from '../../src/core/cache/cache.ts'
import { QuestionKey } from '../../src/core/cache/key.ts'
import { Router } from '../../src/core/router.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { defaultOutlook, keep } from './fixture.ts'
import type { MicroBench } from './measure.ts'

/** Time goes on by a second with each operation, and begins again after as many. */
const seconds = 1_000_000

export const bench: MicroBench = () => {
  const { config, routing } = defaultOutlook(53)
  const cache = new Cache(config.cache)
  const router = new Router(routing.zones)
  const age = (label: string) => {
    const query = writeQuery(`${label}.bench.cluster.local`, 'A')
    const question = new Question()
    readQuestion(query, query.length, question)
    keep(cache, router, query, question)
    const entry = cache.lookup(new QuestionKey().read(query, question))
    if (entry === undefined) throw new Error('the answer was not kept')
    let second = 0
    return () => {
      second = (second + 1) % seconds
      entry.age(second * 1000)
      return second
    }
  }
  return [
    { name: 'age, one address', op: age('a1-age') },
    { name: 'age, NXDOMAIN', op: age('n-age') },
    { name: 'age, 250 addresses', op: age('a250-age') },
  ]
}
