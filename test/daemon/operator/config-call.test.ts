/** Goal: the configuration in force is for those who may see names, and of bounded length. Method: the call. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../../src/config/load.ts'
import { configCall } from '../../../src/daemon/operator/config-call.ts'

const test = suite('daemon/operator/config-call')

const nothing = { params: new URLSearchParams(), body: Buffer.alloc(0), isRoot: false }

async function reportOf(settings: object) {
  const file = { name: 'a.yaml', text: JSON.stringify(settings) }
  const loaded = loadConfig({ file, hasOrigins: true })
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message)
  const call = configCall(() => loaded.config)
  assert.is(call.isOpen, undefined)
  return JSON.parse((await call.answer(nothing)).body)
}

test('all settings, each with value and origin', async () => {
  const { settings, more } = await reportOf({ workers: 2 })
  assert.is(more, 0)
  assert.equal(
    settings.find(({ path }: { path: string }) => path === 'workers'),
    { path: 'workers', value: '2', from: 'a.yaml:1' },
  )
  assert.ok(settings.length > 100)
})

test('very many zones are cut off, and counted', async () => {
  const zones = Array.from({ length: 256 }, (_none, at) => ({
    name: `z${at}.example`,
    upstreams: ['192.0.2.1'],
    withoutUpstreams: 'servfail',
    trustAd: false,
    ttl: {
      ...{ keep: true, positiveMinSeconds: 0, positiveMaxSeconds: 30 },
      ...{ negativeMinSeconds: 0, negativeMaxSeconds: 30 },
    },
    exchange: {
      ...{ policy: 'auto', deadlineMs: 4500, silenceMs: 3000, attemptsMax: 4, failover: true },
      ...{ retryBudgetPercent: 20, workaroundSeconds: 900 },
      hedge: { minMs: 50, maxMs: 250, percentile: 95 },
      timeout: { minMs: 500, maxMs: 1500 },
    },
  }))
  const { settings, more } = await reportOf({ zones })
  assert.is(settings.length, 5000)
  assert.ok(more > 0)
})

test.run()
