/*
 * Goal: a call reaches all other workers, and comes back with what each returned, also when some are late or die. Method: the desk between
 * workers that note what they are sent.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CallDesk } from '../../../src/daemon/workers/call-desk.ts'
import type { ToWorker } from '../../../src/daemon/workers/plan.ts'
import { WorkerProcess } from '../../../src/daemon/workers/process.ts'
import { withHandClock } from '../support.ts'

const test = suite('daemon/workers/call-desk')

function scripted(number: number) {
  const sent: ToWorker[] = []
  const send = (message: ToWorker) => void sent.push(message)
  const worker: WorkerProcess = Object.assign(Object.create(WorkerProcess.prototype), {
    number,
    send,
  })
  return { worker, sent }
}

function world() {
  const workers = [scripted(0), scripted(1), scripted(2)] as const
  const desk = new CallDesk(() => workers.map(({ worker }) => worker))
  const [asker] = workers
  desk.take(asker.worker, { kind: 'call', id: 7, name: 'x', input: { a: 1 } })
  return { desk, workers }
}

test('all others get the call, and the asker gets what they return', () => {
  const { desk, workers } = world()
  const [asker, first, second] = workers
  for (const { sent } of [first, second])
    assert.equal(sent, [{ kind: 'call', id: 1, name: 'x', input: { a: 1 } }])
  desk.take(second.worker, { kind: 'result', id: 1, output: 'b' })
  assert.equal(asker.sent, [])
  desk.take(first.worker, { kind: 'result', id: 1, output: 'a' })
  const results = [
    { worker: 2, output: 'b' },
    { worker: 1, output: 'a' },
  ]
  assert.equal(asker.sent, [{ kind: 'results', id: 7, results, missing: 0 }])
  desk.take(first.worker, { kind: 'result', id: 1, output: 'again' })
  assert.is(asker.sent.length, 1)
})

test('one that fails, and one that dies, is missing', () => {
  const { desk, workers } = world()
  const [asker, first, second] = workers
  desk.take(first.worker, { kind: 'result', id: 1, output: undefined })
  desk.lost(second.worker)
  assert.equal(asker.sent, [{ kind: 'results', id: 7, results: [], missing: 2 }])
})

test('one that is late is not waited for', () =>
  withHandClock(({ wind }) => {
    const { desk, workers } = world()
    const [asker, first] = workers
    desk.take(first.worker, { kind: 'result', id: 1, output: 'a' })
    wind(1999)
    assert.equal(asker.sent, [])
    wind(1)
    const results = [{ worker: 1, output: 'a' }]
    assert.equal(asker.sent, [{ kind: 'results', id: 7, results, missing: 1 }])
  }))

test('a worker without colleagues gets its answer at once', () => {
  const { worker, sent } = scripted(0)
  new CallDesk(() => [worker]).take(worker, { kind: 'call', id: 3, name: 'x', input: 0 })
  assert.equal(sent, [{ kind: 'results', id: 3, results: [], missing: 0 }])
})

test.run()
