/** Goal: settings that take memory fit into the limit, and nothing is cut that fits. Method: defaults and large values under limits. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withinMemory } from '../../src/daemon/memory-room.ts'
import { configOf } from './support.ts'

const test = suite('daemon/memory-room')

const mebibyte = 1_048_576
const zones = [{ name: 'corp.example', upstreams: ['192.0.2.1'] }]
const socketsOf = ({ external, cluster, zones: stubs }: ReturnType<typeof configOf>) =>
  [external, cluster, ...stubs].map(({ exchange }) => exchange.udp.socketsMax)

test('without a limit, and in 256 MiB, the defaults are used as they are', () => {
  const config = configOf({ zones })
  for (const limitBytes of [0, 256 * mebibyte])
    assert.equal(withinMemory(config, limitBytes), { config, cuts: [] })
})

test('in 128 MiB the default cache fits, and sockets are fewer, in every group', () => {
  const { config, cuts } = withinMemory(configOf({ zones }), 128 * mebibyte)
  assert.equal(socketsOf(config), [1194, 1194, 1194])
  assert.equal(cuts, [
    { setting: 'exchange.udp.socketsMax', configured: 2048, used: 1194, isChosen: false },
  ])
})

test('what is configured below the limit stays', () => {
  const external = { exchange: { udp: { socketsMax: 100 } } }
  const { config } = withinMemory(configOf({ external, zones }), 64 * mebibyte)
  assert.equal(socketsOf(config), [100, 262, 262])
})

test('answers in the kernel take their room from the cache', () => {
  const of = (mode: 'off' | 'auto') => {
    const kernelHits = { mode, entriesMax: 4096 }
    return withinMemory(configOf({ cache: { bytesMax: 2 ** 30 }, kernelHits }), 256 * mebibyte)
      .config
  }
  assert.is(of('off').cache.bytesMax - of('auto').cache.bytesMax, 4096 * 1200)
})

test('a cache that does not fit is cut as well', () => {
  const { config, cuts } = withinMemory(configOf({ cache: { bytesMax: 2 ** 30 } }), 256 * mebibyte)
  assert.ok(config.cache.bytesMax < 128 * mebibyte)
  assert.equal(
    cuts.map(({ setting, configured, isChosen }) => [setting, configured, isChosen]),
    [['cache.bytesMax', 2 ** 30, true]],
  )
})

test.run()
