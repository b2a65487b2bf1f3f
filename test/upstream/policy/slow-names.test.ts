/** Goal: a slow name is known after one answer, its parent and type after some, and quick answers clear them. Method: given answers, a table of one entry. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SlowNames } from '../../../src/upstream/policy/slow-names.ts'
import { askFor } from '../support.ts'

const test = suite('upstream/policy/slow-names')

function cluster(name: string) {
  return askFor(name, 'test', { mayRecurse: false })
}

test('nothing is slow at first, and a quick answer is not remembered', () => {
  const names = new SlowNames(64)
  names.note(askFor('a.example'), false)
  assert.is(names.isSlow(askFor('a.example')), false)
})

test('one slow answer marks a name, for every type, and two quick ones in a row clear it', () => {
  const names = new SlowNames(1024)
  const name = cluster('outside.default.svc.cluster.local')
  names.note(name, true)
  assert.is(names.isSlow(name), true)
  assert.is(names.isSlow(cluster('inside.default.svc.cluster.local')), false)
  const aaaa = { ...name, frame: Buffer.from(name.frame) }
  aaaa.frame[name.questionEnd - 3] = 28
  assert.is(names.isSlow(aaaa), true)
  names.note(name, false)
  assert.is(names.isSlow(name), true)
  names.note(name, false)
  assert.is(names.isSlow(name), false)
})

test('two slow names mark their parent, and it is clear again when most below it are quick', () => {
  const names = new SlowNames(1024)
  names.note(cluster('a.ns.svc.cluster.local'), true)
  assert.is(names.isSlow(cluster('new.ns.svc.cluster.local')), false)
  names.note(cluster('b.ns.svc.cluster.local'), true)
  assert.is(names.isSlow(cluster('new.ns.svc.cluster.local')), true)
  assert.is(names.isSlow(cluster('new.other.svc.cluster.local')), false)
  names.note(cluster('c.ns.svc.cluster.local'), false)
  assert.is(names.isSlow(cluster('new.ns.svc.cluster.local')), false)
})

test('a type is marked for names that the server asks others for, and for no cluster name', () => {
  const names = new SlowNames(1024)
  for (let i = 0; i < 8; i++) names.note(askFor(`a.zone${i}.example`), true)
  assert.is(names.isSlow(askFor('new.elsewhere.test')), true)
  assert.is(names.isSlow(cluster('new.elsewhere.test')), false)
})

test('a full table forgets, and the root is no trouble', () => {
  const names = new SlowNames(1)
  names.note(cluster('a.example'), true)
  names.note(cluster('b.test'), true)
  assert.is(names.isSlow(cluster('a.example')), false)
  const root = {
    frame: Buffer.from([...Buffer.alloc(12), 0, 0, 2, 0, 1]),
    questionEnd: 17,
    mayRecurse: true,
  }
  names.note(root, true)
  assert.type(names.isSlow(root), 'boolean')
})

test.run()
