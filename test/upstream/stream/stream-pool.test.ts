/*
 * Goal: questions wait for a connection within bounds, none is lost when the pool ends, and an upstream that refuses is dialled twice
 * and then not before half a second has gone. Method: real connections to a fake upstream, and a clock that the test turns.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { UpstreamTransport } from '../../../src/address/upstream-url.ts'
import type { AttemptFailure } from '../../../src/upstream/counters.ts'
import type { StreamSettings } from '../../../src/upstream/settings.ts'
import { StreamPool } from '../../../src/upstream/stream/stream-pool.ts'
import { until } from '../../support/process.ts'
import { type Behaviour, FakeUpstream, silent } from '../fake-upstream.ts'
import { attemptFor, Clock, NotingOwner, NotingUpstream } from '../parts.ts'
import { addressOf, settings } from '../support.ts'

const test = suite('upstream/stream/stream-pool')

class Pooled {
  readonly clock = new Clock()
  readonly fake: FakeUpstream
  readonly upstream: NotingUpstream
  readonly pool: StreamPool
  readonly owners: NotingOwner[] = []

  private constructor(
    fake: FakeUpstream,
    transport: UpstreamTransport,
    changes: Partial<StreamSettings>,
  ) {
    this.fake = fake
    this.upstream = Object.assign(new NotingUpstream(), { address: addressOf(fake, transport) })
    this.pool = new StreamPool(
      this.upstream,
      { ...settings.stream, ...changes },
      this.clock.context,
    )
  }

  static async run(
    body: (pooled: Pooled) => Promise<void>,
    {
      behave,
      transport = 'tcp',
      ...changes
    }: Partial<StreamSettings> & { behave?: Behaviour; transport?: UpstreamTransport } = {},
  ): Promise<void> {
    const fake = await FakeUpstream.start(behave)
    const pooled = new Pooled(fake, transport, changes)
    try {
      await body(pooled)
    } finally {
      pooled.pool.stop()
      await fake.stop()
    }
  }

  submit(name = 'www.example'): AttemptFailure | undefined {
    const owner = new NotingOwner()
    this.owners.push(owner)
    return this.pool.submit(attemptFor(this.upstream, owner, { name }))
  }

  get told(): string[] {
    return this.owners.flatMap(({ told }) => told)
  }

  async toldAll(count: number): Promise<void> {
    await until(`${count} outcomes`, () => this.told.length >= count, { everyMs: 2 })
  }

  async open(): Promise<void> {
    await until('a connection', () => this.pool.openCount > 0, { everyMs: 2 })
  }
}

test('a question waits for the first connection, and is answered on it', async () => {
  await Pooled.run(async (pooled) => {
    const { pool, upstream } = pooled
    assert.is(pooled.submit(), undefined)
    assert.equal([pool.load, pool.openCount, upstream.counters.sent], [1, 0, 0])
    await pooled.toldAll(1)
    assert.equal(pooled.told, ['reply'])
    assert.equal([pool.load, pool.openCount, upstream.counters.connectionsOpened], [0, 1, 1])
    assert.is(pooled.submit(), undefined)
    await pooled.toldAll(2)
    assert.equal([upstream.counters.sent, upstream.counters.connectionsReused], [2, 1])
  })
})

test('no more wait than may', async () => {
  await Pooled.run(
    async (pooled) => {
      assert.equal(
        [pooled.submit(), pooled.submit(), pooled.submit()],
        [undefined, undefined, 'overloaded'],
      )
      await pooled.toldAll(2)
      assert.equal(pooled.told, ['reply', 'reply'])
    },
    { queueMax: 2 },
  )
})

test('what is given up while it waits is not sent', async () => {
  await Pooled.run(async (pooled) => {
    const attempt = attemptFor(pooled.upstream, new NotingOwner(), { name: 'given.up' })
    pooled.submit('first.example')
    pooled.pool.submit(attempt)
    assert.is(pooled.pool.load, 2)
    attempt.cancel()
    assert.is(pooled.pool.load, 1)
    await pooled.toldAll(1)
    assert.equal(
      pooled.fake.queries.map(({ qname }) => qname),
      ['first.example'],
    )
  })
})

test('a connection is filled to its depth, and no more are open than may be', async () => {
  await Pooled.run(
    async (pooled) => {
      pooled.submit('warm.example')
      await pooled.toldAll(1)
      pooled.fake.behave = silent
      pooled.fake.queries.length = 0
      for (let i = 0; i < 20; i++) pooled.submit(`n${i}.example`)
      await until('all places taken', () => pooled.fake.queries.length === 6, { everyMs: 2 })
      // Turns of the event loop in which more would come.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      const perConnection = Map.groupBy(pooled.fake.queries, ({ connection }) => connection)
      assert.equal(
        [...perConnection.values()].map((queries) => queries.length),
        [3, 3],
      )
      assert.equal([pooled.pool.load, pooled.pool.openCount], [20, 2])
    },
    { connections: 2, queriesPerConnection: 3, burstPerConnection: 3 },
  )
})

test('before the first answer a connection carries one question', async () => {
  await Pooled.run(
    async (pooled) => {
      for (let i = 0; i < 5; i++) pooled.submit(`n${i}.example`)
      await until('both dials', () => pooled.fake.queries.length === 2, { everyMs: 2 })
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal([pooled.fake.queries.length, pooled.pool.load], [2, 5])
      pooled.fake.queries[0]?.answer()
      await until('room for more', () => pooled.fake.queries.length === 5, { everyMs: 2 })
    },
    { behave: silent, connections: 2 },
  )
})

test('what waits takes the place of what was answered', async () => {
  await Pooled.run(
    async (pooled) => {
      for (let i = 0; i < 3; i++) pooled.submit(`n${i}.example`)
      await pooled.toldAll(3)
      assert.equal(pooled.told, ['reply', 'reply', 'reply'])
      assert.is(pooled.fake.connectionsAccepted, 1)
    },
    { connections: 1, queriesPerConnection: 1, burstPerConnection: 1 },
  )
})

test('a connection that ends a second after its last use was of use', async () => {
  await Pooled.run(async (pooled) => {
    const { fake, pool, upstream, clock } = pooled
    pooled.submit()
    await pooled.toldAll(1)
    clock.nowMs += 1000
    fake.resetConnections()
    await until('it has ended', () => pool.openCount === 0, { everyMs: 2 })
    assert.is(upstream.health.rank(clock.nowMs), 0)
  })
})

test('a connection that answers briskly takes a burst, and no more', async () => {
  await Pooled.run(
    async (pooled) => {
      pooled.submit('warm.example')
      await pooled.toldAll(1)
      pooled.fake.behave = silent
      for (let i = 0; i < 20; i++) pooled.submit(`n${i}.example`)
      await until('a burst', () => pooled.fake.queries.length === 6, { everyMs: 2 })
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      assert.is(pooled.fake.queries.length, 6)
    },
    { connections: 1, queriesPerConnection: 2, burstPerConnection: 5 },
  )
})

test('a retired pool takes nothing more, sends what waits, and closes behind it', async () => {
  await Pooled.run(async (pooled) => {
    pooled.submit()
    pooled.pool.retire()
    assert.is(pooled.submit(), 'closed')
    await pooled.toldAll(1)
    assert.equal(pooled.told, ['reply'])
    await until('closed', () => pooled.fake.connectionsOpen === 0, { everyMs: 2 })
    assert.is(pooled.pool.openCount, 0)
    assert.equal(pooled.upstream.noted, [])
  })
})

test('a pool that stops fails what waits and what was sent, and leaves no timer', async () => {
  await Pooled.run(
    async (pooled) => {
      for (let i = 0; i < 3; i++) pooled.submit(`n${i}.example`)
      await until('one was sent', () => pooled.fake.queries.length === 1, { everyMs: 2 })
      pooled.pool.stop()
      assert.equal(pooled.told, ['lost closed', 'lost closed', 'lost closed'])
      assert.equal([pooled.pool.load, pooled.clock.context.wheel.pending], [0, 0])
      assert.is(pooled.submit(), 'closed')
    },
    { behave: silent, connections: 1, queriesPerConnection: 1 },
  )
})

test('an upstream that refuses is dialled twice, and again when half a second has gone', async () => {
  await Pooled.run(async (pooled) => {
    const { clock, pool, upstream, fake } = pooled
    await fake.kill()
    pooled.submit()
    await pooled.toldAll(1)
    assert.equal(pooled.told, ['lost refused'])
    assert.is(upstream.counters.connectionsFailed, 2)
    assert.is(upstream.noted.length, 3, 'each dial, and that there is no other')
    assert.is(pooled.submit(), 'refused', 'at once')
    clock.nowMs += 300
    assert.is(pooled.submit(), 'refused')
    assert.is(upstream.counters.connectionsFailed, 2)
    assert.ok(
      upstream.noted.length >= 3 && upstream.noted.every((noted) => noted === 'failure refused'),
    )
    // A token costs up to 1.2, and is earned in half a second.
    clock.nowMs += 300
    assert.is(pooled.submit(), undefined)
    await pooled.toldAll(2)
    assert.ok(upstream.counters.connectionsFailed > 2)
    pool.allowDial()
    const before = upstream.counters.connectionsFailed
    assert.is(pooled.submit(), undefined)
    await pooled.toldAll(3)
    assert.ok(
      upstream.counters.connectionsFailed > before,
      'there is reason to believe that it is back',
    )
  })
})

test('TCP beside UDP may be missing: that is not held against the upstream', async () => {
  await Pooled.run(
    async (pooled) => {
      await pooled.fake.kill()
      pooled.submit()
      await pooled.toldAll(1)
      assert.is(pooled.submit(), 'refused')
      assert.equal(pooled.upstream.noted, [])
    },
    { transport: 'udp' },
  )
})

test('questions that were sent are lost with their connection, and a young one that ends is the fault of its server', async () => {
  await Pooled.run(
    async (pooled) => {
      const { fake, upstream, clock } = pooled
      pooled.submit('one.example')
      await until('it was sent', () => fake.queries.length === 1, { everyMs: 2 })
      fake.resetConnections()
      await pooled.toldAll(1)
      assert.equal(pooled.told, ['lost connection-lost'])
      assert.is(upstream.health.rank(clock.nowMs), 1, 'doubtful')
      assert.is(upstream.health.rank(clock.nowMs + 5000), 0)
    },
    { behave: silent },
  )
})

test('behind a server that ends young connections each carries one question', async () => {
  await Pooled.run(
    async (pooled) => {
      const { fake, clock } = pooled
      fake.behave = (query) => {
        if (query.qname !== 'cut.example') query.answer()
      }
      pooled.submit('warm.example')
      await pooled.toldAll(1)
      pooled.submit('cut.example')
      await until('it was sent', () => fake.queries.length === 2, { everyMs: 2 })
      fake.resetConnections()
      await pooled.toldAll(2)
      const opened = fake.connectionsAccepted
      for (let i = 0; i < 4; i++) pooled.submit(`n${i}.example`)
      await pooled.toldAll(6)
      const connections = fake.queries.slice(2).map(({ connection }) => connection)
      assert.is(new Set(connections).size, 4)
      assert.ok(connections.every((connection) => connection > opened))
      clock.nowMs += 2000
      pooled.submit('a.example')
      await pooled.toldAll(7)
      pooled.submit('b.example')
      await pooled.toldAll(8)
      assert.is(fake.queries.at(-1)?.connection, fake.queries.at(-2)?.connection, 'for two seconds')
    },
    { behave: silent, connections: 2 },
  )
})

test.run()
