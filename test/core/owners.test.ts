/** Goal: each name has one owner, a group or a stage of our own, and what nobody claims is left to the resolvers outside. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Owners } from '../../src/core/owners.ts'
import { Router } from '../../src/core/router.ts'
import type { Stage } from '../../src/core/stages/stage.ts'
import { isAtOrBelow } from '../../src/wire/name.ts'
import { name } from '../fixtures/packets/octets.ts'
import { zoneRoute, zones } from './support.ts'

const test = suite('core/owners')

const localhost = name('localhost')
const here: Stage = {
  name: 'here',
  judge: () => undefined,
  commit: () => false,
  foretell: () => ({ kind: 'pass', why: '' }),
  claims: (of, bytes) => isAtOrBelow(of, bytes, localhost, localhost.length),
}

const rows = [
  ['cluster', 'a.cluster.local', false, false],
  ['cluster', '1.0.0.10.in-addr.arpa', false, false],
  ['cluster', 'a.corp.example', true, true],
  ['cluster', 'www.example', true, false],
  ['cluster', 'a.localhost', true, true],
  ['corp', 'a.cluster.local', true, true],
  ['corp', 'corp.example', false, false],
  ['corp', 'notcorp.example', true, false],
  ['external', 'www.example', false, false],
  ['external', 'x.corp.example', true, true],
  ['external', '1.0.0.10.in-addr.arpa', true, true],
  ['external', 'localhost', true, true],
] as const

for (const [asked, text, isForeign, isClaimed] of rows) {
  test(`to ${asked}, ${text} is ${isForeign ? 'foreign' : 'its own'}`, () => {
    const reverse = zoneRoute('in-addr.arpa.', { group: 'cluster', isCluster: true })
    const owners = new Owners({ router: new Router([...zones, reverse]), local: [here] })
    const wire = Buffer.from(name(text))
    assert.equal(
      [owners.isForeign(wire, wire.length, asked), owners.isClaimed(wire, wire.length, asked)],
      [isForeign, isClaimed],
    )
  })
}

test('a name that nobody is asked about is left to whoever tells an alias to it', () => {
  const unserved = zoneRoute('corp.example.', { group: 'corp', isUnserved: true })
  const all = [...zones.filter(({ group }) => group !== 'corp'), unserved]
  const owners = new Owners({ router: new Router(all), local: [here] })
  const wire = Buffer.from(name('www.corp.example'))
  const both = [owners.isForeign, owners.isClaimed]
  assert.equal(
    both.map((isOf) => isOf(wire, wire.length, 'external')),
    [false, false],
  )
})

test.run()
