/** Goal: sums are open to everybody, names are not; what colleagues saw is one list. Method: the calls, with a colleague that the test plays. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Everywhere, Operations } from '../../../src/daemon/operator/operation.ts'
import type { Summary } from '../../../src/daemon/operator/summary.ts'
import { summaryCalls } from '../../../src/daemon/operator/summary-calls.ts'
import { QueryWatch, type Sketches } from '../../../src/observe/live/query-watch.ts'

const test = suite('daemon/operator/summary-calls')

const summary = {
  queries: 2,
  drops: 0,
  notReady: [],
  durations: [1],
  upstreams: [],
} as unknown as Summary
const own: Sketches = {
  names: [{ key: 'a.', perSecond: 3 }],
  clients: [],
  slowest: [{ key: 'a.', maxMs: 5, meanMs: 4 }],
}
const others: Sketches = {
  names: [
    { key: 'b.', perSecond: 4 },
    { key: 'a.', perSecond: 2 },
  ],
  clients: [{ key: '10.0.0.1', perSecond: 1 }],
  slowest: [{ key: 'a.', maxMs: 9, meanMs: 9 }],
}

const nameClients = async (clients: readonly (readonly [string, number])[]) =>
  clients.map(([address]) => `shop/${address}`)

const nothing = { params: new URLSearchParams(), body: Buffer.alloc(0), isRoot: false }

async function read(path: string) {
  const watch = new QueryWatch(
    () => 0,
    () => undefined,
  )
  const everywhere: Everywhere = async (operation) => ({
    outputs: (operation.name === 'summary' ? [summary, summary] : [own, others]) as never[],
    missing: 0,
  })
  const calls = summaryCalls(
    { summary: () => summary, watch, nowMs: () => 0, nameClients },
    everywhere,
    new Operations(),
  )
  const call = calls.find((one) => one.path === path)
  const page = await call?.answer(nothing)
  return { isOpen: call?.isOpen === true, value: JSON.parse(page?.body ?? '{}') }
}

test('status has sums of all workers and is open', async () => {
  const { isOpen, value } = await read('/v1/status')
  assert.equal([isOpen, value.queries, value.workers, value.missing], [true, 4, 2, 0])
  assert.is(value.names, undefined)
})

test('whoever asks within a tenth of a second gets the same sums', async () => {
  let [made, nowMs] = [0, 0]
  const everywhere: Everywhere = async (operation, input) => {
    made += 1
    return { outputs: [await operation.run(input)], missing: 0 }
  }
  const watch = new QueryWatch(
    () => 0,
    () => undefined,
  )
  const parts = { summary: () => summary, watch, nowMs: () => nowMs, nameClients }
  const calls = summaryCalls(parts, everywhere, new Operations())
  const status = calls.find((one) => one.path === '/v1/status')
  for (const atMs of [0, 1, 99, 100, 150, 199, 300]) {
    nowMs = atMs
    await status?.answer(nothing)
  }
  assert.is(made, 3)
})

test('top has the names and clients of all workers, and is not open', async () => {
  const { isOpen, value } = await read('/v1/top')
  assert.equal([isOpen, value.queries], [false, 4])
  assert.equal(value.names, [
    { key: 'a.', perSecond: 5 },
    { key: 'b.', perSecond: 4 },
  ])
  assert.equal(value.clients, [{ key: '10.0.0.1', perSecond: 1, pod: 'shop/10.0.0.1' }])
  assert.equal(value.slowest, [{ key: 'a.', maxMs: 9, meanMs: 9 }])
})

test.run()
