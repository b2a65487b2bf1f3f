// Goal: slips of the finger find their word; different words find nothing.
// Method: pairs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { suggest } from '../../src/config/suggest.ts'

const test = suite('config/suggest')
const known = ['listen', 'clusterDomain', 'entriesMax', 'bytesMax', 'io', 'upstreams']

const pairs: [string, string | undefined][] = [
  ['listen', 'listen'],
  ['lsiten', 'listen'],
  ['listens', 'listen'],
  ['clusterdomain', 'clusterDomain'],
  ['cluster_domain', 'clusterDomain'],
  ['cluster-domian', 'clusterDomain'],
  ['entryMax', 'entriesMax'],
  ['upstream', 'upstreams'],
  ['ios', 'io'],
  ['port', undefined],
  ['forwarders', undefined],
  ['', undefined],
]
for (const [word, meant] of pairs) {
  test(`${JSON.stringify(word)} means ${meant ?? 'nothing known'}`, () => {
    assert.is(suggest(word, known), meant)
  })
}

test('a word of a million letters is answered at once', () => {
  assert.is(suggest('x'.repeat(1_000_000), known), undefined)
})

test.run()
