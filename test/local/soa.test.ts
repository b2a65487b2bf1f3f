/** Goal: the SOA of local denials has the values of RFC 6303 3, and the wanted lifetime in both places. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localSoa } from '../../src/local/soa.ts'
import { name } from '../fixtures/packets/octets.ts'

const test = suite('local/soa')

test('names, numbers and lifetime', () => {
  const owner = name('cluster.local')
  const soa = localSoa(owner, 5)
  assert.equal([soa.owner, soa.ttlSeconds], [owner, 5])
  const data = Buffer.from(soa.data)
  const names = Buffer.concat([name('localhost'), name('nobody.invalid')])
  assert.equal(data.subarray(0, names.length), names)
  const numbers = Array.from({ length: 5 }, (_, i) => data.readUInt32BE(names.length + 4 * i))
  assert.equal(numbers, [1, 3600, 1200, 604_800, 5])
})

test.run()
