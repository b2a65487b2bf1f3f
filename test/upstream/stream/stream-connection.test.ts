/*
 * Goal: a connection carries many questions, brings each reply to its own, and says when it is silent, idle, old or lost. Method: real
 * connections to a fake upstream, a host that notes what it is told, and a clock and timers that the test turns.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attempt } from '../../../src/upstream/attempt.ts'
import type { AttemptFailure, MismatchReason } from '../../../src/upstream/counters.ts'
import type { StreamSettings, UpstreamAddress } from '../../../src/upstream/settings.ts'
import {
  type ConnectionHost,
  StreamConnection,
} from '../../../src/upstream/stream/stream-connection.ts'
import { until } from '../../support/process.ts'
import { answerTo, type FakeQuery, FakeUpstream, silent } from '../fake-upstream.ts'
import { attemptFor, Clock, NotingOwner, NotingUpstream, startMs } from '../parts.ts'
import { addressOf, settings } from '../support.ts'

const test = suite('upstream/stream/stream-connection')

class Host implements ConnectionHost {
  readonly clock = new Clock()
  readonly told: string[] = []
  readonly upstream = new NotingUpstream('tcp')
  readonly owner = new NotingOwner()
  readonly settings: StreamSettings
  readonly target: UpstreamAddress
  readonly fake: FakeUpstream
  readonly connection: StreamConnection
  tlsSession: Buffer | undefined

  private constructor(fake: FakeUpstream, changes: Partial<StreamSettings>) {
    this.fake = fake
    this.target = addressOf(fake, 'tcp')
    this.settings = { ...settings.stream, ...changes }
    this.connection = new StreamConnection(this, this.clock.context)
  }

  /** @param isOpen wait until it is */
  static async run(
    body: (host: Host) => Promise<void> | void,
    { isOpen = true, ...changes }: Partial<StreamSettings> & { isOpen?: boolean } = {},
  ): Promise<void> {
    const fake = await FakeUpstream.start(silent)
    const host = new Host(fake, changes)
    try {
      if (isOpen) await host.seen('open')
      await body(host)
    } finally {
      host.connection.close('closed')
      await fake.stop()
    }
  }

  onOpen(): void {
    this.told.push('open')
  }

  onFirstAnswer(): void {
    this.told.push('first answer')
  }

  onAnswer(): void {}

  onRoom(): void {
    this.told.push('room')
  }

  onStray(why: MismatchReason): void {
    this.told.push(`stray ${why}`)
  }

  onClosed(_connection: StreamConnection, why: AttemptFailure, lost: readonly Attempt[]): void {
    this.told.push(`closed ${why}, ${lost.length} lost`)
  }

  async seen(what: string, count = 1): Promise<void> {
    const isSeen = () => this.told.filter((told) => told === what).length >= count
    await until(what, isSeen, { everyMs: 1 })
  }

  send(name = 'www.example', kind: 'first' | 'trial' = 'first'): Attempt {
    const attempt = attemptFor(this.upstream, this.owner, { name, kind })
    this.connection.send(attempt)
    return attempt
  }

  /** What arrived, once that many have. */
  async queries(count: number): Promise<readonly FakeQuery[]> {
    await until('queries', () => this.fake.queries.length >= count, { everyMs: 1 })
    return this.fake.queries
  }

  /** Sends and has it answered. */
  async ask(name = 'www.example'): Promise<void> {
    const before = this.told.filter((told) => told === 'room').length
    this.send(name)
    const queries = await this.queries(this.fake.queries.length + 1)
    queries.at(-1)?.answer()
    await this.seen('room', before + 1)
  }

  at(afterMs: number): void {
    this.clock.nowMs = startMs + afterMs
    this.connection.onTimer(this.clock.nowMs)
  }

  get isOpen(): boolean {
    return this.connection.state === 'open'
  }
}

test('a dial becomes a connection, and says so once', async () => {
  await Host.run(({ told, connection }) => {
    assert.equal(told, ['open'])
    assert.equal([connection.state, connection.wasOpen, connection.sent], ['open', true, 0])
  })
})

test('a dial that takes too long is given up', async () => {
  await Host.run(
    (host) => {
      host.at(1000)
      assert.equal(host.told, ['closed connect-timeout, 0 lost'])
      assert.equal([host.connection.wasOpen, host.clock.context.wheel.pending], [false, 0])
    },
    { isOpen: false },
  )
})

test('questions of one turn leave together, each under an ID of its own', async () => {
  await Host.run(async (host) => {
    const [one, two] = [host.send('one.example'), host.send('two.example')]
    const queries = await host.queries(2)
    assert.equal(
      queries.map(({ id }) => id),
      [one.id, two.id],
    )
    assert.is.not(one.id, two.id)
    assert.equal([one.carrier, one.sentMs], [host.connection, startMs])
    assert.equal([host.connection.load, host.upstream.counters.sent], [2, 2])
    assert.is(host.upstream.counters.connectionsReused, 1)
  })
})

test('a trial is no question of a client', async () => {
  await Host.run((host) => {
    host.send('www.example', 'trial')
    assert.is(host.upstream.counters.sent, 0)
  })
})

test('replies come in any order, and make room', async () => {
  await Host.run(async (host) => {
    const [one, two] = [host.send('one.example'), host.send('two.example')]
    const [first, second] = await host.queries(2)
    second?.answer()
    await host.seen('room')
    assert.equal([one.isDone, two.isDone, host.connection.load], [false, true, 1])
    first?.answer()
    await host.seen('room', 2)
    assert.equal(host.told, ['open', 'first answer', 'room', 'room'])
    assert.equal([host.owner.told, host.connection.answers], [['reply', 'reply'], 2])
  })
})

test('a reply to what was given up says that the connection lives', async () => {
  await Host.run(async (host) => {
    const attempt = host.send()
    const [query] = await host.queries(1)
    attempt.cancel()
    assert.is(host.connection.load, 1, 'the peer still works on it')
    query?.answer()
    await host.seen('room')
    assert.equal([host.owner.told, host.connection.load], [[], 0])
    assert.ok(host.upstream.noted[0]?.startsWith('late reply'))
  })
})

test('a message that belongs to no question is counted, and sixteen end the connection', async () => {
  await Host.run(async (host) => {
    const attempt = host.send()
    const [query] = await host.queries(1)
    if (query === undefined) throw new Error('no query')
    const stray = answerTo(query)
    stray.writeUInt16BE(attempt.id ^ 1, 0)
    for (let i = 0; i < 14; i++) query.send(stray)
    query.send(Buffer.alloc(5))
    await host.seen('stray short')
    assert.is(host.isOpen, true)
    query.send(stray)
    await host.seen('closed connection-lost, 1 lost')
    assert.is(host.told.filter((told) => told === 'stray id').length, 15)
  })
})

test('another question under the right ID is a mismatch of that attempt, which goes on waiting', async () => {
  await Host.run(async (host) => {
    const attempt = host.send('www.example')
    const [query] = await host.queries(1)
    if (query === undefined) throw new Error('no query')
    const wrong = answerTo(query)
    wrong.write('x', 13)
    query.send(wrong)
    query.answer()
    await host.seen('room')
    assert.equal([attempt.mismatches, host.owner.told], [1, ['reply']])
    assert.is(host.upstream.counters.mismatches.question, 1)
  })
})

test('half a second of silence is told to all that wait, once for each silence', async () => {
  await Host.run(async (host) => {
    host.send('one.example')
    host.send('two.example').cancel()
    host.at(499)
    assert.equal(host.owner.told, [])
    host.at(500)
    assert.equal(host.owner.told, ['stalled'])
    host.at(1000)
    assert.equal(host.owner.told, ['stalled'])
    const [, second] = await host.queries(2)
    second?.answer()
    await host.seen('room')
    host.at(1499)
    assert.equal(host.owner.told, ['stalled'])
    host.at(1500)
    assert.equal(host.owner.told, ['stalled', 'stalled'])
  })
})

test('after two seconds of silence a connection on which nobody waits is given up', async () => {
  await Host.run((host) => {
    const attempt = host.send()
    host.at(2000)
    assert.is(host.isOpen, true, 'somebody waits')
    attempt.cancel()
    host.at(2001)
    assert.is(host.told.at(-1), 'closed closed, 0 lost')
  })
  await Host.run((host) => {
    host.send().cancel()
    host.at(1999)
    assert.is(host.isOpen, true)
  })
})

test('an idle connection closes by its time, one that never said anything sooner', async () => {
  await Host.run(async (host) => {
    host.at(2499)
    assert.is(host.isOpen, true)
    host.at(2500)
    assert.is(host.told.at(-1), 'closed closed, 0 lost')
  })
  await Host.run(async (host) => {
    host.clock.nowMs = startMs + 1000
    await host.ask()
    host.at(8999)
    assert.is(host.isOpen, true, 'from its last question on')
    host.at(9000)
    assert.is(host.isOpen, false)
  })
})

test('an old one takes nothing more, and closes at once or with its last reply', async () => {
  await Host.run(
    async (host) => {
      const { connection } = host
      connection.checkAge(startMs + 799)
      assert.is(connection.isRetiring, false, 'a fifth is left to chance')
      connection.checkAge(startMs + 1000)
      assert.equal([connection.isRetiring, connection.hasRoom(8)], [true, false])
      // Its own timer closes it, at the next tick.
      host.clock.nowMs = startMs + 1020
      await host.seen('closed closed, 0 lost')
    },
    { ageMaxMs: 1000 },
  )
  await Host.run(async (host) => {
    host.send()
    host.connection.retire()
    const [query] = await host.queries(1)
    assert.is(host.isOpen, true)
    query?.answer()
    await host.seen('closed closed, 0 lost')
    assert.equal(host.owner.told, ['reply'])
  })
})

test('there is room up to a depth, in an open connection', async () => {
  await Host.run(async (host) => {
    const { connection } = host
    host.send('one.example')
    host.send('two.example')
    assert.equal([connection.hasRoom(2), connection.hasRoom(3)], [false, true])
    connection.close('closed')
    assert.is(connection.hasRoom(3), false)
  })
})

test('it is quiet while a question is open and nothing comes, and brisk while answers come close together', async () => {
  await Host.run(async (host) => {
    const { connection, clock } = host
    assert.equal(
      [connection.isQuiet(startMs + 9999, 100), connection.isBrisk(startMs, 10)],
      [false, false],
    )
    host.send('one.example')
    assert.equal(
      [connection.isQuiet(startMs + 100, 100), connection.isQuiet(startMs + 101, 100)],
      [false, true],
    )
    const [query] = await host.queries(1)
    clock.nowMs = startMs + 10
    query?.answer()
    await host.seen('room')
    assert.equal(
      [connection.isBrisk(startMs + 10, 10), connection.isBrisk(startMs + 10, 9)],
      [true, false],
    )
    host.send('two.example')
    assert.equal(
      [connection.isBrisk(startMs + 20, 10), connection.isBrisk(startMs + 21, 10)],
      [true, false],
    )
  })
})

test('a connection that ends in its use with few answers was useless', async () => {
  await Host.run(async (host) => {
    const { connection } = host
    assert.is(connection.wasUseless(startMs), false, 'it was not used')
    for (let i = 0; i < 3; i++) await host.ask(`n${i}.example`)
    assert.equal(
      [connection.wasUseless(startMs + 999), connection.wasUseless(startMs + 1000)],
      [true, false],
    )
    await host.ask('n3.example')
    assert.is(connection.wasUseless(startMs), false, 'four are of use')
  })
})

for (const [what, end] of [
  ['FIN', (fake: FakeUpstream) => fake.endConnections()],
  ['RST', (fake: FakeUpstream) => fake.resetConnections()],
] as const) {
  test(`what is open when ${what} comes is lost, without what was given up`, async () => {
    await Host.run(async (host) => {
      host.send('one.example')
      host.send('two.example').cancel()
      await host.queries(2)
      end(host.fake)
      await host.seen('closed connection-lost, 1 lost')
      host.connection.close('closed')
      assert.is(host.told.filter((told) => told.startsWith('closed')).length, 1, 'once')
      assert.is(host.clock.context.wheel.pending, 0)
    })
  })
}

test.run()
