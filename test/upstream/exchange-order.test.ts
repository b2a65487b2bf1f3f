/*
 * Goal: a name that only the first of two resolvers knows is never denied by the second, whatever the first does about other names; and the
 * last upstream there is answers what it can. Method: the exchange over real sockets before two fakes: inside names exist on the first alone,
 * the second denies them and knows all others.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExchangeSettings } from '../../src/upstream/settings.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { type Behaviour, delayed, FakeUpstream, failing, silent } from './fake-upstream.ts'
import {
  ask,
  askSteadily,
  failuresIn,
  groupOf,
  pause,
  quantileMs,
  settings,
  type Told,
  withExchange,
} from './support.ts'

const test = suite('upstream/exchange-order')
const testBeside = overlapping(test)

const inside = '10.1.1.1'

function knowing(others: Behaviour, delayMs = 0): Behaviour {
  return (query) => {
    if (!query.qname.startsWith('inside')) return others(query)
    query.after(delayMs, () => query.answer({ address: inside }))
  }
}

const outside: Behaviour = (query) =>
  query.answer(query.qname.startsWith('inside') ? { rcode: 3, address: null } : {})

type Body = (
  exchange: Parameters<typeof ask>[0],
  first: FakeUpstream,
  second: FakeUpstream,
) => Promise<void>

async function withTwo(first: Behaviour, body: Body, changes: Partial<ExchangeSettings> = {}) {
  const upstreams: [FakeUpstream, FakeUpstream] = [
    await FakeUpstream.start(first),
    await FakeUpstream.start(outside),
  ]
  const group = groupOf('udp', upstreams, changes)
  await withExchange([group], upstreams, (exchange) => body(exchange, ...upstreams))
}

function wrong(told: readonly Told[]): readonly Told[] {
  return told.filter(({ address }) => address !== inside)
}

/** Inside names, one each 50 ms, beside others that the first is slow, silent or unwilling about. */
async function askBoth(exchange: Parameters<typeof ask>[0], forMs = 2500) {
  const others = askSteadily(exchange, { perSecond: 60, forMs, prefix: 'other' })
  const insiders = await askSteadily(exchange, { perSecond: 20, forMs, prefix: 'inside' })
  return { insiders, others: await others }
}

const doings: readonly [string, Behaviour, outsideFails: boolean][] = [
  ['answers others after 700 ms', delayed(700), false],
  ['answers others after 2.5 s', delayed(2500), false],
  ['is silent about others', silent, false],
  ['says SERVFAIL to others', failing(2), false],
  ['says REFUSED to others', failing(5), false],
  ['says NOTIMP to others', failing(4), false],
  ['says NXDOMAIN to others', failing(3), true],
]

for (const [what, behave, outsideFails] of doings) {
  for (const answersTrials of [true, false]) {
    testBeside(
      `while the first ${what} ${answersTrials ? '' : 'and ignores signs of life '}inside names are right`,
      async () => {
        await withTwo(knowing(behave), async (exchange, first) => {
          first.answersTrials = answersTrials
          const { insiders, others } = await askBoth(exchange)
          assert.is(wrong(insiders).length, 0, JSON.stringify(wrong(insiders).slice(0, 2)))
          assert.ok(quantileMs(insiders, 1) < 400, `${quantileMs(insiders, 1)} ms`)
          if (!outsideFails) assert.is(failuresIn(others).length, 0)
          // A time-out of 1.5 s at most, on a machine that is busy with other tests.
          assert.ok(quantileMs(others, 1) < 2800, `${quantileMs(others, 1)} ms`)
        })
      },
    )
  }
}

testBeside(
  'a first that has never answered anything but inside names answers the first of them',
  async () => {
    await withTwo(knowing(silent, 20), async (exchange, first) => {
      first.answersTrials = false
      const others = await askSteadily(exchange, { perSecond: 40, forMs: 2500, prefix: 'other' })
      assert.is(failuresIn(others).length, 0)
      const told = await ask(exchange, 'inside.example')
      assert.is(told.address, inside)
    })
  },
)

testBeside('a first that is slow about the inside name itself is waited for', async () => {
  await withTwo(knowing(delayed(0), 2500), async (exchange) => {
    await askSteadily(exchange, { perSecond: 100, forMs: 300, prefix: 'other' })
    const told = await ask(exchange, 'inside.example')
    assert.is(told.address, inside)
  })
})

testBeside(
  'when our sockets to the first are all taken nobody else is asked in its place',
  async () => {
    const body: Body = async (exchange) => {
      const others = Promise.all(
        Array.from({ length: 20 }, (_, i) => ask(exchange, `other${i}.example`)),
      )
      const told = await Promise.all(
        Array.from({ length: 5 }, (_, i) => ask(exchange, `inside${i}.example`)),
      )
      assert.is(told.filter(({ rcode }) => rcode === 3).length, 0)
      await others
    }
    await withTwo(knowing(silent), body, { udp: { ...settings.udp, socketsMax: 10 } })
  },
)

testBeside('a first that was dead while nobody asked is asked first again', async () => {
  await withTwo(knowing(delayed(0)), async (exchange, first) => {
    await askSteadily(exchange, { perSecond: 50, forMs: 300, prefix: 'other' })
    await first.kill()
    const during = await askSteadily(exchange, { perSecond: 50, forMs: 500, prefix: 'other' })
    assert.is(failuresIn(during).length, 0)
    await first.revive()
    await pause(2600)
    assert.is((await ask(exchange, 'inside.example')).address, inside)
  })
})

testBeside(
  'a first that falls silent altogether costs half a second, and soon nothing',
  async () => {
    await withTwo(knowing(delayed(0)), async (exchange, first) => {
      await askSteadily(exchange, { perSecond: 100, forMs: 500, prefix: 'other' })
      first.behave = silent
      first.answersTrials = false
      const early = await askSteadily(exchange, { perSecond: 100, forMs: 2500, prefix: 'early' })
      assert.is(failuresIn(early).length, 0)
      assert.ok(quantileMs(early, 1) < 900, `${quantileMs(early, 1)} ms`)
      const late = await askSteadily(exchange, { perSecond: 100, forMs: 1000, prefix: 'late' })
      assert.ok(quantileMs(late, 1) < 60, `${quantileMs(late, 1)} ms`)
      first.behave = knowing(delayed(0))
      first.answersTrials = true
      await askSteadily(exchange, { perSecond: 50, forMs: 1300, prefix: 'back' })
      assert.is((await ask(exchange, 'inside.example')).address, inside)
    })
  },
)

for (const answersTrials of [true, false]) {
  testBeside(
    `the only upstream, silent about some names${answersTrials ? '' : ' and about signs of life'}, answers all others`,
    async () => {
      const upstream = await FakeUpstream.start(knowing(silent))
      upstream.answersTrials = answersTrials
      await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
        const { insiders } = await askBoth(exchange, 5000)
        assert.is(wrong(insiders).length, 0)
        assert.ok(quantileMs(insiders, 1) < 300, `${quantileMs(insiders, 1)} ms`)
      })
    },
  )
}

testBeside(
  'recursion of 2.5 s is waited for, also by an upstream that answers nothing else',
  async () => {
    const upstream = await FakeUpstream.start(delayed(2500))
    upstream.answersTrials = false
    await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
      for (const mayRecurse of [true, false]) {
        const asked = Array.from({ length: 8 }, (_, i) =>
          ask(exchange, `slow${i}.example`, 'test', { mayRecurse }),
        )
        assert.is(failuresIn(await Promise.all(asked)).length, 0)
      }
    })
  },
)

testBeside('the only upstream is asked at once after silence about everything', async () => {
  const upstream = await FakeUpstream.start()
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    assert.is((await ask(exchange, 'a.example')).rcode, 0)
    upstream.behave = silent
    upstream.answersTrials = false
    await askSteadily(exchange, { perSecond: 50, forMs: 2500, prefix: 'silent' })
    assert.is(exchange.stats()[0]?.upstreams[0]?.isUp, false)
    upstream.behave = (query) => query.answer()
    const told = await ask(exchange, 'back.example')
    assert.equal([told.rcode, told.tookMs < 100], [0, true])
  })
})

test.run()
