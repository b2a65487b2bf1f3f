/** Goal: networks are read as such, no more than allowed, and a mistake says where. Method: a configuration with one such list. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'

const test = suite('config/network-list')

const ranges = (...texts: readonly string[]) =>
  loadConfig({ file: { name: 'x.yaml', text: JSON.stringify({ cluster: { ranges: texts } }) } })

test('networks of both families are taken', () => {
  const read = ranges('10.0.0.0/8', 'fd00::/8')
  assert.ok(read.ok)
  assert.is(read.config.cluster.ranges.length, 2)
})

test('what is no network is refused by its place, and one more than allowed as well', () => {
  const wrong = ranges('10.0.0.0/33')
  assert.not(wrong.ok)
  assert.match(JSON.stringify(wrong), 'cluster.ranges[0]')
  assert.not(ranges(...Array.from({ length: 5 }, (_, i) => `10.${i}.0.0/16`)).ok)
})

test.run()
