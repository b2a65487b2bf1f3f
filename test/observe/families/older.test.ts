/** Goal: old dashboards find their series, with the labels that they use. Method: the lists of consumers.ts against all families; sums by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allFamilies, emptySources } from '../../../src/observe/families/all.ts'
import { olderFamilies, olderNames } from '../../../src/observe/families/older.ts'
import { facts, sourcesWith } from '../support.ts'
import { consumers } from './consumers.ts'

const test = suite('observe/families/older')

for (const { name, needs, series } of consumers) {
  test(`${name}: each series is there with its labels`, () => {
    const today = allFamilies(emptySources())
    const published = needs === 'older' ? [...today, ...olderFamilies(today)] : today
    for (const [wanted, labels] of Object.entries(series)) {
      const found = published.find((one) => one.name === wanted)
      assert.ok(found, wanted)
      for (const label of labels) assert.ok(found.labelNames.includes(label), `${wanted} ${label}`)
    }
  })
}

test('no old name is taken by a family of today', () => {
  const today = new Set(allFamilies(emptySources()).map(({ name }) => name))
  assert.equal(
    olderNames.filter(({ name }) => today.has(name)),
    [],
  )
})

test('what differs in a newer label alone is added up', () => {
  const sources = sourcesWith({})
  sources.counters().replied(facts)
  sources.counters().replied({ ...facts, qtype: 28 })
  const families = olderFamilies(allFamilies(sources))
  const valuesOf = (name: string) =>
    families
      .find((one) => one.name === name)
      ?.collect()
      .map(({ value }) => value)
  assert.equal(valuesOf('coredns_dns_request_count_total'), [2])
  assert.equal(valuesOf('coredns_dns_request_type_count_total'), [1, 1])
  const [sample] =
    families.find(({ name }) => name === 'coredns_dns_request_count_total')?.collect() ?? []
  assert.equal(Object.keys(sample?.labels ?? {}), ['server', 'zone', 'proto', 'family'])
})

test.run()
