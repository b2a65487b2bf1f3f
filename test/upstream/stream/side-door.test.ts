/**
 * Goal: UDP beside TCP is used while it answers, left alone where it does not, and never a reason to think ill of the server. Method: a
 * fake upstream on both transports, and a clock that the test turns.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AttemptList } from '../../../src/upstream/attempt.ts'
import { SideDoor } from '../../../src/upstream/stream/side-door.ts'
import { until } from '../../support/process.ts'
import { FakeUpstream, silent } from '../fake-upstream.ts'
import { attemptFor, Clock, NotingOwner, NotingUpstream } from '../parts.ts'
import { addressOf, settings } from '../support.ts'

const test = suite('upstream/stream/side-door')

class Door {
  readonly clock = new Clock()
  readonly upstream: NotingUpstream
  readonly owner = new NotingOwner()
  readonly door: SideDoor

  constructor(fake: FakeUpstream) {
    const address = addressOf(fake, 'tcp')
    this.upstream = Object.assign(new NotingUpstream('tcp'), { address })
    this.door = new SideDoor(address, settings.udp, this.clock.context)
  }

  static async run(body: (door: Door, fake: FakeUpstream) => Promise<void>): Promise<void> {
    const fake = await FakeUpstream.start(silent)
    const door = new Door(fake)
    try {
      await body(door, fake)
    } finally {
      door.door.stop()
      await fake.stop()
    }
  }

  get isOpen(): boolean {
    return this.door.isOpen(this.clock.nowMs)
  }

  send() {
    const siblings = new AttemptList()
    const attempt = attemptFor(this.upstream, this.owner, { siblings })
    siblings.add(attempt)
    assert.is(this.door.send(attempt), undefined)
    return attempt
  }

  /** A question that went this way is answered over TCP after some time. */
  answeredElsewhere(afterMs: number): void {
    const { siblings } = this.send()
    this.clock.nowMs += afterMs
    const other = attemptFor(this.upstream, this.owner, { siblings })
    other.sentMs = this.clock.nowMs
    siblings.add(other)
    this.door.noteLife(other, this.clock.nowMs)
    siblings.cancel()
  }
}

test('a question goes out over UDP, and its answer proves the way', async () => {
  await Door.run(async (it, fake) => {
    const attempt = it.send()
    assert.equal([attempt.isAside, it.door.load, it.door.isProven], [true, 1, false])
    await until('it arrived', () => fake.queries.length === 1, { everyMs: 1 })
    assert.is(fake.queries[0]?.transport, 'udp')
    fake.queries[0]?.answer()
    await until('it was answered', () => it.owner.told.length > 0, { everyMs: 1 })
    it.door.noteLife(attempt, it.clock.nowMs)
    assert.equal([it.owner.told, it.door.load, it.door.isProven], [['reply'], 0, true])
  })
})

test('three questions that only TCP answered shut it, and it is tried again after a minute', async () => {
  await Door.run(async (it) => {
    for (let i = 0; i < 2; i++) it.answeredElsewhere(250)
    assert.is(it.isOpen, true)
    it.answeredElsewhere(249)
    assert.is(it.isOpen, true, 'its answer may be on the way')
    it.answeredElsewhere(250)
    assert.is(it.isOpen, false)
    it.clock.nowMs += 59_999
    assert.is(it.isOpen, false)
    it.clock.nowMs += 1
    assert.is(it.isOpen, true)
    for (let i = 0; i < 3; i++) it.answeredElsewhere(250)
    it.clock.nowMs += 119_999
    assert.is(it.isOpen, false, 'twice as long')
    it.clock.nowMs += 1
    assert.is(it.isOpen, true)
  })
})

test('an answer between them clears the account', async () => {
  await Door.run(async (it) => {
    for (let i = 0; i < 2; i++) it.answeredElsewhere(250)
    it.door.noteLife(it.send(), it.clock.nowMs)
    for (let i = 0; i < 2; i++) it.answeredElsewhere(250)
    assert.is(it.isOpen, true)
  })
})

test('several at once are one accident', async () => {
  await Door.run(async (it) => {
    it.answeredElsewhere(250)
    for (const one of [it.send(), it.send(), it.send(), it.send()]) {
      one.sentMs -= 300
      const other = attemptFor(it.upstream, it.owner, { siblings: one.siblings })
      other.sentMs = it.clock.nowMs
      it.door.noteLife(other, it.clock.nowMs)
      one.siblings.cancel()
    }
    assert.is(it.isOpen, true)
  })
})

test('while nothing at all comes from the server, 64 questions are enough', async () => {
  await Door.run(async (it) => {
    for (let i = 0; i < 64; i++) it.send()
    assert.is(it.isOpen, false)
    it.door.noteLife(attemptFor(it.upstream), it.clock.nowMs)
    assert.is(it.isOpen, true)
  })
})

test('a port without a server shuts it at once', async () => {
  await Door.run(async (it, fake) => {
    await fake.kill()
    it.upstream.noteFailure = () => it.door.noteRefusal(it.clock.nowMs)
    it.send()
    await until('it was refused', () => it.owner.told.length > 0, { everyMs: 1 })
    assert.equal([it.owner.told, it.isOpen], [['lost refused'], false])
  })
})

test.run()
