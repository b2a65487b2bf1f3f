/*
 * Goal: one outcome for every question, the right one, in time, whoever is slow, wrong or dead. Method: the exchange over
 * real sockets against fake upstreams on loopback; a black hole is an upstream that reads and never answers. The longer
 * faults are in exchange-faults.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { durationSlots } from '../../src/platform/duration-buckets.ts'
import type { UpstreamCounters } from '../../src/upstream/counters.ts'
import type { UpstreamExchange } from '../../src/upstream/exchange.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { delayed, FakeUpstream, failing, silent } from './fake-upstream.ts'
import {
  ask,
  askFor,
  askSteadily,
  failuresIn,
  groupOf,
  lateHedge,
  pause,
  quantileMs,
  type Told,
  withExchange,
  withStream,
} from './support.ts'

const test = suite('upstream/exchange')
const testBeside = overlapping(test)

function countersOf(exchange: UpstreamExchange, upstream: number): UpstreamCounters {
  const counters = exchange.stats()[0]?.upstreams[upstream]?.counters
  if (counters === undefined) throw new Error('no such upstream')
  return counters
}

function askMany(exchange: UpstreamExchange, count: number, prefix = 'n') {
  return Promise.all(
    Array.from({ length: count }, (_, i) => ask(exchange, `${prefix}${i}.example`)),
  )
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`a question over ${transport} is answered, counted and told with its upstream`, async () => {
    const upstream = await FakeUpstream.start()
    await withExchange([groupOf(transport, [upstream])], [upstream], async (exchange) => {
      const told = await ask(exchange, 'a.example')
      assert.is(told.address, '10.9.8.7')
      assert.is(told.upstream, `${transport}://127.0.0.1:${upstream.port}`)
      assert.equal(
        upstream.queries.map((query) => `${query.transport} ${query.qname}`),
        [`${transport} a.example`],
      )
      const counters = countersOf(exchange, 0)
      assert.is(counters.sent, 1)
      assert.is(counters.repliesByRcode[0], 1)
      assert.is(counters.durations.reduce((sum, slot) => sum + slot) > 1, true)
      assert.is(exchange.stats()[0]?.inFlight, 0)
    })
  })

  test(`NXDOMAIN over ${transport} is an answer like any other`, async () => {
    const upstreams = [await FakeUpstream.start(failing(3)), await FakeUpstream.start()]
    const group = groupOf(transport, upstreams, { policy: 'sequential' })
    await withExchange([group], upstreams, async (exchange) => {
      assert.is((await ask(exchange, 'a.example')).rcode, 3)
      assert.is(upstreams[1]?.queries.length, 0)
      const { durations } = countersOf(exchange, 0)
      const slots = durations.subarray(3 * durationSlots, 4 * durationSlots)
      assert.ok(slots.some((slot) => slot > 0))
      assert.is(
        durations.subarray(0, 3 * durationSlots).every((slot) => slot === 0),
        true,
      )
    })
  })
}

test('an outcome never comes before start has returned, even when nothing can be sent', async () => {
  const upstream = await FakeUpstream.start()
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await ask(exchange, 'a.example', 'no-such-group')
    assert.is(told.why, 'unreachable')
    assert.is(told.outcomes, 1)
  })
})

test('the frame of a question is not touched', async () => {
  const upstream = await FakeUpstream.start()
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const asked = askFor('a.example')
    const before = Buffer.from(asked.frame)
    await new Promise<void>((resolve) => exchange.start(asked, { onOutcome: () => resolve() }))
    assert.equal(asked.frame, before)
    assert.is(upstream.queries[0]?.message.length, before.length)
  })
})

test('a question that takes longer than usual is asked of an equal, and the first answer ends it', async () => {
  const slow = await FakeUpstream.start(delayed(600, { address: '10.0.0.1' }))
  const quick = await FakeUpstream.start(delayed(0, { address: '10.0.0.2' }))
  const group = groupOf('udp', [slow, quick], { policy: 'spread' })
  await withExchange([group], [slow, quick], async (exchange) => {
    // The first draw is the slow one's, or this one costs nothing.
    let told = await ask(exchange, 'a.example')
    for (let i = 0; told.upstream?.endsWith(`${quick.port}`) && told.tookMs < 200; i++)
      told = await ask(exchange, `a${i}.example`)
    assert.is(told.address, '10.0.0.2')
    assert.ok(told.tookMs >= 245 && told.tookMs < 550, `${told.tookMs} ms`)
    assert.is(exchange.stats()[0]?.counters.hedges, 1)
    assert.is(exchange.stats()[0]?.counters.hedgesWon, 1)
  })
})

test('the delay before a hedge follows the usual round trip', async () => {
  let isSlow = false
  const upstream = await FakeUpstream.start((query) =>
    query.after(isSlow && upstream.queries.length === 41 ? 5000 : 1, () => query.answer()),
  )
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    await askMany(exchange, 40)
    isSlow = true
    const told = await ask(exchange, 'a.example')
    // Without it the longest delay would apply, 250 ms.
    assert.ok(told.tookMs >= 50 && told.tookMs < 220, `${told.tookMs} ms`)
  })
})

test('hedges stay within the budget when everything is slow', async () => {
  const upstream = await FakeUpstream.start(delayed(700))
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await askMany(exchange, 200)
    assert.is(failuresIn(told).length, 0)
    // A burst of 10 and a share of 40.
    assert.ok(upstream.queries.length <= 200 + 52, `${upstream.queries.length} queries`)
    assert.ok((exchange.stats()[0]?.counters.budgetRefusals ?? 0) > 100)
  })
})

test('SERVFAIL and REFUSED are asked of the next upstream', async () => {
  for (const rcode of [2, 5]) {
    const bad = await FakeUpstream.start(failing(rcode))
    const good = await FakeUpstream.start()
    await withExchange([groupOf('udp', [bad, good])], [bad, good], async (exchange) => {
      const told = await ask(exchange, 'a.example')
      assert.is(told.rcode, 0)
      assert.ok(told.tookMs < 220)
    })
  }
})

test('a burst of questions that one upstream fails is rescued by the other', async () => {
  const bad = await FakeUpstream.start(failing(2))
  const good = await FakeUpstream.start()
  await withExchange([groupOf('udp', [bad, good])], [bad, good], async (exchange) => {
    const told = await askMany(exchange, 20)
    assert.is(failuresIn(told).length, 0)
  })
})

test('an equal that keeps failing where another helps is spared; the first of an order is not', async () => {
  for (const policy of ['spread', 'sequential'] as const) {
    const bad = await FakeUpstream.start(failing(2))
    const good = await FakeUpstream.start()
    const group = groupOf('udp', [bad, good], { policy, ...lateHedge })
    await withExchange([group], [bad, good], async (exchange) => {
      for (let i = 0; i < 50; i++) assert.is((await ask(exchange, `n${i}.example`)).rcode, 0)
      // Three, three without EDNS in case SERVFAIL is about that, and copies that look whether it helps again.
      if (policy === 'spread') assert.ok(bad.queries.length <= 9, `${bad.queries.length} queries`)
      else assert.is(bad.queries.length, 50 + 3)
    })
  }
})

test('without fail-over the first SERVFAIL is passed on', async () => {
  const upstreams = [await FakeUpstream.start(failing(2)), await FakeUpstream.start()]
  await withExchange(
    [groupOf('udp', upstreams, { failover: false })],
    upstreams,
    async (exchange) => {
      assert.is((await ask(exchange, 'a.example')).rcode, 2)
      assert.is(upstreams[1]?.queries.length, 0)
    },
  )
})

test('when all equals say SERVFAIL it is passed on, and hardly any question is asked twice', async () => {
  const upstreams = [await FakeUpstream.start(failing(2)), await FakeUpstream.start(failing(2))]
  const group = groupOf('udp', upstreams, { policy: 'spread' })
  await withExchange([group], upstreams, async (exchange) => {
    const told: Told[] = []
    for (let i = 0; i < 10; i++) told.push(...(await askMany(exchange, 100, `b${i}-`)))
    assert.is(told.filter(({ rcode }) => rcode !== 2).length, 0)
    const sent = upstreams.reduce((sum, { queries }) => sum + queries.length, 0)
    // Hedges are what a busy machine adds; they have a budget of their own.
    const hedges = exchange.stats()[0]?.counters.hedges ?? 0
    assert.ok(sent - hedges <= 1000 * 1.1, `${sent} queries, ${hedges} of them hedges`)
  })
})

test('when all of an order say SERVFAIL each is asked once, so that a name that fails costs others nothing', async () => {
  const upstreams = [await FakeUpstream.start(failing(2)), await FakeUpstream.start(failing(2))]
  await withExchange([groupOf('udp', upstreams, lateHedge)], upstreams, async (exchange) => {
    const told: Told[] = []
    for (let i = 0; i < 5; i++) told.push(...(await askMany(exchange, 100, `b${i}-`)))
    assert.is(told.filter(({ rcode }) => rcode !== 2).length, 0)
    assert.equal(
      upstreams.map(({ queries }) => queries.length),
      // Three questions to each without EDNS, because SERVFAIL may be about that.
      [500 + 3, 500 + 3],
    )
    for (const upstream of upstreams.slice(1)) upstream.behave = (query) => query.answer()
    assert.is((await ask(exchange, 'other.example')).rcode, 0)
  })
})

testBeside('the SERVFAIL of one upstream is told when the other never answers', async () => {
  const upstreams = [await FakeUpstream.start(failing(2)), await FakeUpstream.start(silent)]
  const group = groupOf('udp', upstreams, { silenceMs: 300, deadlineMs: 600 })
  await withExchange([group], upstreams, async (exchange) => {
    const told = await ask(exchange, 'a.example')
    assert.is(told.rcode, 2)
    assert.is(told.upstream, `udp://127.0.0.1:${upstreams[0]?.port}`)
    assert.ok(told.tookMs < 650)
  })
})

testBeside('no question is sent more often than allowed, whatever goes wrong', async () => {
  const upstream = await FakeUpstream.start((query) => {
    if (query.transport === 'tcp') return query.reset()
    query.answer(query.hasOpt ? { rcode: 1 } : { tc: true })
  })
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await ask(exchange, 'a.example')
    assert.equal([told.rcode, told.address], [0, '10.9.8.7'], 'half an answer is more than FORMERR')
    assert.ok(upstream.queries.length <= 4, `${upstream.queries.length} queries`)
  })
})

testBeside(
  'questions to upstreams that never answer fail within the silence limit, as a timeout',
  async () => {
    for (const transport of ['udp', 'tcp'] as const) {
      const upstreams = [await FakeUpstream.start(silent), await FakeUpstream.start(silent)]
      for (const upstream of upstreams) upstream.answersTrials = false
      await withExchange([groupOf(transport, upstreams)], upstreams, async (exchange) => {
        const told = await askMany(exchange, 5)
        assert.ok(told.every(({ why }) => why === 'timeout'))
        assert.ok(told.every(({ tookMs }) => tookMs > 2999))
        assert.ok(quantileMs(told, 1) < 3300, `${quantileMs(told, 1)} ms`)
      })
    }
  },
)

testBeside(
  'a slow name gets the whole deadline from an upstream that shows signs of life',
  async () => {
    for (const transport of ['udp', 'tcp'] as const) {
      const upstream = await FakeUpstream.start(delayed(2500))
      await withExchange([groupOf(transport, [upstream])], [upstream], async (exchange) => {
        const told = await ask(exchange, 'slow.example')
        assert.is(told.rcode, 0)
        assert.ok(told.tookMs < 2700, `${told.tookMs} ms`)
        const { length } = upstream.trials
        assert.ok(length >= 2 && length <= 5, `${length} trials`)
      })
    }
  },
)

testBeside(
  'a cluster name waits no longer than the silence limit for an upstream that gives signs of life alone',
  async () => {
    for (const transport of ['udp', 'tcp'] as const) {
      const upstream = await FakeUpstream.start(silent)
      await withExchange([groupOf(transport, [upstream])], [upstream], async (exchange) => {
        const told = await ask(exchange, 'a.cluster.local', 'test', { mayRecurse: false })
        assert.is(told.why, 'timeout')
        // Timers count whole milliseconds.
        assert.ok(told.tookMs > 2999 && told.tookMs < 3800, `${told.tookMs} ms`)
        assert.ok(upstream.trials.length >= 2)
      })
    }
  },
)

testBeside(
  'a slow cluster name is waited for while its upstream answers other questions',
  async () => {
    const upstream = await FakeUpstream.start((query) =>
      query.after(query.qname.startsWith('slow') ? 2500 : 0, () => query.answer()),
    )
    await withExchange([groupOf('tcp', [upstream])], [upstream], async (exchange) => {
      const slow = ask(exchange, 'slow.cluster.local', 'test', { mayRecurse: false })
      const others = askSteadily(exchange, { perSecond: 10, forMs: 2000 })
      assert.is((await slow).rcode, 0)
      assert.is(failuresIn(await others).length, 0)
    })
  },
)

testBeside(
  'a resolver that gives signs of life and no answers is seen through after six questions',
  async () => {
    const upstream = await FakeUpstream.start(silent)
    await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
      const first = await askMany(exchange, 10, 'first')
      assert.ok(first.every(({ why }) => why === 'timeout'))
      // Those that were the evidence notice at their next look, half a second later.
      assert.ok(quantileMs(first, 1) < 3800, `${quantileMs(first, 1)} ms`)
      const second = await askMany(exchange, 2, 'second')
      assert.ok(quantileMs(second, 1) < 3300, `${quantileMs(second, 1)} ms`)
      assert.ok(exchange.stats()[0]?.upstreams[0]?.isUp)
      upstream.behave = (query) => query.answer()
      assert.is((await ask(exchange, 'again.example')).rcode, 0)
      upstream.behave = delayed(2500)
      assert.is((await ask(exchange, 'slow.example')).rcode, 0)
    })
  },
)

testBeside('a question ends at the deadline, however lively the upstream', async () => {
  const upstream = await FakeUpstream.start(silent)
  const group = groupOf('udp', [upstream], { deadlineMs: 900, silenceMs: 800 })
  await withExchange([group], [upstream], async (exchange) => {
    const told = await ask(exchange, 'a.example')
    assert.is(told.why, 'timeout')
    // The wheel's clock and this test's are read at different moments: 899.8 ms were seen.
    assert.ok(told.tookMs >= 899 && told.tookMs < 1500, `${told.tookMs} ms`)
  })
})

testBeside('upstreams that send nothing usable are told as malformed', async () => {
  const upstream = await FakeUpstream.start((query) => query.send(query.message))
  const group = groupOf('udp', [upstream], { silenceMs: 300 })
  await withExchange([group], [upstream], async (exchange) => {
    assert.is((await ask(exchange, 'a.example')).why, 'malformed')
  })
})

test('stop fails what is in flight as shutdown, and what comes after it', async () => {
  const upstreams = [await FakeUpstream.start(silent), await FakeUpstream.start(silent)]
  const groups = [
    { ...groupOf('udp', upstreams), name: 'udp' },
    { ...groupOf('tcp', upstreams), name: 'tcp' },
  ]
  await withExchange(groups, upstreams, async (exchange) => {
    const open = [ask(exchange, 'a.example', 'udp'), ask(exchange, 'b.example', 'tcp')]
    await pause(20)
    exchange.stop()
    const told = [...(await Promise.all(open)), await ask(exchange, 'c.example', 'udp')]
    assert.ok(told.every(({ why }) => why === 'shutdown'))
    await pause(20)
    assert.is(upstreams[0]?.connectionsOpen, 0)
  })
})

test('a new configuration keeps the connections of upstreams that stay, and their numbers', async () => {
  const [stays, goes, comes] = [
    await FakeUpstream.start(),
    await FakeUpstream.start(),
    await FakeUpstream.start(),
  ]
  // No head is slow, so that none calls for another connection.
  const unhurried = withStream({ slowAfterMs: 1000 })
  const group = (upstreams: readonly FakeUpstream[]) => groupOf('tcp', upstreams, unhurried)
  await withExchange([group([stays, goes])], [stays, goes, comes], async (exchange) => {
    await askMany(exchange, 50)
    const accepted = stays.connectionsAccepted
    const { sent } = countersOf(exchange, 0)
    assert.ok(sent > 0)
    exchange.reconfigure([group([comes, stays])])
    await pause(20)
    assert.is(goes.connectionsOpen, 0)
    await askMany(exchange, 50, 'm')
    assert.is(stays.connectionsAccepted, accepted)
    assert.ok(comes.queries.length > 0)
    assert.is(goes.queries.filter(({ qname }) => qname.startsWith('m')).length, 0)
    assert.ok(countersOf(exchange, 1).sent > sent)
    assert.is(exchange.stats()[0]?.counters.answers, 100)
  })
})

test('questions in flight are finished although their upstream or group is gone from the configuration', async () => {
  for (const transport of ['udp', 'tcp'] as const) {
    const [old, fresh] = [await FakeUpstream.start(delayed(150)), await FakeUpstream.start()]
    await withExchange([groupOf(transport, [old])], [old, fresh], async (exchange) => {
      const first = ask(exchange, 'a.example')
      await pause(50)
      exchange.reconfigure([groupOf(transport, [fresh])])
      assert.is((await first).upstream, `${transport}://127.0.0.1:${old.port}`)
      const second = ask(exchange, 'b.example')
      exchange.reconfigure([])
      assert.is((await second).rcode, 0)
      await pause(20)
      assert.is(old.connectionsOpen + fresh.connectionsOpen, 0)
    })
  }
})

for (const [policy, secondIsAsked] of [
  ['sequential', false],
  ['spread', true],
] as const) {
  test(`policy ${policy} holds whatever the transport`, async () => {
    for (const transport of ['udp', 'tcp'] as const) {
      const upstreams = [await FakeUpstream.start(), await FakeUpstream.start()]
      const group = groupOf(transport, upstreams, { policy })
      await withExchange([group], upstreams, async (exchange) => {
        for (let i = 0; i < 30; i++) await ask(exchange, `n${i}.example`)
        const [, second] = upstreams.map(({ queries }) => queries.length)
        assert.is((second ?? 0) > 5, secondIsAsked, `${transport}: ${second}`)
      })
    }
  })
}

test('CoreDNS endpoints share the load, resolvers are asked in their order', async () => {
  const upstreams = [await FakeUpstream.start(delayed(2)), await FakeUpstream.start(delayed(2))]
  const groups = [
    { ...groupOf('tcp', upstreams), name: 'cluster' },
    { ...groupOf('udp', upstreams), name: 'external' },
  ]
  await withExchange(groups, upstreams, async (exchange) => {
    for (let i = 0; i < 100; i++) {
      await Promise.all([
        ask(exchange, `c${i}.cluster`, 'cluster'),
        ask(exchange, `e${i}.example`, 'external'),
      ])
    }
    const [first, second] = upstreams.map(({ queries }) => ({
      cluster: queries.filter(({ transport }) => transport === 'tcp').length,
      external: queries.filter(({ transport }) => transport === 'udp').length,
    }))
    assert.ok(
      (first?.cluster ?? 0) >= 20 && (second?.cluster ?? 0) >= 20,
      JSON.stringify([first, second]),
    )
    assert.ok((first?.external ?? 0) >= 98, JSON.stringify([first, second]))
  })
})

test('questions that are late at upstreams that leave the group move on to those that come', async () => {
  const upstreams = [await FakeUpstream.start(silent), await FakeUpstream.start()]
  const [before, after] = upstreams.map((one) => groupOf('udp', [one]))
  if (before === undefined || after === undefined) throw new Error('no groups')
  await withExchange([before], upstreams, async (exchange) => {
    const asked = Array.from({ length: 30 }, (_, i) => ask(exchange, `open${i}.example`))
    await pause(400)
    exchange.reconfigure([after])
    const changedMs = performance.now()
    const told = await Promise.all(asked)
    assert.equal(new Set(told.map(({ rcode }) => rcode)), new Set([0]))
    assert.ok(performance.now() - changedMs < 800)
  })
})

test.run()
