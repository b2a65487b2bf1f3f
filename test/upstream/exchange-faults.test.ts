/*
 * Goal: what happens to upstreams for seconds costs few questions little time: restarts, black holes, outages and the return
 * from them. Method: questions at a steady rate while fake upstreams die, fall silent and come back.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StateChange } from '../../src/upstream/exchange.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { type Behaviour, type FakeQuery, FakeUpstream, silent } from './fake-upstream.ts'
import {
  ask,
  askSteadily,
  failuresIn,
  groupOf,
  pause,
  quantileMs,
  withExchange,
} from './support.ts'

const test = suite('upstream/exchange-faults')
const testBeside = overlapping(test)

async function pair(): Promise<[FakeUpstream, FakeUpstream]> {
  return [await FakeUpstream.start(), await FakeUpstream.start()]
}

for (const transport of ['udp', 'tcp'] as const) {
  testBeside(`two ${transport} upstreams restarted in turn lose no question`, async () => {
    const upstreams = await pair()
    await withExchange([groupOf(transport, upstreams)], upstreams, async (exchange) => {
      const asking = askSteadily(exchange, { perSecond: 200, forMs: 3300 })
      for (const upstream of upstreams) {
        // Time to find the one before again, on a machine that is busy with other tests.
        await pause(600)
        await upstream.kill()
        await pause(700)
        await upstream.revive()
      }
      const told = await asking
      assert.is(failuresIn(told).length, 0)
      assert.ok(quantileMs(told, 0.99) < 250, `p99 ${quantileMs(told, 0.99)} ms`)
      assert.ok(upstreams.every(({ queries }) => queries.length > 100))
    })
  })

  testBeside(
    `one of two ${transport} upstreams that falls silent costs no answer, and soon no time`,
    async () => {
      const upstreams = await pair()
      await withExchange([groupOf(transport, upstreams)], upstreams, async (exchange) => {
        await askSteadily(exchange, { perSecond: 200, forMs: 300, prefix: 'warm' })
        upstreams[0].behave = silent
        upstreams[0].answersTrials = false
        const early = await askSteadily(exchange, { perSecond: 200, forMs: 2000, prefix: 'early' })
        assert.is(failuresIn(early).length, 0)
        // Equals are asked after 250 ms; the second of an order when the time of the first has passed, half a second here.
        const boundMs = transport === 'udp' ? 750 : 300
        assert.ok(quantileMs(early, 0.99) < boundMs, `p99 ${quantileMs(early, 0.99)} ms`)
        const late = await askSteadily(exchange, { perSecond: 200, forMs: 1000, prefix: 'late' })
        assert.is(failuresIn(late).length, 0)
        // The shortest hedge takes 50 ms: none is needed any more.
        assert.ok(quantileMs(late, 0.9) < 45, `p90 ${quantileMs(late, 0.9)} ms later`)
        assert.ok(upstreams[0].trials.length <= 8, `${upstreams[0].trials.length} trials`)
        assert.not.ok(exchange.stats()[0]?.upstreams[0]?.isUp)
      })
    },
  )

  testBeside(
    `with all ${transport} upstreams silent each question fails in bounded time and is asked of each once, and service returns at once`,
    async () => {
      const upstreams = await pair()
      const changes: StateChange[] = []
      const recovered: string[] = []
      const options = {
        onStateChange: (change: StateChange) => changes.push(change),
        onRecovered: (group: string) => recovered.push(group),
      }
      const body = async (exchange: Parameters<typeof ask>[0]) => {
        await askSteadily(exchange, { perSecond: 100, forMs: 300, prefix: 'warm' })
        for (const upstream of upstreams) {
          upstream.behave = silent
          upstream.answersTrials = false
        }
        const before = askSteadily(exchange, { perSecond: 100, forMs: 2500, prefix: 'before' })
        const failed = await before
        assert.ok(quantileMs(failed, 1) < 3500, `${quantileMs(failed, 1)} ms`)
        assert.ok(exchange.stats()[0]?.upstreams.every(({ isUp }) => !isUp))
        const sentBefore = upstreams.reduce((sum, { queries }) => sum + queries.length, 0)
        const known = await askSteadily(exchange, { perSecond: 100, forMs: 1500, prefix: 'known' })
        assert.ok(known.every(({ why }) => why === 'unreachable' || why === 'timeout'))
        // A second of silence for each of them, the second beginning 200 ms after the first.
        assert.ok(quantileMs(known, 0.9) < 1500, `p90 ${quantileMs(known, 0.9)} ms`)
        const sent = upstreams.reduce((sum, { queries }) => sum + queries.length, 0) - sentBefore
        // None is rationed; hedges have a budget.
        assert.ok(sent <= known.length * 2.5, `${sent} of ${known.length} questions sent`)
        for (const upstream of upstreams) {
          upstream.behave = (query) => query.answer()
          upstream.answersTrials = true
        }
        const returning = await askSteadily(exchange, {
          perSecond: 100,
          forMs: 1000,
          prefix: 'return',
        })
        const last = returning.findLastIndex(({ rcode }) => rcode !== 0)
        assert.ok(last < (transport === 'udp' ? 0 : 75), `question ${last} of 100 failed`)
        const after = await askSteadily(exchange, { perSecond: 100, forMs: 500, prefix: 'after' })
        assert.is(failuresIn(after).length, 0)
      }
      await withExchange([groupOf(transport, upstreams)], upstreams, body, options)
      assert.equal(recovered, ['test'])
      const downs = changes.filter(({ up }) => !up)
      assert.ok(
        downs.length >= 2 && downs.every(({ why }) => why === 'silent'),
        JSON.stringify(changes),
      )
      assert.ok(changes.some(({ up }) => up))
    },
  )

  testBeside(
    `a ${transport} upstream that refuses is back within a second of its return, and is not stormed`,
    async () => {
      const upstream = await FakeUpstream.start()
      await withExchange([groupOf(transport, [upstream])], [upstream], async (exchange) => {
        await upstream.kill()
        assert.is((await ask(exchange, 'first.example')).why, 'unreachable')
        const down = await askSteadily(exchange, { perSecond: 200, forMs: 1500, prefix: 'down' })
        assert.ok(down.every(({ rcode }) => rcode !== 0))
        // On a busy machine some are given up before their refusal is read.
        const refusedAtOnce = down.filter(({ why }) => why === 'unreachable').length
        assert.ok(refusedAtOnce >= down.length * 0.9, `${refusedAtOnce} of ${down.length}`)
        assert.ok(quantileMs(down, 0.9) < 100, `${quantileMs(down, 0.9)} ms`)
        const counters = exchange.stats()[0]?.upstreams[0]?.counters
        // A datagram for each question, the first few twice; dials are rationed.
        const { refused = 999 } = counters?.failures ?? {}
        assert.ok(refused <= down.length + 8, `${refused} refusals`)
        assert.ok((counters?.connectionsFailed ?? 99) <= 8, `${counters?.connectionsFailed} dials`)
        await upstream.revive()
        const returning = await askSteadily(exchange, {
          perSecond: 100,
          forMs: 1000,
          prefix: 'return',
        })
        const last = returning.findLastIndex(({ rcode }) => rcode !== 0)
        assert.ok(last < (transport === 'udp' ? 0 : 75), `question ${last} of 100 failed`)
      })
    },
  )
}

testBeside(
  'an upstream that ignores signs of life is taken back for answering a real question',
  async () => {
    const upstreams = await pair()
    upstreams[0].answersTrials = false
    upstreams[0].behave = silent
    await withExchange([groupOf('udp', upstreams)], upstreams, async (exchange) => {
      await askSteadily(exchange, { perSecond: 100, forMs: 2500, prefix: 'before' })
      assert.not.ok(exchange.stats()[0]?.upstreams[0]?.isUp)
      upstreams[0].behave = (query) => query.answer()
      const after = await askSteadily(exchange, { perSecond: 100, forMs: 1600, prefix: 'after' })
      assert.is(failuresIn(after).length, 0)
      assert.ok(exchange.stats()[0]?.upstreams[0]?.isUp)
    })
  },
)

testBeside(
  'TCP connections that go dead one after another cost no answer while others live',
  async () => {
    const upstream = await FakeUpstream.start((query) => {
      // Every third connection goes deaf after 20 queries, as when a conntrack entry is lost.
      if (query.connection % 3 === 0) {
        const carried = upstream.queries.filter(({ connection }) => connection === query.connection)
        if (carried.length > 20) return
      }
      query.answer()
    })
    await withExchange([groupOf('tcp', [upstream])], [upstream], async (exchange) => {
      const told = await askSteadily(exchange, { perSecond: 200, forMs: 3000 })
      assert.is(failuresIn(told).length, 0)
      assert.ok(quantileMs(told, 0.99) < 300, `p99 ${quantileMs(told, 0.99)} ms`)
      assert.ok(exchange.stats()[0]?.upstreams[0]?.isUp)
    })
  },
)

testBeside('five in a hundred datagrams lost cost no answer', async () => {
  let count = 0
  const upstream = await FakeUpstream.start((query) => {
    if (++count % 20 !== 0) query.answer()
  })
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const told = await askSteadily(exchange, { perSecond: 200, forMs: 2000 })
    assert.is(failuresIn(told).length, 0)
    assert.ok(quantileMs(told, 1) < 1000, `${quantileMs(told, 1)} ms`)
  })
})

/** What a packet or a connection can do, and in how many of a hundred cases it does. */
const mischief: readonly [number, (query: FakeQuery, random: () => number) => void][] = [
  [55, (query) => query.answer()],
  [10, (query, random) => query.after(random() * 600, () => query.answer())],
  [5, (query) => query.answer({ tc: true })],
  [5, (query) => query.answer({ rcode: 2 })],
  [3, (query) => query.answer({ rcode: 1 })],
  [5, (query, random) => query.send(query.message.subarray(0, Math.floor(random() * 30)))],
  [2, (query) => query.sendRaw(Buffer.from([0, 40, 1, 2, 3]))],
  [2, (query) => query.reset()],
  [2, (query) => query.end()],
  [3, (query) => Array.from({ length: 5 }, () => query.answer())],
  [8, () => {}],
]

function erratic(random: () => number): Behaviour {
  return (query) => {
    let dice = random() * 100
    for (const [share, act] of mischief) {
      dice -= share
      if (dice < 0) return act(query, random)
    }
  }
}

for (const transport of ['udp', 'tcp'] as const) {
  testBeside(
    `whatever ${transport} upstreams do, each question has one outcome in time, and nothing is left over`,
    async () => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const random = seeded(seed)
      const upstreams = [
        await FakeUpstream.start(),
        await FakeUpstream.start(),
        await FakeUpstream.start(),
      ]
      for (const upstream of upstreams) upstream.behave = erratic(random)
      const changes = { deadlineMs: 1500, silenceMs: 900 }
      await withExchange([groupOf(transport, upstreams, changes)], upstreams, async (exchange) => {
        const asking = askSteadily(exchange, { perSecond: 200, forMs: 3000 })
        for (let round = 0; round < 6; round++) {
          const victim = upstreams[round % 3]
          await pause(100 + random() * 300)
          await victim?.kill()
          await pause(random() * 300)
          await victim?.revive()
        }
        const told = await asking
        assert.ok(quantileMs(told, 1) < 2000, `${quantileMs(told, 1)} ms, seed ${seed}`)
        // What was given up is forgotten two seconds later.
        for (const upstream of upstreams) upstream.behave = (query) => query.answer()
        await pause(2600)
        const [group] = exchange.stats()
        assert.is(group?.inFlight, 0)
        assert.equal(
          group?.upstreams.map(({ load }) => load),
          [0, 0, 0],
          `seed ${seed}`,
        )
        const { questions, answers, failures } = group?.counters ?? {}
        const failed = Object.values(failures ?? {}).reduce((sum, count) => sum + count)
        assert.is(questions, (answers ?? 0) + failed)
      })
    },
  )
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648
  }
}

test('a step of the wall clock is not noticed', async () => {
  const upstream = await FakeUpstream.start()
  const wallClock = Date.now
  await withExchange([groupOf('udp', [upstream])], [upstream], async (exchange) => {
    const open = askSteadily(exchange, { perSecond: 100, forMs: 400 })
    try {
      for (const stepMs of [3_600_000, -3_600_000, -315_360_000_000]) {
        Date.now = () => wallClock() + stepMs
        await pause(100)
      }
    } finally {
      Date.now = wallClock
    }
    assert.is(failuresIn(await open).length, 0)
    assert.is(exchange.stats()[0]?.counters.hedges, 0)
  })
})

test.run()
