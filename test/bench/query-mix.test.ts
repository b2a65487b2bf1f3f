/** Goal: the loads are what their names say. Method: the lines for dnsperf are looked at. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { knownNames, podTraffic, uniqueNames } from '../../bench/support/query-mix.ts'
import { makeKubeWorld } from '../support/kube-world.ts'

const test = suite('bench/query-mix')
const world = makeKubeWorld(10)

test('known names are all different, and too many cannot be had', () => {
  assert.is(new Set(knownNames(world, 80)).size, 80)
  assert.throws(() => knownNames(world, 10_000), /the world has/)
})

test('unique names never come twice, whatever run they are for', () => {
  const names = [0, 3000, 6000].flatMap((from) => uniqueNames(from, 3000))
  assert.is(new Set(names).size, 9000)
  assert.ok(names.every((line) => /^[a-z0-9.-]+ A$/.test(line)))
})

test('pod traffic is the same for the same seed', () => {
  assert.equal(podTraffic(world, 500, 1), podTraffic(world, 500, 1))
  assert.not.equal(podTraffic(world, 500, 1), podTraffic(world, 500, 2))
})

test('a name outside the cluster is tried with all search domains first, A and AAAA', () => {
  const lines = podTraffic(world, 2000, 1)
  const at = lines.findIndex((line) => /^www-\d+\.example\.test A$/.test(line))
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
  const lines = podTraffic(world, 2000, 1)
  const own = lines.filter((line) => /^[a-z0-9-]+\.team-\d+\.svc\.cluster\.local A$/.test(line))
  assert.ok(own.length > 300, String(own.length))
})

test.run()
