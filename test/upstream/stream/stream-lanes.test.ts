/**
 * Goal: quick questions keep their connections whatever slow ones do, more are opened for heads that are slow, and few while nothing
 * answers at all. Method: real connections to a fake upstream that never answers; the test says which are held, and turns the clock.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Shares } from '../../../src/core/sharing/shares.ts'
import type { Attempt } from '../../../src/upstream/attempt.ts'
import { Standing, StreamHabits } from '../../../src/upstream/policy/stream-habits.ts'
import type { StreamSettings } from '../../../src/upstream/settings.ts'
import type { ConnectionHost } from '../../../src/upstream/stream/stream-connection.ts'
import { StreamLanes } from '../../../src/upstream/stream/stream-lanes.ts'
import { until } from '../../support/process.ts'
import { FakeUpstream, silent } from '../fake-upstream.ts'
import { attemptFor, Clock, NotingOwner, NotingUpstream } from '../parts.ts'
import { addressOf, settings } from '../support.ts'

const test = suite('upstream/stream/stream-lanes')

class Lanes {
  readonly clock = new Clock()
  readonly habits = new StreamHabits()
  readonly places = new Shares(100)
  readonly upstream = new NotingUpstream('tcp')
  readonly lanes: StreamLanes

  private constructor(fake: FakeUpstream, changes: Partial<StreamSettings>) {
    const { context } = this.clock
    const nothing = () => undefined
    const host: ConnectionHost = {
      target: addressOf(fake, 'tcp'),
      tlsSession: undefined,
      settings: { ...settings.stream, ...changes },
      onOpen: nothing,
      onFirstAnswer: nothing,
      onAnswer: nothing,
      onRoom: nothing,
      onStray: nothing,
      onClosed: nothing,
    }
    this.lanes = new StreamLanes(host, {
      upstream: this.upstream,
      context,
      habits: this.habits,
      places: this.places,
      speed: { slowAfterMs: 5 },
    })
    this.heard()
  }

  static async run(
    body: (lanes: Lanes) => Promise<void>,
    changes: Partial<StreamSettings> = {},
  ): Promise<void> {
    const fake = await FakeUpstream.start(silent)
    const it = new Lanes(fake, changes)
    try {
      await body(it)
    } finally {
      for (const connection of it.lanes.all) connection.close('closed')
      await fake.stop()
    }
  }

  /** The server has answered now, somewhere. */
  heard(): void {
    this.upstream.health.replied(this.clock.nowMs)
  }

  /** As many as the lanes want to open for `apart` questions apart. */
  async grow(apart = 0): Promise<number> {
    for (let before = -1; before < this.lanes.all.length; ) {
      before = this.lanes.all.length
      this.lanes.dials.refill()
      for (let i = 0; i < 8; i++) this.lanes.grow(this.clock.nowMs, apart)
      await until('open', () => !this.lanes.isDialing, { everyMs: 1 })
    }
    return this.lanes.all.length
  }

  place(isApart = false, kind: 'first' | 'overtake' = 'first') {
    const attempt = attemptFor(this.upstream, new NotingOwner(), { kind })
    attempt.isApart = isApart
    return this.lanes.placeFor(attempt, this.clock.nowMs)
  }

  /** Puts a question on each of the first connections, whose head is then held, and slow if so told. */
  hold(count: number, isHeadSlow: boolean): void {
    for (const connection of this.lanes.all.slice(0, count)) {
      if (connection.load === 0) connection.send(attemptFor(this.upstream, new NotingOwner()))
      if (connection.head !== undefined) this.lanes.hold(connection, connection.head)
      connection.isHeadSlow = isHeadSlow
    }
  }
}

test('as many as configured take questions, and the one with the least to do comes first', async () => {
  await Lanes.run(async (it) => {
    assert.is(await it.grow(), 4)
    const [first, second] = it.lanes.all
    first?.send(attemptFor(it.upstream, new NotingOwner()))
    assert.is(it.place(), second)
    assert.equal([it.lanes.openCount, it.lanes.heldCount, it.lanes.isHeldUp], [4, 0, false])
  })
})

test('where each has a question the youngest head is joined, and one that is late only when all are', async () => {
  await Lanes.run(
    async (it) => {
      await it.grow()
      it.habits.noteAnswer(Standing.fresh)
      it.habits.noteAnswer(Standing.reused)
      it.habits.noteAnswer(Standing.behind)
      const [first, second] = it.lanes.all
      const send = (to = first) => to?.send(attemptFor(it.upstream, new NotingOwner()))
      send(first)
      it.clock.nowMs += 1
      send(second)
      it.heard()
      assert.is(it.place(), second)
      it.clock.nowMs += 2
      send(second)
      it.heard()
      assert.is(it.place(), second, 'the other head is late')
    },
    { connections: 2 },
  )
})

test('where heads turn old all the time more take questions, and after a burst as many as before', async () => {
  await Lanes.run(async (it) => {
    await it.grow()
    const [first] = it.lanes.all
    const head = attemptFor(it.upstream, new NotingOwner())
    first?.send(head)
    for (let i = 0; i < 60; i++) {
      it.clock.nowMs += 20
      if (first === undefined) break
      it.lanes.holdOld(first, head)
      it.lanes.free(first)
    }
    it.heard()
    assert.is(it.lanes.spareWanted(it.clock.nowMs), 2)
    assert.is(await it.grow(), 6)
    it.clock.nowMs += 5000
    assert.is(it.lanes.spareWanted(it.clock.nowMs), 0)
  })
})

test('one whose head is slow takes nothing, and is replaced', async () => {
  await Lanes.run(async (it) => {
    await it.grow()
    it.hold(4, true)
    assert.equal([it.place(), it.lanes.isHeldUp, it.lanes.heldCount], [undefined, true, 4])
    assert.is(await it.grow(), 8)
    assert.is(it.place(), it.lanes.all[4])
  })
})

test('slow heads may take them all but the quick ones, which stay in number', async () => {
  await Lanes.run(
    async (it) => {
      await it.grow()
      for (let i = 0; i < 10; i++) {
        it.hold(it.lanes.all.length - 2, true)
        await it.grow(20)
      }
      assert.is(it.lanes.all.length, 12)
      it.hold(10, true)
      assert.is(it.place(true), undefined, 'two are for quick ones')
      assert.is(it.place(), it.lanes.all[10])
    },
    { connections: 2, connectionsMax: 12 },
  )
})

test('used connections leave room for a fresh one, where a second question may stay without an answer', async () => {
  await Lanes.run(async (it) => {
    const used = await it.grow(20)
    for (const connection of it.lanes.all) connection.sent = 1
    const again = () => it.place(true, 'overtake')
    assert.is(again(), undefined)
    assert.ok((await it.grow(1)) > used)
    assert.is(again()?.sent, 0)
    it.habits.noteAnswer(Standing.reused)
    for (const connection of it.lanes.all) connection.sent = 1
    assert.is(again()?.sent, 1, 'it has answered a second one')
  })
})

test('while nothing answers twice as many are tried, and no more', async () => {
  await Lanes.run(async (it) => {
    await it.grow()
    it.hold(4, false)
    it.clock.nowMs += 200
    assert.is(await it.grow(30), 8)
    it.hold(8, false)
    assert.is(await it.grow(30), 8)
    it.clock.nowMs += 101
    assert.is(await it.grow(30), 12, 'four are silent for so long that they may be gone')
    it.heard()
    assert.ok((await it.grow(30)) > 12, 'it answers')
  })
})

test('the last idle one is left to quick questions while another can be opened', async () => {
  await Lanes.run(
    async (it) => {
      assert.is(await it.grow(), 2)
      assert.is(it.place(true), it.lanes.all[1], 'the last of several')
      it.hold(1, true)
      assert.is(it.place(true), undefined)
      assert.is(it.place(), it.lanes.all[1])
    },
    { connections: 2 },
  )
})

test('with one connection allowed slow ones use it as well', async () => {
  await Lanes.run(
    async (it) => {
      assert.is(await it.grow(5), 1)
      it.clock.nowMs += 1000
      assert.is(it.place(true), it.lanes.all[0])
    },
    { connections: 1, connectionsMax: 1 },
  )
})

test('behind a server of whom nobody knows whether it answers twice, what is asked again wants a new one', async () => {
  await Lanes.run(
    async (it) => {
      await it.grow()
      const [first, second] = it.lanes.all
      second?.send(attemptFor(it.upstream, new NotingOwner()))
      const used = second as unknown as { open: Map<number, Attempt> }
      used.open.clear()
      it.lanes.all.splice(2)
      assert.is(it.place(true, 'overtake'), first)
      it.habits.noteAnswer(Standing.reused)
      assert.is(it.place(true, 'overtake'), second)
    },
    { connections: 4 },
  )
})

test('nothing answered and every connection held: then each carries one question', async () => {
  await Lanes.run(async (it) => {
    it.habits.noteAnswer(Standing.fresh)
    await it.grow()
    it.hold(4, false)
    await it.grow()
    assert.is(it.lanes.isStuck(it.clock.nowMs + 5), false)
    it.clock.nowMs += 6
    assert.is(it.lanes.isStuck(it.clock.nowMs), true)
    for (const connection of it.lanes.all.slice(4)) {
      connection.send(attemptFor(it.upstream, new NotingOwner()))
    }
    assert.is(it.place(), undefined)
    it.heard()
    assert.is(it.place(), it.lanes.all[4])
  })
})

test('used ones are retired where a connection carries one question', async () => {
  await Lanes.run(async (it) => {
    await it.grow()
    it.hold(1, false)
    it.habits.noteLoss(it.clock.nowMs)
    it.lanes.tidy(it.clock.nowMs)
    assert.equal(
      it.lanes.all.map(({ isRetiring }) => isRetiring),
      [true, false, false, false],
    )
  })
})

test.run()
