/** Goal: the loads are what their names say. Method: the questions are looked at. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Asked, knownNames, podTraffic } from '../../bench/support/query-mix.ts'

const test = suite('bench/query-mix')

const text = ({ name, type }: Asked) => `${name} ${type}`

test('known names are all different', () => {
  assert.is(new Set(knownNames(5000).map(text)).size, 5000)
})

test('pod traffic is the same for the same seed', () => {
  assert.equal(podTraffic(500, 1), podTraffic(500, 1))
  assert.not.equal(podTraffic(500, 1), podTraffic(500, 2))
})

test('a name outside the cluster is tried with all search domains first, A and AAAA', () => {
  const lines = podTraffic(2000, 1).map(text)
  const at = lines.findIndex((line) => /^www-\d+\.outside\.bench A$/.test(line))
  const name = lines[at]?.split(' ')[0] ?? ''
  const asked = lines.slice(at - 6, at + 2).map((line) => line.replace(name, 'N'))
  assert.match(asked[0] ?? '', /^N\.team-\d+\.svc\.cluster\.local A$/)
  assert.equal(asked.slice(2), [
    'N.svc.cluster.local A',
    'N.svc.cluster.local AAAA',
    'N.cluster.local A',
    'N.cluster.local AAAA',
    'N A',
    'N AAAA',
  ])
})

test('a Service of the own namespace is found at the first try', () => {
  const lines = podTraffic(2000, 1).map(text)
  const own = lines.filter((line) => /^service-\d+\.team-\d+\.svc\.cluster\.local A$/.test(line))
  assert.ok(own.length > 300, String(own.length))
})

test.run()
