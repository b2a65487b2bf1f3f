/*
 * Goal: cut points come widest first, and each impossible shape has its rule, proved apart in each part of the zone. Method: names
 * through the shape reader, and what the functions make of it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  cutPoints,
  judgedTypes,
  ruleOf,
  ruleSubject,
  SearchKnowledge,
  wireText,
} from '../../../src/core/search/knowledge.ts'
import { readShape, Shape, ShapeKind } from '../../../src/core/search/shape.ts'
import { presentName } from '../../../src/wire/name.ts'
import { name } from '../../fixtures/packets/octets.ts'

const test = suite('core/search/knowledge')

const zone = { name: name('cluster.local'), multicluster: false }

function shapeOf(text: string) {
  const wire = name(`${text}.cluster.local`)
  const shape = new Shape()
  readShape(wire, wire.length, zone, shape)
  return { shape, wire }
}

function pointsOf(text: string): string[] {
  const { shape, wire } = shapeOf(text)
  return cutPoints(shape).map((at) => presentName(wire, at))
}

test('the widest cut point comes first, the name itself is one, and forward names have none', () => {
  assert.equal(pointsOf('www.com.a.svc'), ['a.svc.cluster.local.', 'com.a.svc.cluster.local.'])
  assert.equal(pointsOf('com.a.svc'), ['a.svc.cluster.local.', 'com.a.svc.cluster.local.'])
  assert.equal(pointsOf('a.svc'), ['a.svc.cluster.local.'])
  assert.equal(pointsOf('x.10-0-0-1.a.pod'), ['a.pod.cluster.local.'])
  assert.equal(pointsOf('www.example.com'), ['com.cluster.local.'])
  assert.equal(pointsOf('svc'), [])
  assert.equal(pointsOf('ns.dns'), [])
})

const rules: readonly (readonly [string, string])[] = [
  ['com', 'nothing but svc and pod below the zone'],
  ['a.b.c.d.com', 'nothing but svc and pod below the zone'],
  ['com.a.pod', 'not the address of a pod'],
  ['z.y.x.10-0-0-1.a.pod', 'not the address of a pod'],
  ['www.example.com.a.svc', 'no protocol next to the service'],
  ['a.www.example.com.a.svc', 'too deep below a service'],
  ['b.a.www.example.com.a.svc', 'too deep below a service'],
]

for (const [text, rule] of rules) {
  test(`${text} falls under "${rule}"`, () => {
    const { shape } = shapeOf(text)
    assert.is(shape.kind, ShapeKind.impossible)
    assert.is(ruleOf(shape), rule)
  })
}

function subjectOf(text: string): string {
  const { shape, wire } = shapeOf(text)
  return ruleSubject(shape, wire, wire.length)
}

test('a rule is proved once in each part of the zone: below each top, namespace of pods, and Service', () => {
  const subjects = [
    'a.com',
    'a.net',
    'com.a.pod',
    'com.b.pod',
    'w.example.com.a.svc',
    'w.example.net.a.svc',
    'w.example.com.b.svc',
    'v.w.example.com.a.svc',
  ].map(subjectOf)
  assert.is(new Set(subjects).size, subjects.length)
})

test('names of one part stand and fall together', () => {
  assert.is(subjectOf('a.com'), subjectOf('x.y.z.com'))
  assert.is(subjectOf('com.a.pod'), subjectOf('net.a.pod'))
  assert.is(subjectOf('w.example.com.a.svc'), subjectOf('v.test.com.a.svc'))
  assert.is(subjectOf('v.w.example.com.a.svc'), subjectOf('u.v.w.test.com.a.svc'))
})

test('wireText is the octets of a name from a label on, one character each', () => {
  const wire = Buffer.concat([name('\xe9.b'), Buffer.from('rest')])
  assert.is(wireText(wire, 0, 5), '\x01\xe9\x01b\0')
  assert.is(wireText(wire, 2, 5), '\x01b\0')
})

test('types that share the existence of a name are the seven that the plugin treats alike', () => {
  assert.equal(
    [...judgedTypes].toSorted((a, b) => a - b),
    [1, 5, 15, 28, 33, 64, 65],
  )
})

test('new knowledge is empty, and has the settings', () => {
  const known = new SearchKnowledge({
    zone,
    trust: 'declared',
    carveOuts: [name('corp.cluster.local')],
    auditOneIn: 2,
  })
  assert.is(known.soa, undefined)
  assert.is(known.cuts.size, 0)
  assert.is(known.zone, zone)
  assert.is(known.trust.level, 'declared')
  const carved = name('x.corp.cluster.local')
  assert.is(known.trust.isCarvedOut(carved, carved.length), true)
  known.audit.begin('kind', 'first', 0)
  known.audit.isDue('kind', 'other', 2)
  assert.is(known.audit.isDue('kind', 'other', 2), true, 'one in two')
})

test.run()
