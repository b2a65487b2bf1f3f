/** Goal: one log line tells what state a daemon is in. Method: real parts, some of them not ready. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildInterception } from '../../src/daemon/intercept.ts'
import { Listeners } from '../../src/daemon/listeners.ts'
import { Reloads } from '../../src/daemon/reloads.ts'
import { stateOf } from '../../src/daemon/state-report.ts'
import { chooseUdpIo } from '../../src/listen/udp-io.ts'
import { Readiness } from '../../src/observe/readiness.ts'
import { ask, ScriptedHandler } from '../listen/scripted-handler.ts'
import { askUdp } from '../support/client/dns-client.ts'
import { configOf, dataPathOf, KeptLog } from './support.ts'

const test = suite('daemon/state-report')

test('readiness, listeners, cache, upstreams, reloads and memory are told, and fit in one line of JSON', async () => {
  const path = dataPathOf({ external: { upstreams: ['192.0.2.1'] } })
  const readiness = new Readiness()
  readiness.set('self-query', { kind: 'failed', why: 'no answer' })
  const onDefect = () => undefined
  const settings = configOf()
  const io = chooseUdpIo('portable')
  const handler = new ScriptedHandler()
  const listeners = new Listeners({ handler, settings, io, held: undefined, number: 0, onDefect })
  await listeners.openMissing([{ address: '127.0.0.1', port: 0, family: 4 }])
  const [address] = listeners.addresses
  await askUdp({ host: '127.0.0.1', port: address?.port ?? 0 }, ask(1, 'echo'))
  const interception = buildInterception(settings, new KeptLog(), readiness)
  const reloads = new Reloads({})
  reloads.refused()
  const parts = { path, listeners, readiness, interception: () => interception }
  const state = JSON.parse(JSON.stringify(stateOf({ ...parts, reloads: () => reloads.stats })))
  assert.equal(state.notReady, ['self-query: no answer'])
  assert.equal(state.listening, [
    { address: `127.0.0.1:${address?.port}`, received: 1, sent: 1, connections: 0 },
  ])
  assert.equal([state.cacheEntries, state.waiters, state.questions], [0, 0, 0])
  assert.is(state.upstreams[0].group, 'external')
  assert.is(state.upstreams[0].upstreams[0].isUp, true)
  assert.equal(state.reloads, { succeeded: 0, failed: 1, isLastGood: false })
  assert.ok(state.rssBytes > 10_000_000 && state.heapBytes > 1_000_000)
  await listeners.close(0)
  path.exchange.stop()
})

test.run()
