/*
 * Goal: no signal but those of an end ends a daemon, in any kind of its processes, and none opens a debugger. Method: real processes, which
 * get the signals in every stage of their life.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from '../support/free-port.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { Neardns } from '../support/neardns.ts'
import { until } from '../support/process.ts'

export const testTimeoutMs = 120_000

const suiteOf = suite('cli/signals')
const test = overlapping(suiteOf)

const folder = mkdtempSync(join(tmpdir(), 'neardns-signals-'))
suiteOf.after(() => rmSync(folder, { recursive: true }))

/** Not those of an end, nor those that nobody can listen to. */
const survived = ['SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGPIPE'] as const

async function configFile(settings: object = {}): Promise<string> {
  const port = await freePort()
  const file = join(folder, `${port}.yaml`)
  writeFileSync(file, JSON.stringify({ listen: [`127.0.0.1:${port}`], ...settings }))
  return file
}

async function started(settings?: object): Promise<Neardns> {
  return await Neardns.start({ args: ['--config', await configFile(settings)] })
}

function messages(neardns: Neardns, text: string) {
  return neardns.log().filter(({ msg }) => msg === text)
}

function untilSaid(neardns: Neardns, text: string, count = 1): Promise<void> {
  return until(text, () => messages(neardns, text).length >= count, { timeoutMs: 20_000 })
}

function workersOf({ pid }: Neardns): number[] {
  const output = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(Number)
}

function hasDebugger(neardns: Neardns): boolean {
  return neardns.child.lines.some((line) => line.includes('Debugger'))
}

test('SIGUSR1 rereads the configuration, as in CoreDNS, and opens no debugger', async () => {
  const neardns = await started()
  neardns.child.process.kill('SIGUSR1')
  await untilSaid(neardns, 'configuration applied')
  assert.is(messages(neardns, 'configuration applied')[0]?.['because'], 'SIGUSR1')
  assert.not(hasDebugger(neardns))
  await neardns.stop()
})

test('SIGUSR2 writes the state into the log, and the daemon serves on', async () => {
  const neardns = await started({ admin: { listen: `127.0.0.1:${await freePort()}` } })
  neardns.child.process.kill('SIGUSR2')
  await untilSaid(neardns, 'state')
  const [line] = messages(neardns, 'state')
  assert.equal([line?.['cacheEntries'], line?.['waiters']], [0, 0])
  assert.ok(Number(line?.['rssBytes']) > 10_000_000)
  await neardns.stop()
})

test('SIGQUIT is an end in order', async () => {
  const neardns = await started()
  assert.equal(await neardns.child.stop('SIGQUIT'), { code: 0, signal: null })
  assert.is(messages(neardns, 'stopped').length, 1)
})

test('while it starts, no such signal ends it', async () => {
  const neardns = Neardns.spawn({ args: ['--config', await configFile()] })
  const { process: child } = neardns.child
  // Before that Node itself starts, twice, which no program can protect.
  await until('our code runs', () => messages(neardns, 'starting').length > 0, {
    everyMs: 1,
    timeoutMs: 20_000,
  })
  const timer = setInterval(() => {
    for (const signal of survived) child.kill(signal)
  }, 5)
  await untilSaid(neardns, 'ready')
  clearInterval(timer)
  await neardns.stop()
})

test('a supervisor and its workers: the one reloads and has all states written, no worker ends', async () => {
  const neardns = await started({ workers: 2 })
  await untilSaid(neardns, 'all workers are ready')
  const before = workersOf(neardns)
  assert.is(before.length, 2)
  for (const pid of before) for (const signal of survived) process.kill(pid, signal)
  neardns.child.process.kill('SIGUSR1')
  await untilSaid(neardns, 'configuration applied')
  // A state is written once a second at most.
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const states = messages(neardns, 'state').length
  neardns.child.process.kill('SIGUSR2')
  await untilSaid(neardns, 'state', states + 3)
  assert.equal(workersOf(neardns), before)
  assert.equal([messages(neardns, 'worker lost'), hasDebugger(neardns)], [[], false])
  await neardns.stop()
})

suiteOf.run()
