/** Goal: the longest zone wins, compared label by label; a reload changes routes without giving cached answers a wrong one. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Router } from '../../src/core/router.ts'
import { name, octets } from '../fixtures/packets/octets.ts'
import { zoneRoute, zones } from './support.ts'

const test = suite('core/router')

function zoneOf(router: Router, text: string | Buffer): string {
  const wire = typeof text === 'string' ? name(text) : text
  return router.route(wire, wire.length).zone
}

test('the longest matching zone wins', () => {
  const router = new Router([...zones, zoneRoute('eu.corp.example.'), zoneRoute('in-addr.arpa.')])
  for (const [asked, zone] of [
    ['api.shop.svc.cluster.local', 'cluster.local.'],
    ['cluster.local', 'cluster.local.'],
    ['www.corp.example', 'corp.example.'],
    ['db.eu.corp.example', 'eu.corp.example.'],
    ['eu.corp.example', 'eu.corp.example.'],
    ['1.0.0.10.in-addr.arpa', 'in-addr.arpa.'],
    ['example', '.'],
    ['local', '.'],
    ['.', '.'],
  ] as const) {
    assert.is(zoneOf(router, asked), zone, asked)
  }
})

test('a zone is matched by labels, not by letters', () => {
  const router = new Router(zones)
  assert.is(zoneOf(router, 'notcluster.local'), '.')
  assert.is(zoneOf(router, 'cluster.local.evil.example'), '.')
  assert.is(zoneOf(router, octets(13, 'cluster.local', 0)), '.')
  assert.is(zoneOf(router, octets(15, 'x.cluster.local', 0)), '.')
})

test('only the given length of the name is read', () => {
  const router = new Router(zones)
  const wire = octets(name('www.example'), name('cluster.local'))
  assert.is(router.route(wire, name('www.example').length).zone, '.')
})

test('routes without the root are refused', () => {
  assert.throws(() => new Router([zoneRoute('corp.example.')]), /root/)
})

test('zones carry their place in the configured order', () => {
  const router = new Router(zones)
  const indexes = zones.map(
    ({ name: wire }) => router.route(Buffer.from(wire), wire.length).zoneIndex,
  )
  assert.equal(indexes, [0, 1, 2])
})

test('a zone that stays keeps its identity and takes the new values', () => {
  const router = new Router(zones)
  const corp = router.route(name('corp.example'), name('corp.example').length)
  const generation = router.generation
  router.replace([zoneRoute('.'), zoneRoute('corp.example.', { group: 'other', trustAd: true })])
  assert.is(router.route(name('a.corp.example'), name('a.corp.example').length), corp)
  assert.equal([corp.group, corp.zoneIndex, corp.trustAd], ['other', 1, true])
  assert.is.not(router.generation, generation)
})

test('a zone that is gone says so, and its names go to the next longer one', () => {
  const router = new Router(zones)
  const corp = router.route(name('corp.example'), name('corp.example').length)
  router.replace([zoneRoute('.')])
  assert.is(corp.zoneIndex, -1)
  assert.is(zoneOf(router, 'www.corp.example'), '.')
})

test('the root keeps its identity through every reload', () => {
  const router = new Router(zones)
  const root = router.route(name('.'), 1)
  router.replace([zoneRoute('.', { group: 'new' })])
  assert.is(router.route(name('x.example'), name('x.example').length), root)
  assert.is(root.group, 'new')
})

test('random names and zones agree with a comparison label by label', () => {
  const labelList = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 })
  fc.assert(
    fc.property(
      fc.uniqueArray(labelList, { maxLength: 8, selector: String }),
      labelList,
      (zoneLabels, asked) => {
        const texts = zoneLabels
          .filter((labels) => labels.length > 0)
          .map((labels) => `${labels.join('.')}.`)
        const router = new Router([...texts, '.'].map((text) => zoneRoute(text)))
        const whole = `.${asked.join('.')}.`
        const wanted = texts
          .filter((text) => whole.endsWith(`.${text}`))
          .toSorted((a, b) => b.length - a.length)
        assert.is(zoneOf(router, asked.join('.')), wanted[0] ?? '.')
      },
    ),
    { numRuns: 2000 },
  )
})

test.run()
