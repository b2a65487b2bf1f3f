/*
 * Goal: a supervisor can always tell what became of a worker: it did as it was told, is gone, hangs, or says nothing. Method: child processes
 * that do what a line of script says; limits in time under a clock that is wound by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { silenceMsMax } from '../../../src/daemon/workers/plan.ts'
import { type WorkerCommand, WorkerProcess } from '../../../src/daemon/workers/process.ts'
import { HeldSockets } from '../../../src/handover/held-sockets.ts'
import { loadSystemCalls } from '../../../src/system/system-calls.ts'
import { until } from '../../support/process.ts'
import { configOf, whenTrue, withHandClock } from '../support.ts'
import { commandOf, Heard, plainWorker } from './scripted-worker.ts'

const test = suite('daemon/workers/process')

interface Started {
  readonly worker: WorkerProcess
  readonly heard: Heard
}

const started: Started[] = []

function start(script?: string, more: Partial<WorkerCommand> = {}): Started {
  const heard = new Heard()
  const worker = new WorkerProcess(commandOf(plainWorker(script), more), heard)
  started.push({ worker, heard })
  return { worker, heard }
}

async function startReady(script?: string, more?: Partial<WorkerCommand>): Promise<Started> {
  const one = start(script, more)
  await until('ready', () => one.worker.isReady, { timeoutMs: 20_000 })
  return one
}

test.after.each(async () => {
  for (const { worker } of started.splice(0)) {
    worker.kill('SIGKILL')
    await worker.gone()
  }
})

/** Sockets of one address, as a supervisor holds them. */
async function withHeld(body: (held: HeldSockets) => Promise<void>): Promise<void> {
  const held = new HeldSockets(loadSystemCalls())
  held.forget(held.obtainBoth({ address: '127.0.0.1', port: 0, family: 4 }))
  try {
    await body(held)
  } finally {
    held.close()
  }
}

test('a worker gets its number, the whole list of sockets, and descriptors of its own for them', () =>
  withHeld(async (held) => {
    const script = `
      const isSocket = plan.sockets.map(({ fd }) => require('fs').fstatSync(fd).isSocket())
      tell(JSON.stringify({ plan, isSocket })); ready()`
    const { heard } = await startReady(script, { number: 3, count: 4, sockets: held.all })
    const { plan, isSocket } = JSON.parse(heard.told[0] ?? '')
    assert.equal([plan.number, plan.count, plan.hasDump], [3, 4, false])
    assert.equal(
      plan.sockets,
      held.all.map((one, i) => ({ ...one, fd: 5 + i })),
    )
    assert.equal(isSocket, [true, true])
  }))

test('the cache of the process before comes on standard input; without one there is nothing', async () => {
  const script = `tell(plan.hasDump + ' ' + require('fs').readFileSync(0, 'latin1')); ready()`
  const dump = Buffer.from('answers\0\xff', 'latin1')
  assert.equal((await startReady(script, { dump })).heard.told, ['true answers\0\xff'])
  assert.equal((await startReady(script)).heard.told, ['false '])
})

test('what hands the configuration over is beside our own environment', async () => {
  process.env['NEARDNS_TEST_OWN'] = 'own'
  const script = `tell(process.env.NEARDNS_TEST_OWN + ' ' + process.env.NEARDNS_TEST_HANDED); ready()`
  const { heard } = await startReady(script, { environment: { NEARDNS_TEST_HANDED: 'handed' } })
  delete process.env['NEARDNS_TEST_OWN']
  assert.equal(heard.told, ['own handed'])
})

test('ready is told once, with what became of the cache, and never as a message', async () => {
  const script = `send({ kind: 'ready', restored: { entries: 9, isRefused: false } })`
  const beforeMs = performance.now()
  const { worker, heard } = start(script)
  assert.equal([worker.isReady, worker.readyMs], [false, Number.POSITIVE_INFINITY])
  await until('ready', () => worker.isReady, { timeoutMs: 20_000 })
  assert.equal([heard.restored, heard.messages], [[{ entries: 9, isRefused: false }], []])
  assert.ok(worker.readyMs >= beforeMs)
})

test('an order is done when the worker says so, and not when it says so of another', async () => {
  const script = `
    on = ({ order }) => {
      send({ kind: 'obeyed', order: 'resume' })
      setTimeout(() => send({ kind: 'obeyed', order }), 150)
    }
    ready()`
  const { worker } = await startReady(script)
  const startMs = performance.now()
  await worker.order('pause')
  assert.ok(performance.now() - startMs >= 100)
})

test('an order is about the worker itself unless a colleague is named', async () => {
  const { worker, heard } = await startReady(undefined, { number: 2, count: 3 })
  await worker.order('pause')
  await worker.order('adopt', 1)
  assert.equal(heard.told, ['pause 2', 'adopt 1'])
})

test('a worker that does not obey is not waited for beyond the silence that kills it', async () => {
  const { worker } = await startReady('on = () => undefined; ready()')
  await withHandClock(async (clock) => {
    let isDone = false
    const order = worker.order('pause').then(() => {
      isDone = true
    })
    clock.wind(silenceMsMax - 1)
    await Promise.resolve()
    assert.is(isDone, false)
    clock.wind(1)
    await order
  })
})

test('a worker that dies with an order in hand is not waited for, nor with a configuration', async () => {
  const script = 'on = () => process.exit(3); ready()'
  const one = await startReady(script)
  await one.worker.order('pause')
  const other = await startReady(script)
  assert.is(await other.worker.checkConfig(), undefined)
  const third = await startReady(script)
  assert.is(await third.worker.configure(configOf(), []), undefined)
  assert.equal(one.heard.exits, [{ code: 3, isHung: false }])
})

test('what a worker has read of the configuration is handed on, whatever else it says meanwhile', async () => {
  const script = `
    on = () => {
      send({ kind: 'beat' })
      tell('busy')
      send({ kind: 'checked', result: { ok: false, problems: [] } })
    }
    ready()`
  const { worker, heard } = await startReady(script)
  assert.equal(await worker.checkConfig(), { ok: false, problems: [] })
  assert.equal(heard.told, ['busy'])
})

test('a worker that cannot read the configuration within 15 s has not', async () => {
  const { worker } = await startReady('on = () => undefined; ready()')
  await withHandClock(async (clock) => {
    const checked = worker.checkConfig()
    clock.wind(15_000)
    assert.is(await checked, undefined)
  })
})

test('a worker is sent the sockets that it does not have, each once', () =>
  withHeld(async (held) => {
    const script = `
      on = ({ sockets }) => {
        tell(JSON.stringify(sockets))
        send({ kind: 'configured', result: { ok: true, needsRestart: ['io'] } })
      }
      ready()`
    const { worker, heard } = await startReady(script, { sockets: [...held.all] })
    const before = held.all.length
    held.forget(held.obtainBoth({ address: '127.0.0.2', port: 0, family: 4 }))
    assert.equal(await worker.configure(configOf(), [...held.all]), {
      ok: true,
      needsRestart: ['io'],
    })
    await worker.configure(configOf(), [...held.all])
    const names = held.all
      .slice(before)
      .map(({ kind, wanted, number }) => ({ kind, wanted, number }))
    assert.equal(
      heard.told.map((text) => JSON.parse(text)),
      [names, []],
    )
  }))

test('a worker that is gone cannot be configured, asked or told anything, and nothing throws', async () => {
  const { worker } = await startReady()
  worker.kill('SIGKILL')
  await worker.gone()
  worker.send({ kind: 'check' })
  worker.kill('SIGTERM')
  await worker.gone()
  await withHeld(async (held) => {
    const configured = await worker.configure(configOf(), held.all)
    assert.is(configured?.ok, false)
  })
})

test('a worker that has just spoken does not hang; one that is silent for longer is killed, once', async () => {
  const { worker, heard } = await startReady()
  const heardMs = worker.readyMs
  worker.watch(heardMs + silenceMsMax - 50)
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(heard.exits, [])
  worker.watch(heardMs + silenceMsMax + 50)
  worker.watch(heardMs + 2 * silenceMsMax)
  await worker.gone()
  assert.equal(heard.exits, [{ code: null, isHung: true }])
})

test('every word counts as a sign of life, not the beats alone', async () => {
  const { worker, heard } = await startReady()
  await withHandClock(async (clock) => {
    const startMs = performance.now()
    clock.wind(silenceMsMax - 1)
    worker.send({ kind: 'order', order: 'pause', number: 0 })
    await whenTrue('said', () => heard.told.length === 1)
    clock.wind(silenceMsMax - 1)
    worker.watch(performance.now())
    assert.ok(performance.now() - startMs > silenceMsMax)
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(heard.exits, [])
})

test('a worker that starts has longer: reading its configuration, it may be silent for 15 s', async () => {
  const { worker, heard } = start('setInterval(() => undefined, 1000)')
  const startMs = performance.now()
  worker.watch(startMs + 14_900)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(heard.exits, [])
  worker.watch(startMs + 15_001)
  await worker.gone()
  assert.equal(heard.exits, [{ code: null, isHung: true }])
})

test('how a worker ended is told: by itself, or by a signal', async () => {
  const ended = start('ready(); setTimeout(() => process.exit(7), 20)')
  await ended.worker.gone()
  const killed = await startReady()
  killed.worker.kill('SIGTERM')
  await killed.worker.gone()
  assert.equal(
    [ended.heard.exits, killed.heard.exits],
    [[{ code: 7, isHung: false }], [{ code: null, isHung: false }]],
  )
})

test('a worker that was started with the list itself is sent what is added to that list later', () =>
  withHeld(async (held) => {
    const script = `
      on = ({ sockets }) => {
        tell(sockets.length)
        send({ kind: 'configured', result: { ok: true, needsRestart: [] } })
      }
      ready()`
    const { worker, heard } = await startReady(script, { sockets: held.all })
    for (const address of ['127.0.0.2', '127.0.0.3']) {
      held.forget(held.obtainBoth({ address, port: 0, family: 4 }))
      await worker.configure(configOf(), held.all)
    }
    assert.equal(heard.told, ['2', '2'])
  }))

test.run()
