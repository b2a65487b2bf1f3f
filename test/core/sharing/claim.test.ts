/** Goal: a question counts for its client and for the domains of its name, told apart below its zone. Method: claims of names compared. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { claimFor, clientIn, groupHolder, ourselves } from '../../../src/core/sharing/claim.ts'
import { writeQuery } from '../../support/client/dns-message.ts'

const test = suite('core/sharing/claim')

const claimOf = (name: string, client = '10.0.0.1', zoneLabels = 0) =>
  claimFor(client, writeQuery(name, 'A'), zoneLabels)
const keysOf = (name: string, zoneLabels = 0) =>
  claimOf(name, '10.0.0.1', zoneLabels)
    .slice(1)
    .map(({ key }) => key)

test('the first holder is the client, by its whole address', () => {
  const claim = claimOf('a.example')
  const [v4] = claim
  assert.equal(
    [v4?.by, v4?.client, v4?.weight, clientIn(claim)],
    ['client', '10.0.0.1', 1, '10.0.0.1'],
  )
  assert.is(v4?.key, claimOf('b.example')[0]?.key)
  const [one] = claimOf('a.example', 'fd00:10:244:1::2')
  const [two] = claimOf('a.example', 'fd00:10:244:1::3')
  assert.is.not(one?.key, two?.key, 'pods of one node are in one /64')
})

test('a question of our own has a share of our own', () => {
  const claim = claimOf('a.example', '')
  assert.equal([claim[0], clientIn(claim)], [ourselves, ''])
})

test('outside names share from the second label on, at most three levels, each with half the weight', () => {
  const claim = claimOf('a.b.c.d.example.com')
  assert.equal(
    claim.slice(1).map(({ by, weight }) => [by, weight]),
    [
      ['domain', 1 / 2],
      ['domain', 1 / 4],
      ['domain', 1 / 8],
    ],
  )
  assert.equal(keysOf('x.b.c.d.example.com'), keysOf('a.b.c.d.example.com'))
})

test('names have in common what their domains have', () => {
  const [wide, middle, narrow] = keysOf('a.b.example.com')
  const other = keysOf('z.b.example.com')
  assert.equal(other.slice(0, 2), [wide, middle])
  assert.is.not(other[2], narrow)
  assert.is(keysOf('z.example.com')[0], wide)
  assert.is.not(keysOf('b.example.org')[0], wide)
  // The same label at another level is another domain.
  assert.not(keysOf('b.b.example.com').includes(keysOf('b.example.com')[0] ?? 0) === false)
})

test('below a zone the first label of its own tells domains apart', () => {
  assert.equal(keysOf('db.corp.example', 2).length, 1)
  assert.is.not(keysOf('a.corp.example', 2)[0], keysOf('b.corp.example', 2)[0])
  assert.is(keysOf('x.a.corp.example', 2)[0], keysOf('a.corp.example', 2)[0])
})

test('a name that is no longer than its zone, the root and a top-level domain have no domain', () => {
  assert.equal([keysOf('.'), keysOf('com'), keysOf('corp.example', 2)], [[], [], []])
})

test('the longest name there is has three domains', () => {
  const longest = Array.from({ length: 127 }, () => 'a').join('.')
  assert.is(keysOf(longest).length, 3)
})

test('a group is the same holder each time, and no client', () => {
  const [one, other] = [groupHolder('cluster'), groupHolder('external')]
  assert.equal([one.by, one.weight, one.key], ['group', 2, groupHolder('cluster').key])
  assert.is.not(one.key, other.key)
  assert.is.not(one.key, claimOf('a.example', 'cluster')[0]?.key)
})

test.run()
