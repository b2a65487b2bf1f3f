/*
 * Goal: a supervisor gives every worker the sockets of all, keeps them alike when the configuration changes, steps aside and comes back as a
 * whole, and leaves nothing open. Method: real worker processes with the real link, which echo datagrams and note what they are told.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../../../src/config/schema.ts'
import { listeningOf, Supervisor } from '../../../src/daemon/workers/supervisor.ts'
import { askUdp } from '../../support/client/dns-client.ts'
import { freePort } from '../../support/free-port.ts'
import { overlapping } from '../../support/lab/overlap.ts'
import { until } from '../../support/process.ts'
import { configOf, KeptLog } from '../support.ts'
import { linkedWorker } from './scripted-worker.ts'

export const testTimeoutMs = 120_000

const suiteOf = suite('daemon/workers/supervisor')
const test = overlapping(suiteOf)

const selfCheckModule = new URL('../../../src/core/question/self-check.ts', import.meta.url).href

/** Echoes what comes to its own socket, and answers the daemon's own checks; notes what it is told in a file; reads configurations from another. */
const echo = `
  import { appendFileSync, readFileSync } from 'node:fs'
  import { createSocket } from 'node:dgram'
  import { answerSelfCheck, isSelfCheck } from ${JSON.stringify(selfCheckModule)}
  const identity = Buffer.from(process.env.NEARDNS_SELF_CHECK)
  const { number, sockets } = link.plan
  const { FOLDER, HANDED, SLOW, BEHAVE } = process.env
  const note = (text) => appendFileSync(FOLDER + '/notes', number + ' ' + text + '\\n')
  note('started with ' + HANDED + ', sockets ' + sockets.map(({ kind, number }) => kind + number).join(' '))
  const own = sockets.find((one) => one.kind === 'udp' && one.number === number)
  const socket = createSocket('udp4')
  socket.bind({ fd: own.fd })
  socket.on('message', (query, { port, address }) => {
    if (isSelfCheck(query, query.length)) answerSelfCheck(Buffer.from(query), identity, query)
    socket.send(query, port, address)
  })
  for (const name of ['pause', 'resume']) duties[name] = () => note(name)
  duties.retire = () => { note('retire'); setTimeout(() => process.exit(0), 50) }
  duties.dump = async function* () { yield Buffer.from('the cache of ' + number) }
  link.onConfig({
    check: async () => ({ ok: true, config: JSON.parse(readFileSync(FOLDER + '/config', 'utf8')) }),
    apply: async ({ cache }) => {
      note('configured with ' + cache.entriesMax)
      if (BEHAVE === 'refuses ' + number) throw new Error('no room')
      return []
    },
  })
  link.start(duties)
  process.on('SIGTERM', () => BEHAVE === 'stays' ? note('stays') : process.exit(0))
  const dump = await link.readDump()
  if (dump !== undefined) note('dump ' + dump)
  link.noteRestored({ entries: dump?.length ?? 0, isRefused: false })
  if (BEHAVE === 'ends ' + number) process.exit(4)
  if (SLOW === String(number)) await new Promise((resolve) => setTimeout(resolve, 1500))
  link.ready()`

interface World {
  readonly supervisor: Supervisor
  readonly log: KeptLog
  readonly port: number
  readonly folder: string
  succeeded: number
  /** What workers that are started from now on find in their environment. */
  readonly environment: Record<string, string>
  notes(): string[]
  configWith(changes?: object): Config
}

const folders: string[] = []
const worlds: World[] = []

async function worldOf(settings: object = {}, givenPort?: number): Promise<World> {
  const port = givenPort ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'neardns-supervisor-'))
  folders.push(folder)
  writeFileSync(join(folder, 'notes'), '')
  const configWith = (changes: object = {}) =>
    configOf({
      ...{ listen: [`127.0.0.1:${port}`], workers: 2, drain: { deadlineMs: 100 } },
      ...settings,
      ...changes,
    })
  const config = configWith()
  const log = new KeptLog()
  const environment: Record<string, string> = {}
  const supervisor = new Supervisor({
    config,
    checked: config,
    workers: 2,
    argv: linkedWorker(echo),
    environmentFor: ({ cache }) => ({
      ...{ FOLDER: folder, HANDED: String(cache.entriesMax), NODE_COMPILE_CACHE: '' },
      ...environment,
    }),
    log,
    onSucceeded: () => {
      world.succeeded += 1
    },
  })
  const notes = () => readFileSync(join(folder, 'notes'), 'utf8').split('\n').filter(Boolean)
  const world: World = {
    ...{ supervisor, log, port, folder, environment, notes, configWith },
    succeeded: 0,
  }
  worlds.push(world)
  return world
}

/** A supervisor whose workers serve. */
async function startedOf(settings?: object, port?: number): Promise<World> {
  const world = await worldOf(settings, port)
  await world.supervisor.start()
  return world
}

suiteOf.after(async () => {
  for (const { supervisor } of worlds) await supervisor.abandon()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

async function isFree(port: number): Promise<boolean> {
  const { createServer } = await import('node:net')
  const server = createServer()
  const isFreeNow = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (isFreeNow) await new Promise((resolve) => server.close(resolve))
  return isFreeNow
}

function pidsOf({ log }: World): number[] {
  return log.lines
    .filter(({ message }) => message === 'worker started')
    .map(({ fields }) => Number(fields['pid']))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('every worker gets all sockets, one of UDP for each, and the configuration in force', async () => {
  const world = await startedOf({ cache: { entriesMax: 555 } })
  const sockets = 'tcp0 udp0 udp1'
  assert.equal(world.notes().toSorted(), [
    `0 started with 555, sockets ${sockets}`,
    `1 started with 555, sockets ${sockets}`,
  ])
  const { workers, handover } = world.supervisor.view
  assert.equal([workers.wanted, workers.ready, handover.entriesRestored], [2, 2, 0])
  await world.supervisor.stop()
})

test('the admin socket is opened once for all of them', async () => {
  const adminPort = await freePort()
  const world = await startedOf({ admin: { listen: `127.0.0.1:${adminPort}` } })
  assert.match(world.notes()[0] ?? '', /sockets tcp0 udp0 udp1 admin0$/)
  await world.supervisor.stop()
  assert.ok(await isFree(adminPort))
})

test('an address that is taken ends the start with its name, before any worker is started', async () => {
  const first = await startedOf()
  const second = await worldOf({}, first.port)
  let why = ''
  await second.supervisor.start().catch((error: unknown) => {
    why = String(error)
  })
  assert.match(why, new RegExp(`127\\.0\\.0\\.1:${first.port}`))
  assert.equal(second.notes(), [])
  await first.supervisor.stop()
})

test('at the end every worker is told, and the sockets are closed when the last has gone', async () => {
  const world = await startedOf()
  await world.supervisor.stop()
  assert.equal(pidsOf(world).filter(isAlive), [])
  assert.ok(await isFree(world.port))
  assert.equal(world.log.messages('error'), [])
})

test('workers that ignore the end are killed after the drain and two seconds more', async () => {
  const world = await worldOf()
  world.environment['BEHAVE'] = 'stays'
  await world.supervisor.start()
  const startMs = performance.now()
  await world.supervisor.stop()
  assert.ok(performance.now() - startMs >= 2000)
  assert.equal(world.notes().filter((note) => note.endsWith('stays')).length, 2)
  assert.equal(pidsOf(world).filter(isAlive), [])
})

test('a worker that ends while it starts ends the start; given up, it kills the others and closes everything', async () => {
  const world = await worldOf()
  world.environment['BEHAVE'] = 'ends 1'
  let why = ''
  await world.supervisor.start().catch((error: unknown) => {
    why = String(error)
  })
  assert.match(why, /ended while it was starting/)
  await world.supervisor.abandon()
  await until('gone', () => !pidsOf(world).some(isAlive))
  assert.ok(await isFree(world.port))
})

test('pause is done when every worker has paused; resume goes to all', async () => {
  const world = await startedOf()
  await world.supervisor.pauseReceiving()
  const told = () => world.notes().slice(2).toSorted()
  assert.equal(told(), ['0 pause', '1 pause'])
  world.supervisor.resumeReceiving()
  await until('told', () => told().length === 4)
  assert.equal(told(), ['0 pause', '0 resume', '1 pause', '1 resume'])
  await world.supervisor.stop()
})

for (const [afterwards, ends] of [
  ['exit', 1],
  ['wait', 0],
] as const) {
  test(`followed, it retires its workers and replaces none; then it ${afterwards}s`, async () => {
    const world = await startedOf({ handover: { afterwards } })
    await world.supervisor.retire()
    assert.equal(world.notes().slice(2).toSorted(), ['0 retire', '1 retire'])
    assert.equal(pidsOf(world).filter(isAlive), [])
    assert.equal([pidsOf(world).length, world.succeeded], [2, ends])
    await world.supervisor.stop()
  })
}

test('who is asked to serve again starts as many workers as before, on the same sockets', async () => {
  const world = await startedOf({ handover: { afterwards: 'wait' } })
  await world.supervisor.retire()
  world.supervisor.resume()
  await until('two again', () => world.supervisor.view.workers.ready === 2, { timeoutMs: 30_000 })
  await until('counted', () => world.supervisor.view.handover.counts.resumed === 1)
  const server = { host: '127.0.0.1', port: world.port }
  assert.ok((await askUdp(server, Buffer.alloc(20))) !== undefined)
  await world.supervisor.stop()
})

/** Puts a configuration where the workers read it, and has it applied. */
async function reload(world: World, changes: object): Promise<void> {
  writeFileSync(join(world.folder, 'config'), JSON.stringify(world.configWith(changes)))
  const { succeeded } = world.supervisor.view.reload
  world.supervisor.reload('the test')
  await until('applied', () => world.supervisor.view.reload.succeeded > succeeded, {
    timeoutMs: 20_000,
  })
}

test('a worker that cannot apply what the others have is replaced by one that starts with it', async () => {
  const world = await worldOf()
  world.environment['BEHAVE'] = 'refuses 1'
  await world.supervisor.start()
  delete world.environment['BEHAVE']
  await reload(world, { cache: { entriesMax: 777 } })
  await until(
    'replaced',
    () => world.notes().some((note) => note.startsWith('1 started with 777')),
    {
      timeoutMs: 30_000,
    },
  )
  const line = world.log.lines.find(({ message }) => /without new configuration/.test(message))
  assert.equal([line?.fields['worker'], line?.fields['why']], [1, 'no room'])
  assert.equal(
    world
      .notes()
      .filter((note) => note.startsWith('0'))
      .slice(1),
    ['0 configured with 777'],
  )
  await until('two again', () => world.supervisor.view.workers.ready === 2, { timeoutMs: 30_000 })
  await world.supervisor.stop()
})

test('a worker that was starting with the old configuration gets the new one when it is ready', async () => {
  const world = await startedOf({ cache: { entriesMax: 555 } })
  world.environment['SLOW'] = '1'
  const [, victim] = pidsOf(world)
  if (victim !== undefined) process.kill(victim, 'SIGKILL')
  await until('the next is starting', () => world.notes().length === 3, { timeoutMs: 20_000 })
  assert.is(world.notes()[2]?.startsWith('1 started with 555'), true)
  await reload(world, { cache: { entriesMax: 777 } })
  await until('told', () => world.notes().includes('1 configured with 777'), { timeoutMs: 20_000 })
  assert.equal(
    world.notes().filter((note) => note.includes('777')),
    ['0 configured with 777', '1 configured with 777'],
  )
  await world.supervisor.stop()
})

test('a group follows a group: its workers get the cache of one of the old, which end', async () => {
  // On a busy machine workers need longer to start than a successor has by default.
  const handover = { socket: `@neardns-supervisor-${process.pid}`, timeoutMs: 60_000 }
  const first = await startedOf({ handover })
  const second = await startedOf({ handover }, first.port)
  await until('the first has ended', () => first.succeeded === 1, { timeoutMs: 20_000 })
  assert.equal(
    second
      .notes()
      .filter((note) => note.includes('dump'))
      .toSorted(),
    ['0 dump the cache of 0', '1 dump the cache of 0'],
  )
  const { counts, entriesRestored } = second.supervisor.view.handover
  assert.equal([counts.followed, entriesRestored], [1, 'the cache of 0'.length])
  assert.is(first.supervisor.view.handover.counts['handed-over'], 1)
  const ofFirst = first.notes().slice(2)
  assert.equal(ofFirst.slice(0, 2).toSorted(), ['0 pause', '1 pause'])
  assert.equal(ofFirst.slice(2).toSorted(), ['0 retire', '1 retire'])
  assert.equal(pidsOf(first).filter(isAlive), [])
  // One that comes later starts without the cache of then: it would be old.
  const [victim] = pidsOf(second)
  if (victim !== undefined) process.kill(victim, 'SIGKILL')
  await until('replaced', () => second.supervisor.view.workers.restarts.killed === 1)
  await until('two again', () => second.supervisor.view.workers.ready === 2, { timeoutMs: 30_000 })
  assert.is(second.notes().filter((note) => note.includes('dump')).length, 2)
  await second.supervisor.stop()
  await first.supervisor.stop()
})

test('a group whose workers start slower than silence is borne takes over all the same', async () => {
  const handover = { socket: `@neardns-supervisor-slow-${process.pid}`, timeoutMs: 700 }
  const first = await startedOf({ handover })
  const second = await worldOf({ handover }, first.port)
  second.environment['SLOW'] = '1'
  await second.supervisor.start()
  await until('the first has ended', () => first.succeeded === 1, { timeoutMs: 20_000 })
  assert.equal(first.log.messages('warn'), [])
  await second.supervisor.stop()
})

test('listening addresses are told as they are written', () => {
  const config = configOf({ listen: ['127.0.0.1:5353', '[::1]:53'] })
  assert.equal(listeningOf(config), ['127.0.0.1:5353', '[::1]:53'])
})

suiteOf.run()
