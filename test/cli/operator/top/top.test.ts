/**
 * Goal: `top` shows looks until it is ended, as a screen or as lines, survives a daemon that goes away, and gives the terminal back. Method: a
 * daemon that the test plays, and a terminal of streams.
 */
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lines, Show, top } from '../../../../src/cli/operator/top/top.ts'
import { captured } from '../../../support/cli-io.ts'
import { until } from '../../../support/process.ts'
import { StandInDaemon } from '../support.ts'
import { liveOf } from './pictures.ts'

const test = suite<{ daemon: StandInDaemon }>('cli/operator/top')

test.before(async (context) => {
  context.daemon = await StandInDaemon.start()
})

test.before.each(({ daemon }) => {
  daemon.asked = []
  daemon.isSilent = false
  daemon.replies = { '/v1/top': liveOf() }
})

test.after(({ daemon }) => daemon.stop())

const place = (daemon: StandInDaemon) => ({ kind: 'socket' as const, path: daemon.admin })
const options = { everyMs: 200, count: 2, isJson: false }

test('a line for each look, or an object', async ({ daemon }) => {
  const io = captured()
  const { signal } = new AbortController()
  assert.is(await lines(place(daemon), options, io, signal), 0)
  assert.is(io.out().split('\n').length, 3)
  const json = captured()
  await lines(place(daemon), { ...options, count: 1, isJson: true }, json, signal)
  assert.is(JSON.parse(json.out()).rates.queriesPerSecond, 10)
})

test('misuse, and nobody there, are one line', async ({ daemon }) => {
  for (const argv of [['--every', '0'], ['--count', '0'], ['word']]) {
    const io = captured()
    assert.is(await top([...argv, '--admin', daemon.admin], io), 2)
  }
  const io = captured()
  assert.is(await top(['--count', '1', '--admin', `${daemon.admin}.gone`], io), 1)
  assert.match(io.err(), /^neardns: no neardns answers at [^\n]*\n$/)
})

/** A terminal of 80 by 24 that keeps what is written to it. */
function terminal() {
  const written = new PassThrough()
  let text = ''
  written.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const modes: boolean[] = []
  const input: ReadStream = Object.assign(new PassThrough() as unknown as ReadStream, {
    isTTY: true,
    setRawMode(mode: boolean) {
      modes.push(mode)
      return input
    },
  })
  const output: WriteStream = Object.assign(written as unknown as WriteStream, {
    ...{ isTTY: true, columns: 80, rows: 24, getColorDepth: () => 1, hasColors: () => false },
  })
  return {
    input,
    output,
    modes,
    text: () => text,
    press: (keys: string) => void input.emit('data', Buffer.from(keys)),
  }
}

test('a screen that is given back, keys, explain and flush on the way', async ({ daemon }) => {
  daemon.replies['/v1/cache/flush'] = { answers: 2 }
  const one = terminal()
  const ending = new AbortController()
  const show = new Show(place(daemon), { ...options, count: 1000 }, one, ending)
  const done = show.run(captured())
  const seen = (part: string) => until(part, () => one.text().includes(part), { timeoutMs: 20_000 })
  await seen('kubernetes.default.svc')
  one.press('c')
  await seen('10.244.1.7')
  one.press('n')
  one.press('f')
  await seen('y flushes')
  one.press('y')
  await seen('flushed 2 answers of kubernetes')
  one.press('x')
  one.press('q')
  assert.is(await done, 0)
  assert.equal(one.modes, [true, false])
  assert.ok(one.text().startsWith('\x1b[?1049h') && one.text().endsWith('\x1b[?1049l'))
  assert.ok(
    daemon.asked.includes('POST /v1/cache/flush?name=kubernetes.default.svc.cluster.local.'),
  )
})

test('a daemon that hangs keeps nobody: an end that is wanted is at once', async ({ daemon }) => {
  daemon.isSilent = true
  const one = terminal()
  const shown = new AbortController()
  const printed = new AbortController()
  const io = captured()
  const done = Promise.all([
    new Show(place(daemon), { ...options, count: 1000 }, one, shown).run(io),
    lines(place(daemon), options, io, printed.signal),
  ])
  await until('both ask', () => daemon.asked.length === 2, { timeoutMs: 20_000 })
  one.press('\x03')
  printed.abort()
  const begun = performance.now()
  assert.equal([await done, io.err()], [[0, 0], ''])
  // Without the signal it would be the 5 s of a request.
  assert.ok(performance.now() - begun < 3000)
})

test('a terminal without a size counts as one of 80 by 24', async ({ daemon }) => {
  const one = terminal()
  Object.assign(one.output, { columns: 0, rows: 0 })
  const ending = new AbortController()
  const done = new Show(place(daemon), { ...options, count: 1000 }, one, ending).run(captured())
  await until('a picture', () => one.text().includes('kubernetes'), { timeoutMs: 20_000 })
  ending.abort()
  await done
  const [picture = ''] = one.text().split('\x1b[H').slice(1)
  assert.is(picture.split('\r\n').length, 24)
})

test('a daemon that goes away leaves its last numbers, and the reason', async ({ daemon }) => {
  const one = terminal()
  const ending = new AbortController()
  const done = new Show(place(daemon), { ...options, count: 1000 }, one, ending).run(captured())
  await until('a picture', () => one.text().includes('kubernetes'), { timeoutMs: 20_000 })
  daemon.replies = {}
  await until('the reason', () => one.text().includes('the neardns at /'), {
    timeoutMs: 20_000,
  })
  ending.abort()
  assert.is(await done, 0)
})

test('one that was never there is said when the terminal has been given back', async ({
  daemon,
}) => {
  const one = terminal()
  const io = captured()
  const gone = { kind: 'socket' as const, path: `${daemon.admin}.gone` }
  assert.is(await new Show(gone, options, one, new AbortController()).run(io), 1)
  assert.match(io.err(), /^neardns: no neardns answers/)
  assert.ok(one.text().endsWith('\x1b[?1049l'))
})

test.run()
