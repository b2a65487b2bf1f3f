/**
 * Goal: the log can harm nobody: not the event loop when stdout stalls, not the exit, not the reader with control
 * characters. Method: real files, real pipes, and a child whose stdout nobody reads.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createLog, type Log } from '../../src/observe/log.ts'
import { Child, mustRun } from '../support/process.ts'

const test = suite('observe/log')
const writer = join(import.meta.dirname, 'log-writer.ts')

/** What `act` makes the log write, line by line. */
async function written(act: (log: Log) => void): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-log-'))
  const fd = openSync(join(directory, 'log'), 'w')
  try {
    const log = createLog({ level: 'info', fd })
    act(log)
    await log.flush()
    return readFileSync(join(directory, 'log'), 'utf8').split('\n').slice(0, -1)
  } finally {
    closeSync(fd)
    rmSync(directory, { recursive: true })
  }
}

test('a line is JSON with level, time, message and fields', async () => {
  const [line = ''] = await written((log) =>
    log.warn({ upstream: '10.0.0.1:53' }, 'upstream is down'),
  )
  const { level, time, msg, upstream } = JSON.parse(line)
  assert.equal(
    { level, msg, upstream },
    { level: 'warn', msg: 'upstream is down', upstream: '10.0.0.1:53' },
  )
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time)
})

test('levels below the chosen one are not written, and the level can be changed', async () => {
  const lines = await written((log) => {
    log.debug({}, 'hidden')
    log.setLevel('debug')
    log.debug({}, 'shown')
    log.setLevel('silent')
    log.error({}, 'hidden')
  })
  assert.equal(
    lines.map((line) => JSON.parse(line).msg),
    ['shown'],
  )
})

test('an error is written with its stack on one line', async () => {
  const [line = '', ...more] = await written((log) =>
    log.error({ err: new Error('broken\nin two') }, 'oh'),
  )
  assert.equal(more, [])
  assert.is(JSON.parse(line).err.message, 'broken\nin two')
})

test('no line has a control character, whatever is logged, and each says what was logged', async () => {
  const nasty = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code)).join('')
  const hostile = `${nasty}\u2028\u2029\ud800"\\`
  const lines = await written((log) => {
    log.info({ [hostile]: hostile }, hostile)
    log.error({ err: new Error(hostile) }, 'failed')
  })
  assert.is(lines.length, 2)
  for (const line of lines) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.not(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line), line)
    JSON.parse(line)
  }
  const first = JSON.parse(lines[0] ?? '')
  // A lone surrogate cannot be written as UTF-8.
  assert.is(first.msg.slice(0, 0x102), `${nasty}\u2028\u2029`)
  assert.is(first[hostile].slice(0, 0x102), `${nasty}\u2028\u2029`)
})

test('repeated warnings are let through once per period and key, with the number held back', () => {
  let nowMs = 0
  const log = createLog({ level: 'silent', nowMs: () => nowMs })
  assert.is(log.limited('a', 1000), 0)
  assert.is(log.limited('b', 1000), 0)
  nowMs = 999
  assert.is(log.limited('a', 1000), undefined)
  assert.is(log.limited('a', 1000), undefined)
  nowMs = 1000
  assert.is(log.limited('a', 1000), 2)
  assert.is(log.limited('a', 1000), undefined)
  nowMs = 2000
  assert.is(log.limited('a', 1000), 1)
})

test('keys of repeated warnings are forgotten, oldest first, instead of being kept for ever', () => {
  const log = createLog({ level: 'silent', nowMs: () => 0 })
  log.limited('first', 1000)
  for (let n = 0; n < 1000; n++) log.limited(`key ${n}`, 1000)
  assert.is(log.limited('key 999', 1000), undefined)
  assert.is(log.limited('first', 1000), 0)
})

test('an orderly end writes all lines in their order', async () => {
  const child = new Child(process.execPath, [writer, 'goodbye'])
  assert.equal(await child.exited, { code: 3, signal: null })
  assert.equal(numbers(child.lines), zeroTo2000)
})

test('a crash writes all lines as well, though some may overtake others', async () => {
  const child = new Child(process.execPath, [writer, 'abrupt'])
  assert.equal(await child.exited, { code: 3, signal: null })
  assert.equal(
    numbers(child.lines).toSorted((a, b) => a - b),
    zeroTo2000,
  )
})

for (const [what, command] of [
  ['a full disk', `exec "$0" "$1" "$2" > /dev/full`],
  ['a closed stdout', `exec "$0" "$1" "$2" >&-`],
  ['a reader that has gone', `"$0" "$1" "$2" | true; sleep 0.1`],
] as const) {
  for (const mode of ['goodbye', 'abrupt']) {
    test(`${what} does not keep the process from ending: ${mode}`, async () => {
      const startedMs = performance.now()
      const child = new Child('sh', ['-c', command, process.execPath, writer, mode])
      await child.exited
      assert.ok(
        child.lines.some((line) => line.startsWith('exiting')),
        child.tail(),
      )
      assert.ok(performance.now() - startedMs < 5000)
    })
  }
}

test('a socket that nobody reads neither stops the event loop nor the exit', async () => {
  // Node gives its children sockets.
  await floodInto('pipe')
})

test('a pipe that nobody reads neither stops the event loop nor the exit', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-log-'))
  const path = join(directory, 'pipe')
  await mustRun('mkfifo', [path])
  // For reading as well, or opening would wait for a reader.
  const fd = openSync(path, 'r+')
  await floodInto(fd)
  closeSync(fd)
  rmSync(directory, { recursive: true })
})

async function floodInto(stdout: number | 'pipe'): Promise<void> {
  const child = spawn(process.execPath, [writer, 'flood'], { stdio: ['ignore', stdout, 'pipe'] })
  let report = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    report += text
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  // 'close' would wait for stdout to be read.
  const code = await new Promise((resolve) => {
    child.once('exit', resolve)
  })
  const endedMs = Date.now()
  clearTimeout(timer)
  child.stdout?.destroy()
  const number = (name: string) => Number(new RegExp(`^${name} ([\\d.]+)$`, 'm').exec(report)?.[1])
  assert.is(code, 3, report)
  // 3.3 MB went out; a pipe holds 64 KiB, the reading end some more, the backlog 1 MiB.
  assert.ok(number('lost') > 1000, report)
  // A write that blocked would do so for as long as nobody reads; a busy machine alone takes a tenth of a second away.
  assert.ok(number('longest') < 400, report)
  assert.ok(endedMs - number('exiting') < 2000, `${endedMs} ${report}`)
}

const zeroTo2000 = Array.from({ length: 2000 }, (_, n) => n)

function numbers(lines: readonly string[]): number[] {
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).n)
}

test.run()
