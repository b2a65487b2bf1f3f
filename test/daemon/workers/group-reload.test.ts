/**
 * Goal: all workers get the same configuration or none does, and a file that kills its readers does not kill the group.
 * Method: workers that answer as the test says.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../../src/config/load.ts'
import type { Config } from '../../../src/config/schema.ts'
import { GroupReload } from '../../../src/daemon/workers/group-reload.ts'
import type { CheckedConfig, Configured } from '../../../src/daemon/workers/plan.ts'

const test = suite('daemon/workers/group-reload')

function someConfig(): Config {
  const loaded = loadConfig({ overrides: [], localAddresses: [] })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

const config = someConfig()

interface ScriptedWorker {
  readonly name: string
  /** What it says of the file; undefined: it dies of it. */
  readonly read: CheckedConfig | undefined
  readonly configured: Configured | undefined
  checkConfig(): Promise<CheckedConfig | undefined>
}

const applied: Configured = { ok: true, needsRestart: ['udp'] }

/** @param events told who does what, in order */
function worker(name: string, events: string[], more: Partial<ScriptedWorker> = {}) {
  const one: ScriptedWorker = {
    name,
    read: { ok: true, config },
    configured: applied,
    checkConfig: async () => {
      events.push(`${name} reads`)
      return one.read
    },
    ...more,
  }
  return one
}

interface Scene {
  readonly events: string[]
  readonly ready: () => readonly ScriptedWorker[]
  readonly isLeaving?: () => boolean
  readonly open?: () => void
}

function reloadOf({ events, ready, isLeaving = () => false, open = () => {} }: Scene) {
  return new GroupReload<ScriptedWorker>({
    ready,
    isLeaving,
    open: () => {
      events.push('open')
      open()
    },
    use: () => events.push('use'),
    configure: async ({ name, configured }) => {
      events.push(`${name} configured`)
      return configured
    },
    close: () => events.push('close'),
  })
}

test('one worker reads the file, not all', async () => {
  const events: string[] = []
  const workers = [worker('a', events), worker('b', events)]
  const checked = await reloadOf({ events, ready: () => workers }).check()
  assert.equal(checked, { ok: true, config })
  assert.equal(events, ['a reads'])
})

test('when a worker dies while it reads, another one reads; a second death is an error', async () => {
  const events: string[] = []
  const dies = (name: string) => worker(name, events, { read: undefined })
  /** Workers that have read are dead. */
  const alive = (all: readonly ScriptedWorker[]) => () => all.slice(events.length)
  const once = reloadOf({ events, ready: alive([dies('a'), worker('b', events)]) })
  assert.is((await once.check())?.ok, true)
  assert.equal(events, ['a reads', 'b reads'])
  events.length = 0
  const twice = reloadOf({ events, ready: alive([dies('a'), dies('b'), worker('c', events)]) })
  const failure = await twice.check().then(() => 'none', String)
  assert.match(failure, '2 workers could not read it')
  assert.equal(events, ['a reads', 'b reads'])
})

test('while no worker is ready it waits, and a group that leaves ends the wait', async () => {
  const events: string[] = []
  let looks = 0
  const late = reloadOf({ events, ready: () => (++looks < 3 ? [] : [worker('a', events)]) })
  assert.is((await late.check())?.ok, true)
  assert.is(looks, 3)
  const leaving = reloadOf({ events, ready: () => [], isLeaving: () => ++looks > 5 })
  assert.is(await leaving.check(), undefined)
})

test('sockets are opened before any worker is told, and closed after all have been', async () => {
  const events: string[] = []
  const workers = [worker('a', events), worker('b', events)]
  const needsRestart = await reloadOf({ events, ready: () => workers }).apply(config)
  assert.equal(events, ['open', 'use', 'a configured', 'b configured', 'close'])
  assert.equal(needsRestart, ['udp'])
})

test('a socket that cannot be opened leaves every worker as it was', async () => {
  const events: string[] = []
  const open = () => {
    throw new Error('EADDRINUSE')
  }
  const reload = reloadOf({ events, ready: () => [worker('a', events)], open })
  const failure = await reload.apply(config).then(() => 'none', String)
  assert.match(failure, 'EADDRINUSE')
  assert.equal(events, ['open'])
})

test('what waits for the next start is what the first worker says that applied it', async () => {
  const events: string[] = []
  const workers = [
    worker('gone', events, { configured: undefined }),
    worker('failed', events, { configured: { ok: false, why: 'no room' } }),
    worker('c', events, { configured: { ok: true, needsRestart: ['tcp'] } }),
  ]
  assert.equal(await reloadOf({ events, ready: () => workers }).apply(config), ['tcp'])
  assert.equal(await reloadOf({ events, ready: () => workers.slice(0, 2) }).apply(config), [])
})

test.run()
