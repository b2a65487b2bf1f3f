/**
 * Goal: lines arrive whole and in order, the backlog has a bound, and a reader that stalls or leaves holds nothing up. Method: a FIFO
 * whose reader is the test. What a process does at its end is in log.test.ts.
 */
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LineWriter } from '../../src/observe/line-writer.ts'
import { mustRun, until } from '../support/process.ts'

const test = suite('observe/line-writer')

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-lines-'))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Fifo {
  readonly writer: LineWriter
  /** Everything that can be read now. */
  read(): string
  /** Closes the reading end. */
  leave(): void
}

async function withFifo(body: (fifo: Fifo) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'fifo')
    await mustRun('mkfifo', [path])
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const fd = openSync(path, 'w')
    let isOpen = true
    const leave = () => {
      if (isOpen) closeSync(reader)
      isOpen = false
    }
    try {
      await body({ writer: new LineWriter(fd), read: () => readAll(reader), leave })
    } finally {
      closeSync(fd)
      leave()
    }
  })
}

function readAll(fd: number): string {
  const chunk = Buffer.alloc(65_536)
  let text = ''
  try {
    for (;;) {
      const length = readSync(fd, chunk)
      if (length === 0) return text
      text += chunk.toString('latin1', 0, length)
    }
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'EAGAIN')
    return text
  }
}

test('lines are in a file after a flush, in their order', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'log')
    const fd = openSync(path, 'w')
    const writer = new LineWriter(fd)
    const lines = Array.from({ length: 5000 }, (_, n) => `line ${n} é\n`)
    for (const line of lines) writer.write(line)
    await writer.flush()
    assert.is(readFileSync(path, 'utf8'), lines.join(''))
    assert.is(writer.linesLost, 0)
    closeSync(fd)
  })
})

test('a reader that stalls costs lines beyond the backlog, and gets all the others whole when it reads again', async () => {
  await withFifo(async ({ writer, read }) => {
    const line = `${'x'.repeat(999)}\n`
    for (let n = 0; n < 2000; n++) writer.write(line)
    // 1 MiB of backlog and the chunk in hand.
    assert.ok(writer.linesLost > 800 && writer.linesLost < 1000, `${writer.linesLost} lost`)
    const expected = 2000 - writer.linesLost
    let text = ''
    await until('all lines', () => {
      text += read()
      return text.length >= expected * line.length
    })
    assert.ok(text.split('\n').every((one) => one === '' || one.length === 999))
    assert.is(text.length, expected * line.length)
  })
})

test('a flush waits half a second at most for a reader that stalls', async () => {
  await withFifo(async ({ writer }) => {
    for (let n = 0; n < 200; n++) writer.write(`${'x'.repeat(999)}\n`)
    const startMs = performance.now()
    await writer.flush()
    const tookMs = performance.now() - startMs
    assert.ok(tookMs > 400 && tookMs < 5000, `${tookMs} ms`)
  })
})

test('after the reader has left, lines are lost and counted, and nothing is kept', async () => {
  await withFifo(async ({ writer, leave }) => {
    leave()
    writer.write('one\n')
    await until('the loss', () => writer.linesLost === 1)
    writer.write('two\n')
    assert.is(writer.linesLost, 2)
    await writer.flush()
  })
})

test('flushSync writes the rest at once, and nothing can be written afterwards', async () => {
  await withFifo(async ({ writer, read }) => {
    for (let n = 0; n < 10; n++) writer.write(`${n}\n`)
    writer.flushSync()
    writer.write('late\n')
    const lines = read().split('\n').slice(0, -1)
    assert.equal(
      lines.toSorted(),
      Array.from({ length: 10 }, (_, n) => String(n)),
    )
    assert.is(writer.linesLost, 1)
  })
})

test.run()
