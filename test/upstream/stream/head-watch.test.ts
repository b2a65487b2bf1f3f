/**
 * Goal: an old head is found soon, a stall of the server or of our own event loop is not taken for one, and an idle pool has no timer.
 * Method: connections that are plain objects, and a clock that the test turns; the watch's own timers are real.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attempt } from '../../../src/upstream/attempt.ts'
import { HeadWatch, type HeldUp } from '../../../src/upstream/stream/head-watch.ts'
import type { StreamConnection } from '../../../src/upstream/stream/stream-connection.ts'
import { until } from '../../support/process.ts'
import { attemptFor, NotingUpstream } from '../parts.ts'

const test = suite('upstream/stream/head-watch')

interface Line {
  state: 'open' | 'closed'
  head: Attempt | undefined
  quietSinceMs: number
}

class Pool implements HeldUp {
  now = 1000
  lastAnswerMs = 0
  readonly slowAfterMs = 4
  lines: Line[] = []
  rounds = 0
  readonly told: string[] = []
  readonly watch = new HeadWatch(this)

  nowMs(): number {
    return this.now
  }

  isPassed({ quietSinceMs }: StreamConnection): boolean {
    return this.lastAnswerMs > quietSinceMs
  }

  watched(): readonly StreamConnection[] {
    return this.lines.filter(({ head }) => head) as unknown as StreamConnection[]
  }

  onOldHead(connection: StreamConnection, isHeadSlow: boolean): void {
    const line = this.lines.indexOf(connection as unknown as Line)
    this.told.push(`${line} ${isHeadSlow ? 'slow' : 'silent'}`)
  }

  onWatched(): void {
    this.rounds++
  }

  /** @returns the line, whose head came up now */
  open(): Line {
    const head = attemptFor(new NotingUpstream('tcp'))
    const line: Line = { state: 'open', head, quietSinceMs: this.now }
    this.lines.push(line)
    this.watch.begin()
    return line
  }

  async round(): Promise<void> {
    const before = this.rounds
    await until('a round', () => this.rounds > before, { everyMs: 1 })
  }

  static async run(body: (pool: Pool) => Promise<void>): Promise<void> {
    const pool = new Pool()
    try {
      await body(pool)
    } finally {
      pool.watch.stop()
    }
  }
}

test('a head is old at its age, and slow if others were answered meanwhile', async () => {
  await Pool.run(async (pool) => {
    pool.open()
    pool.now += 2
    pool.open()
    pool.now += 2
    pool.lastAnswerMs = pool.now - 2
    await pool.round()
    assert.equal(pool.told, ['0 slow'])
    pool.lastAnswerMs = 0
    pool.now += 2
    pool.told.length = 0
    await pool.round()
    assert.equal(pool.told, ['0 silent', '1 silent'])
  })
})

test('what was answered or closed by the time that all sockets were read is not old', async () => {
  await Pool.run(async (pool) => {
    const lines = [pool.open(), pool.open(), pool.open()]
    pool.now += 10
    // In the turn between the look at the ages and the judgement.
    const look = pool.watched.bind(pool)
    pool.watched = () => {
      const found = look()
      setImmediate(() => {
        if (lines[0] !== undefined) lines[0].head = attemptFor(new NotingUpstream('tcp'))
        if (lines[1] !== undefined) lines[1].state = 'closed'
      })
      return found
    }
    await pool.round()
    assert.equal(pool.told, ['2 silent'])
  })
})

test('it ends when nothing is open, and begins again', async () => {
  await Pool.run(async (pool) => {
    const line = pool.open()
    pool.now += 10
    await pool.round()
    line.head = undefined
    const { rounds } = pool
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.ok(pool.rounds <= rounds + 1, 'at most the round that had begun')
    pool.told.length = 0
    pool.open()
    pool.now += 10
    await pool.round()
    assert.equal(pool.told, ['1 silent'])
  })
})

test.run()
