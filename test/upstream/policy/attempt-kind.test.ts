/*
 * Goal: what is sent beside another packet leaves that its time, and some kinds cost a question none of its packets. Method: every kind.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type AttemptKind,
  isBeside,
  isExtra,
  isTcpBeside,
} from '../../../src/upstream/policy/attempt-kind.ts'

const test = suite('upstream/policy/attempt-kind')

const kinds: readonly AttemptKind[] = [
  'first',
  'hedge',
  'failover',
  'replay',
  'overtake',
  'tcp',
  'detour',
  'appeal',
  'revival',
  'plain',
  'trial',
]

test('packets beside another, those over TCP, and those that count nothing', () => {
  assert.equal(kinds.filter(isBeside), [
    'hedge',
    'replay',
    'overtake',
    'detour',
    'appeal',
    'revival',
  ])
  assert.equal(kinds.filter(isTcpBeside), ['detour', 'appeal'])
  assert.equal(kinds.filter(isExtra), ['overtake', 'appeal', 'revival'])
})

test.run()
