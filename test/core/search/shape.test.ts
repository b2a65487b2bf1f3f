/*
 * Goal: no name that can exist is judged impossible, and none is said to need more than it needs. Method: each rule by examples at
 * its boundary, and made-up clusters and names against a model of the kubernetes plugin (plugin-model.ts).
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClusterZone, readShape, Shape, ShapeKind } from '../../../src/core/search/shape.ts'
import { name, octets } from '../../fixtures/packets/octets.ts'
import { type ModelCluster, modelHas } from './plugin-model.ts'

const test = suite('core/search/shape')

const zone: ClusterZone = { name: name('cluster.local'), multicluster: false }
const multicluster: ClusterZone = { ...zone, multicluster: true }

function shapeOf(text: string, of = zone): Shape {
  const shape = new Shape()
  const wire = name(text === '' ? 'cluster.local' : `${text}.cluster.local`)
  readShape(wire, wire.length, of, shape)
  return shape
}

const kindOf = (text: string, of = zone) => shapeOf(text, of).kind

const { outside, forward, impossible, needsNamespace, needsService } = ShapeKind

/** Kind, and the texts of namespace, Service and top as the offsets point at them. */
const told: readonly (readonly [string, ShapeKind, string, string, string])[] = [
  ['', forward, '', '', ''],
  ['svc', forward, '', '', ''],
  ['pod', forward, '', '', ''],
  ['dns', forward, '', '', ''],
  ['ns.dns', forward, '', '', ''],
  ['x.y.dns', forward, '', '', ''],
  ['dns-version', forward, '', '', ''],
  ['x.dns-version', impossible, '', '', 'dns-version'],
  ['com', impossible, '', '', 'com'],
  ['svcs', impossible, '', '', 'svcs'],
  ['sv', impossible, '', '', 'sv'],
  ['www.example.com', impossible, '', '', 'com'],
  ['svc.com', impossible, '', '', 'com'],
  ['a.svc', needsNamespace, 'a.svc', '', ''],
  ['b.a.svc', needsService, 'a.svc', 'b.a.svc', ''],
  ['c.b.a.svc', needsService, 'a.svc', 'b.a.svc', ''],
  ['_c.b.a.svc', needsService, 'a.svc', 'b.a.svc', ''],
  ['d.c.b.a.svc', impossible, 'a.svc', 'b.a.svc', ''],
  ['e.d.tcp.b.a.svc', impossible, 'a.svc', 'b.a.svc', ''],
  ['svc.svc.svc', needsService, 'svc.svc', 'svc.svc.svc', ''],
  ['a.pod', needsNamespace, 'a.pod', '', ''],
  ['10-0-0-1.a.pod', needsNamespace, 'a.pod', '', ''],
  ['x.10-0-0-1.a.pod', needsNamespace, 'a.pod', '', ''],
  ['y.x.10-0-0-1.a.pod', needsNamespace, 'a.pod', '', ''],
  ['z.y.x.10-0-0-1.a.pod', impossible, 'a.pod', '', ''],
  ['com.a.pod', impossible, 'a.pod', '', ''],
  ['_zone.b.a.svc', needsService, 'a.svc', 'b.a.svc', ''],
  ['x._zone.b.a.svc', forward, '', '', ''],
  ['v.w.x._zone.b.a.svc', forward, '', '', ''],
  ['_zone.x.b.a.svc', impossible, 'a.svc', 'b.a.svc', ''],
]

for (const [text, kind, namespace, service, top] of told) {
  const title = text === '' ? 'the zone itself' : text
  test(`${title}: kind ${kind}, with the offsets of what it hangs on`, () => {
    const shape = shapeOf(text)
    const wire = name(text === '' ? 'cluster.local' : `${text}.cluster.local`)
    const from = (at: number) => (at < 0 ? '' : wire.toString('hex', at))
    const expected = (of: string) => (of === '' ? '' : name(`${of}.cluster.local`).toString('hex'))
    assert.is(shape.kind, kind)
    assert.is(from(shape.namespaceAt), expected(namespace))
    assert.is(from(shape.serviceAt), expected(service))
    assert.is(from(shape.topAt), expected(top))
    assert.is(shape.labels, text === '' ? 0 : text.split('.').length)
  })
}

test('names outside the zone are no business of ours, wherever its octets stand', () => {
  const shape = new Shape()
  const strangers = [
    name('example.com'),
    name('local'),
    name('.'),
    name('cluster.local.example'),
    name('xcluster.local'),
    name('cluster.locax'),
    // The zone's octets inside of a longer label.
    octets([13], 'xxxxx', [7], 'cluster', [5], 'local', [0]),
    // One label in place of two.
    octets([1], 'a', [13], 'cluster', [5], 'local', [0]),
    octets([13], 'cluster', [5], 'local', [0]),
  ]
  for (const stranger of strangers) {
    assert.is(readShape(stranger, stranger.length, zone, shape), outside, stranger.toString('hex'))
    assert.equal([shape.namespaceAt, shape.serviceAt, shape.topAt], [-1, -1, -1])
  }
})

test('a name is read up to its end, and not what stands behind it in the buffer', () => {
  const shape = new Shape()
  const wire = name('a.svc.cluster.local')
  const held = octets(wire, 'svc rest of an older name')
  assert.is(readShape(held, wire.length, zone, shape), needsNamespace)
  assert.is(readShape(held, held.length, zone, shape), outside)
})

test('a shape that is used again keeps nothing of the name before', () => {
  const shape = new Shape()
  for (const text of ['b.a.svc', 'com', 'a.svc', 'svc']) {
    const wire = name(`${text}.cluster.local`)
    readShape(wire, wire.length, zone, shape)
  }
  assert.equal({ ...shape }, { ...new Shape(), kind: forward, labels: 1 })
})

test('the longest name, of 121 labels of one octet, is read whole', () => {
  const shape = shapeOf(Array.from({ length: 119 }, () => 'a').join('.'))
  assert.is(shape.labels, 119)
  assert.is(shape.kind, impossible)
})

const protocols = ['tcp', 'udp', 'sctp', '_tcp', '_udp', '_sctp', '_', '*', 'any', '_*', '_any']

for (const protocol of protocols) {
  test(`two labels left of a Service may exist next to the protocol ${protocol}`, () => {
    assert.is(kindOf(`x.${protocol}.b.a.svc`), needsService)
  })
}

test('what only looks like a protocol is none', () => {
  for (const label of ['tcpx', 'tc', '_tcpx', '__tcp', 'icmp', '_any_', '**', 'an'])
    assert.is(kindOf(`x.${label}.b.a.svc`), impossible, label)
})

test('with multicluster two plain labels are endpoint and cluster, and one with an underscore is none', () => {
  assert.is(kindOf('d.c.b.a.svc', multicluster), needsService)
  assert.is(kindOf('_d.c.b.a.svc', multicluster), impossible)
  assert.is(kindOf('d._c.b.a.svc', multicluster), impossible)
  assert.is(kindOf('_d._tcp.b.a.svc', multicluster), needsService)
  assert.is(kindOf('e.d.c.b.a.svc', multicluster), impossible)
})

test('a pod address is hexadecimal digits with a dash at least, each at its boundary', () => {
  for (const label of ['-', '0-', '9-a', 'a-f', '--', '1-2-3-4', 'fe80--1'])
    assert.is(kindOf(`${label}.a.pod`), needsNamespace, label)
  // The octets next to the ranges 0-9 and a-f, and no dash at all.
  for (const label of ['/-1', ':-1', '`-1', 'g-1', '1_2', '1234', 'beef', 'A-1'])
    assert.is(kindOf(`${label}.a.pod`), impossible, label)
})

const label = fc.oneof(
  fc.constantFrom('svc', 'pod', 'dns', 'ns', 'dns-version', 'com', 'web', 'db', 'team', '_zone'),
  fc.constantFrom(...protocols, 'http', '_http', 'icmp', '__tcp', 'east'),
  fc.constantFrom('10-0-0-1', '1-2-3', 'fe80--1', '--1', '256-0-0-1', '1-2-3-g', 'pod-0'),
)
/** What stands left of a Service, or of nothing. */
const left = fc.oneof(
  fc.array(label, { maxLength: 4 }),
  fc.subarray(['pod-0', 'http', '_http', '_', 'web'], { maxLength: 1 }),
  fc
    .tuple(fc.constantFrom('', 'x', '_http', 'http', '_', 'pod-0'), label)
    .map(([one, two]) => [one || '_', two]),
)
const labels = fc
  .oneof(
    fc.tuple(left, fc.constantFrom([], ['svc'], ['pod'], ['team', 'svc'], ['svc', 'pod'])),
    fc.tuple(
      left,
      fc.constantFrom(['web', 'team', 'svc'], ['db', 'team', 'svc'], ['com', 'com', 'svc']),
    ),
  )
  .map(([outer, inner]) => [...outer, ...inner])

const cluster: fc.Arbitrary<ModelCluster> = fc.record({
  namespaces: fc.subarray(['team', 'svc', 'pod', 'com', 'web', 'db'], { minLength: 3 }),
  services: fc.array(
    fc.record({
      name: fc.constantFrom('web', 'db', 'com', 'svc'),
      namespace: fc.constantFrom('team', 'team', 'com', 'svc'),
      kind: fc.constantFrom('cluster-ip' as const, 'headless' as const, 'external-name' as const),
      endpoints: fc.subarray(['web', '10-0-0-1', 'pod-0', 'com']),
      ports: fc.array(
        fc.record({
          name: fc.constantFrom('', 'http', 'web'),
          protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { maxLength: 6 },
  ),
  pods: fc.constantFrom('disabled' as const, 'insecure' as const),
  wildcards: fc.boolean(),
  zonal: fc.boolean(),
  multicluster: fc.boolean(),
})

test('what exists in a model of the plugin is not impossible, and has the namespace and the Service it is said to need', () => {
  const existing = { needsNamespace: 0, needsService: 0 }
  fc.assert(
    fc.property(labels, cluster, (parts, world) => {
      const shape = shapeOf(parts.join('.'), world.multicluster ? multicluster : zone)
      if (!modelHas(world, parts)) return
      assert.is.not(shape.kind, impossible, parts.join('.'))
      if (shape.kind === needsNamespace || shape.kind === needsService) {
        existing[shape.kind === needsService ? 'needsService' : 'needsNamespace'] += 1
        assert.ok(world.namespaces.includes(parts.at(-2) ?? ''), parts.join('.'))
      }
      if (shape.kind === needsService)
        assert.ok(modelHas(world, parts.slice(-3)), `the Service of ${parts.join('.')}`)
    }),
    { numRuns: 20_000 },
  )
  assert.ok(existing.needsNamespace > 50 && existing.needsService > 50, JSON.stringify(existing))
})

test.run()
