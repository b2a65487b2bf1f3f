/*
 * Goal: the daemon asks itself every 5 s, each second while it is not answered, and says so to /ready; a suspended machine is noticed; an idle
 * daemon sleeps in between.
 * Method: the real self-query to a socket of the test, under a clock that is wound by hand.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mock } from 'node:test'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Housekeeping } from '../../src/daemon/housekeeping.ts'
import { Readiness } from '../../src/observe/readiness.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import type { ListenAddress } from '../../src/system/bind.ts'
import { type HandClock, KeptLog, ownAnswer, whenTrue, withHandClock } from './support.ts'

const test = suite('daemon/housekeeping')

class OwnSocket {
  asked = 0
  answers = true
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('message', (query, from) => {
      this.asked += 1
      if (this.answers) socket.send(ownAnswer(query), from.port, from.address)
    })
  }

  get address(): ListenAddress {
    return { address: '127.0.0.1', port: this.socket.address().port, family: 4 }
  }
}

interface House {
  /** By how much each round was late, ms. */
  readonly rounds: readonly number[]
  readonly traffic: { comes: boolean }
  readonly own: OwnSocket
  readonly readiness: Readiness
  readonly housekeeping: Housekeeping
}

async function withHouse(
  body: (house: House, clock: HandClock) => Promise<void>,
  addresses?: () => ListenAddress[],
): Promise<void> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const own = new OwnSocket(socket)
  try {
    await withHandClock(async (clock) => {
      const readiness = new Readiness()
      const defects: unknown[] = []
      const rounds: number[] = []
      const traffic = { comes: false }
      const housekeeping = new Housekeeping({
        clock: new SystemClock(),
        readiness,
        log: new KeptLog(),
        addresses: addresses ?? (() => [own.address]),
        onRound: (lateMs) => {
          rounds.push(lateMs)
          return traffic.comes
        },
        onDefect: (error) => defects.push(error),
      })
      await body({ rounds, traffic, own, readiness, housekeeping }, clock)
      housekeeping.stop()
      // A question that is open still would stop its clock in the next test.
      await settle()
      assert.equal(defects, [])
    })
  } finally {
    socket.close()
  }
}

/** Whatever is on its way has come. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a daemon that listens nowhere asks nobody, and its readiness is not touched', () =>
  withHouse(
    async ({ housekeeping, own, readiness }) => {
      assert.is(await housekeeping.checkSelf(), undefined)
      assert.is(own.asked, 0)
      assert.match(readiness.reasons()[0] ?? '', /nothing has been started/)
    },
    () => [],
  ))

test('an answered question makes ready, and is repeated after five seconds, not before', () =>
  withHouse(async ({ housekeeping, own, readiness }, clock) => {
    housekeeping.start()
    assert.is(await housekeeping.checkSelf(), undefined)
    assert.equal([own.asked, readiness.reasons()], [1, []])
    clock.wind(4999)
    await settle()
    assert.is(own.asked, 1)
    clock.wind(1)
    await whenTrue('asked', () => own.asked === 2)
  }))

test('an unanswered question makes unready, with the reason, and is repeated each second until it is answered', () =>
  withHouse(async ({ housekeeping, own, readiness }, clock) => {
    own.answers = false
    housekeeping.start()
    clock.wind(1000)
    await whenTrue('asked', () => own.asked === 1)
    clock.wind(1000)
    await whenTrue('asked again', () => own.asked === 2)
    assert.equal(readiness.reasons(), ['self-query: no answer within 1000 ms'])
    own.answers = true
    clock.wind(1000)
    await whenTrue('ready', () => readiness.reasons().length === 0)
    assert.is(own.asked, 3)
    clock.wind(4999)
    await settle()
    assert.is(own.asked, 3)
  }))

test('an idle daemon is woken up for its own question only, one with queries each second', () =>
  withHouse(async ({ housekeeping, own, rounds, traffic }, clock) => {
    await housekeeping.checkSelf()
    housekeeping.start()
    const asked = async (count: number) => {
      await whenTrue('asked', () => own.asked === count)
      await settle()
    }
    for (let count = 2; count <= 4; count++) {
      clock.wind(5000)
      await asked(count)
    }
    assert.is(rounds.length, 3)
    traffic.comes = true
    clock.wind(5000)
    await asked(5)
    assert.is(rounds.length, 4)
    clock.wind(4000)
    assert.is(rounds.length, 8)
    assert.equal([...new Set(rounds)], [0])
  }))

test('a question that fails at the start is told to whoever asked for it', () =>
  withHouse(async ({ housekeeping, own }, clock) => {
    own.answers = false
    const why = housekeeping.checkSelf()
    await whenTrue('asked', () => own.asked === 1)
    clock.wind(1000)
    assert.is(await why, 'no answer within 1000 ms')
  }))

test('only the first address is asked: they all end in the same pipeline', () =>
  withHouse(
    async ({ housekeeping, readiness }) => {
      await housekeeping.checkSelf()
      assert.match(readiness.reasons()[0] ?? '', /EADDRNOTAVAIL/)
    },
    () => [
      { address: '192.0.2.1', port: 53, family: 4 },
      { address: '127.0.0.1', port: 53, family: 4 },
    ],
  ))

test('nobody is asked after the end: another process would answer', () =>
  withHouse(async ({ housekeeping, own }, clock) => {
    housekeeping.start()
    housekeeping.stop()
    clock.wind(60_000)
    await settle()
    assert.is(own.asked, 0)
  }))

test('time that passed while the machine was suspended is said once, and an ordinary second is not', () =>
  withHandClock((clock) => {
    const log = new KeptLog()
    let rounds = 0
    let wallMs = Date.now()
    mock.method(Date, 'now', () => wallMs)
    const clockOfOurs = new SystemClock()
    const suspended = new Housekeeping({
      clock: clockOfOurs,
      readiness: new Readiness(),
      log,
      addresses: () => [],
      onRound: () => {
        rounds++
        return true
      },
      onDefect: () => undefined,
    })
    suspended.start()
    for (let second = 0; second < 5; second++) {
      wallMs += 1000
      clock.wind(1000)
    }
    assert.equal([log.lines, rounds], [[], 5])
    const before = clockOfOurs.nowMs()
    // An hour of sleep, of which performance.now() knows nothing.
    wallMs += 3_601_000
    clock.wind(1000)
    assert.equal(
      log.lines.map(({ level, fields }) => [level, fields['skippedMs']]),
      [['warn', 3_600_000]],
    )
    assert.is(clockOfOurs.nowMs() - before, 3_601_000)
    wallMs += 1000
    clock.wind(1000)
    assert.is(log.lines.length, 1)
    suspended.stop()
  }))

test.run()
