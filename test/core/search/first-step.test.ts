/*
 * Goal: a name is asked ahead of the client only if it is public, and all three expansions are denied. Method: names of every place
 * on a search path, and a judge that a test makes up.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  absoluteName,
  clusterSuffixes,
  isPublic,
  readFirstStep,
} from '../../../src/core/search/first-step.ts'
import { presentName } from '../../../src/wire/name.ts'
import { name, octets } from '../../fixtures/packets/octets.ts'

const test = suite('core/search/first-step')

const zone = { name: name('cluster.local'), multicluster: false }
const text = (of: string) => name(of).toString('latin1')
const shown = (of: string | undefined) => of && presentName(Buffer.from(of, 'latin1'), 0)

test('the second and third domain of every search list', () => {
  assert.equal(clusterSuffixes(zone).map(shown), ['svc.cluster.local.', 'cluster.local.'])
})

test('a first step is at least one label, a namespace, svc and the zone', () => {
  const step = readFirstStep(text('www.example.com.team-a.svc.cluster.local'), zone)
  assert.equal(step, { labels: ['\x03www', '\x07example', '\x03com'], namespace: '\x06team-a' })
  assert.equal(readFirstStep(text('www.team-a.svc.cluster.local'), zone)?.labels, ['\x03www'])
})

const noSteps = [
  'team-a.svc.cluster.local',
  'svc.cluster.local',
  'cluster.local',
  'www.example.com.cluster.local',
  '10-0-0-1.team-a.pod.cluster.local',
  'www.team-a.xsvc.cluster.local',
  'www.team-a.svc.cluster.local.example',
  'www.example.com',
  '.',
]

for (const one of noSteps) {
  test(`${one} is no first step`, () => {
    assert.is(readFirstStep(text(one), zone), undefined)
  })
}

test('octets that are no letters are labels like others', () => {
  const wire = octets([1], '.', [2], '\0\xff', name('team-a.svc.cluster.local')).toString('latin1')
  assert.equal(readFirstStep(wire, zone)?.labels, ['\x01.', '\x02\0\xff'])
})

const isPublicText = (of: string) =>
  isPublic({
    labels: of.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`),
    namespace: '',
  })

test('two labels are needed, and a top-level domain that is a country or a common one', () => {
  for (const one of [
    'example.com',
    'www.example.org',
    'example.de',
    'example.zz',
    'a.io',
    'a.software',
  ])
    assert.is(isPublicText(one), true, one)
  for (const one of [
    'com',
    'de',
    'example.internal',
    'example.local',
    'db.team-b',
    'a.x',
    'a.d1',
    'a.1d',
    'a.com1',
  ])
    assert.is(isPublicText(one), false, one)
  assert.is(isPublic({ labels: [], namespace: '' }), false)
})

const first = text('example.com.team-a.svc.cluster.local')

test('the absolute name is what stands left of the namespace, once all expansions are denied', () => {
  const asked: (string | undefined)[] = []
  const absolute = absoluteName(first, zone, (expansion) => {
    asked.push(shown(expansion))
    return true
  })
  assert.is(shown(absolute), 'example.com.')
  assert.equal(asked, ['example.com.svc.cluster.local.', 'example.com.cluster.local.'])
})

test('one expansion that is not denied is enough to ask for nothing', () => {
  for (const open of ['example.com.svc.cluster.local.', 'example.com.cluster.local.'])
    assert.is(
      absoluteName(first, zone, (expansion) => shown(expansion) !== open),
      undefined,
      open,
    )
})

test('nothing leaves the cluster for a name that is not public, or no first step', () => {
  for (const one of ['db.team-b.team-a', 'com.team-a', 'example.internal.team-a'])
    assert.is(
      absoluteName(text(`${one}.svc.cluster.local`), zone, () => true),
      undefined,
      one,
    )
  assert.is(
    absoluteName(text('example.com.cluster.local'), zone, () => true),
    undefined,
  )
})

test.run()
