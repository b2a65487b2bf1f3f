/**
 * Goal: a changed configuration is applied whole or not at all, one after another, and each outcome is counted and logged once.
 * Method: a queue whose reading and applying are the test's own.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { ReloadQueue } from '../../src/daemon/reload-queue.ts'
import type { CheckedConfig } from '../../src/daemon/workers/plan.ts'

const test = suite('daemon/reload-queue')

/** @param level tells one configuration from another */
function configWith(level: string): Config {
  const override = { flag: '--log-level', path: ['log', 'level'], value: level, isListItem: false }
  const loaded = loadConfig({ overrides: [override], localAddresses: [] })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

const wrongFile: CheckedConfig = {
  ok: false,
  problems: [
    { where: 'neardns.yaml:3:1', path: 'listen', message: 'is empty' },
    { where: 'neardns.yaml', path: '', message: 'two settings of one name' },
  ],
}

/** A queue that reads what `files` has next, and writes down what happens. */
function rig(files: (CheckedConfig | undefined | Error)[]) {
  const events: string[] = []
  const settled = Promise.withResolvers<void>()
  const expected = files.length
  let done = 0
  const noteEnd = () => {
    done += 1
    if (done === expected) settled.resolve()
  }
  const log = {
    info: (fields: object, message: string) => {
      events.push(`info ${message} ${JSON.stringify(fields)}`)
      noteEnd()
    },
    error: (fields: object, message: string) => {
      events.push(`error ${message} ${JSON.stringify(fields)}`)
      noteEnd()
    },
  }
  const queue = new ReloadQueue({
    log,
    check: async () => {
      events.push('check')
      const file = files.shift()
      if (file instanceof Error) throw file
      if (file === undefined) noteEnd()
      return file
    },
    apply: async (config) => {
      events.push(`apply ${config.log.level}`)
      await new Promise((resolve) => setImmediate(resolve))
      if (config.log.level === 'fatal') throw new Error('address in use')
      return ['udp']
    },
    onRefused: () => events.push('refused'),
  })
  return { queue, events, settled: settled.promise }
}

test('a sound file is applied, and the log says why and what waits for the next start', async () => {
  const { queue, events, settled } = rig([{ ok: true, config: configWith('warn') }])
  queue.request('SIGHUP')
  await settled
  assert.equal(events, [
    'check',
    'apply warn',
    'info configuration applied {"because":"SIGHUP","needsRestart":["udp"]}',
  ])
})

test('a wrong file is counted as refused, its mistakes are logged, and nothing is applied', async () => {
  const { queue, events, settled } = rig([wrongFile])
  queue.request('file changed')
  await settled
  assert.equal(events, [
    'check',
    'refused',
    'error new configuration is wrong; the old one stays {"because":"file changed","problems":' +
      '["neardns.yaml:3:1: listen: is empty","neardns.yaml: two settings of one name"]}',
  ])
})

test('a file that cannot be read or applied is counted once, and the next one is taken', async () => {
  const { queue, events, settled } = rig([
    new Error('2 workers could not read it'),
    { ok: true, config: configWith('fatal') },
    { ok: true, config: configWith('debug') },
  ])
  for (const because of ['first', 'second', 'third']) queue.request(because)
  await settled
  assert.equal(events, [
    'check',
    'refused',
    'error new configuration could not be applied; the old one stays {"because":"first","why":"2 workers could not read it"}',
    'check',
    'apply fatal',
    'refused',
    'error new configuration could not be applied; the old one stays {"because":"second","why":"address in use"}',
    'check',
    'apply debug',
    'info configuration applied {"because":"third","needsRestart":["udp"]}',
  ])
})

test('a reload waits until the one before it has been applied', async () => {
  const { queue, events, settled } = rig([
    { ok: true, config: configWith('warn') },
    { ok: true, config: configWith('debug') },
  ])
  queue.request('one')
  queue.request('two')
  await settled
  assert.equal(
    events.map((event) => event.split(' ').slice(0, 2).join(' ')),
    ['check', 'apply warn', 'info configuration', 'check', 'apply debug', 'info configuration'],
  )
})

test('a reload that nobody could read is made up for by resume, and by resume alone', async () => {
  const files = [undefined, undefined, { ok: true, config: configWith('warn') } as const]
  const { queue, events, settled } = rig(files)
  queue.request('SIGHUP')
  await nextTurn()
  assert.equal(events, ['check'])
  queue.resume()
  await nextTurn()
  assert.equal(events, ['check', 'check'], 'missed again')
  queue.resume()
  queue.resume()
  await settled
  assert.equal(events.slice(2), [
    'check',
    'apply warn',
    'info configuration applied {"because":"SIGHUP","needsRestart":["udp"]}',
  ])
})

test('resume does nothing when no reload was missed', async () => {
  const { queue, events } = rig([wrongFile])
  queue.resume()
  await nextTurn()
  assert.equal(events, [])
})

/** Every promise that can settle has settled by then. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test.run()
