/**
 * Goal: neardns loses no case of docs/interoperability.md that it has right. Method: each short case is played with a daemon
 * in its default settings, and one case with each of the other servers, so that the harness itself is known to work; the
 * same steps put to a server that denies everything must be found wrong.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlapping } from '../../support/lab/overlap.ts'
import { type Need, needs } from '../../support/needs.ts'
import { FakeUpstream } from '../../upstream/fake-upstream.ts'
import { allCases } from './cases/all.ts'
import { expectedWrong } from './expected-wrong.ts'
import { play } from './play.ts'
import { servers } from './servers/all.ts'
import { neardns } from './servers/neardns.ts'
import type { Server } from './servers/server.ts'

export const testTimeoutMs = 240_000

const test = suite('real/resolvers')
const beside = overlapping(test)

const cases = Object.values(allCases).flat()
const short = cases.filter(({ long }) => long !== true)

test('no two cases have the same name, and the list of wrong ones names cases', () => {
  const names = cases.map(({ name }) => name)
  assert.is(new Set(names).size, names.length)
  assert.equal(
    expectedWrong.filter((name) => !names.includes(name)),
    [],
  )
})

/** Denies every name, without SOA. */
const denier: Server = {
  name: 'neardns',
  about: '',
  missing: () => undefined,
  version: () => '',
  start: async ({ port }) => {
    const server = await FakeUpstream.start((query) => query.answer({ rcode: 3 }), { port })
    return { stop: () => server.stop() }
  },
}

/** What such a server has right. */
const deniable = /NXDOMAIN|denies|does not leave|never asked|header bits|`localhost`|no option/

test('a server that denies everything is wrong in the first case of each topic that asks for data', async () => {
  for (const [topic, of] of Object.entries(allCases)) {
    const one = of.find(({ name, long }) => long !== true && !deniable.test(name))
    assert.ok(one, topic)
    assert.is((await play(one, denier)).verdict, 'wrong', `${topic}: ${one.name}`)
  }
})

for (const server of servers) {
  if (server.name === 'neardns') continue
  const need: Need = server.name
  test(`${server.name} is put before upstreams by its adapter`, async () => {
    if (!needs(need)) return
    const one = cases.find(({ name }) => name.startsWith('NXDOMAIN comes with its SOA'))
    assert.ok(one)
    assert.equal(await play(one, server), { verdict: 'right' })
  })
}

for (const one of short) {
  beside(one.name, async () => {
    // Port 53 of addresses of its own.
    if (one.fromResolvConf && !needs('root')) return
    const verdict = await play(one, neardns)
    const seen = verdict.verdict === 'right' ? '' : verdict.seen
    if (expectedWrong.includes(one.name)) {
      const what = `${one.name}: right now; take it off test/real/resolvers/expected-wrong.ts`
      assert.is(verdict.verdict, 'wrong', what)
    } else {
      assert.is(seen, '', `${one.name}: ${seen} (source: ${one.source})`)
    }
  })
}

test.run()
