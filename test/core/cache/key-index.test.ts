/** Goal: a key finds its value and no other, however it is looked up. Method: beside a Map of strings, and with hashes that collide. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nameIn, QuestionKey } from '../../../src/core/cache/key.ts'
import { hashOf, hashOfKey } from '../../../src/core/cache/key-bytes.ts'
import { KeyIndex } from '../../../src/core/cache/key-index.ts'
import { CacheMemory } from '../../../src/core/cache/memory.ts'
import { Storable } from '../../../src/core/cache/queue.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { header, name, octets, question } from '../../fixtures/packets/octets.ts'

const test = suite('core/cache/key-index')

class Value extends Storable {
  constructor(key: string, nameHash: number) {
    super(key, nameHash, 1, false)
  }
}

const memory = new CacheMemory()

function stored(key: string, nameHash = hashOf(nameIn(key))): Value {
  const value = new Value(key, nameHash)
  value.settle(memory)
  return value
}

const keys = new QuestionKey()

function read(qname: Uint8Array, type: number, flags = 0x0100): QuestionKey {
  const query = octets(header({ id: 1, flags, counts: [1, 0, 0, 0] }), question(qname, type))
  const into = new Question()
  readQuestion(query, query.length, into)
  keys.read(query, into)
  return keys
}

const manyNames = Array.from({ length: 3000 }, (_, i) => name(`n${i}.example`))

test('octets and string lead to the same value, among thousands of names and types', () => {
  const index = new KeyIndex<Value>()
  for (const qname of manyNames)
    for (const type of [1, 28]) index.add(stored(read(qname, type).text()))
  assert.is(index.size, 6000)
  for (const qname of manyNames) {
    for (const type of [1, 28]) {
      const text = read(qname, type).text()
      assert.is(index.find(keys)?.key, text)
      assert.is(index.findText(text, keys.nameHash), index.find(keys))
    }
    assert.is(index.find(read(qname, 65)), undefined)
    assert.is(index.find(read(qname, 1, 0x0110)), undefined)
  }
})

test('hashes of strings are those of octets', () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 63 })
  fc.assert(
    fc.property(fc.array(label, { maxLength: 3 }), fc.nat(65_535), (labels, type) => {
      const text = read(octets(...labels.map((each) => [each.length, each]), 0), type).text()
      assert.is(hashOf(nameIn(text)), keys.nameHash)
      assert.is(hashOfKey(text, keys.nameHash), keys.hash)
    }),
  )
})

test('values whose hashes are the same are told apart, and can go in any order', () => {
  const colliding = manyNames.slice(0, 40)
  const nameHash = 4711
  const found = (index: KeyIndex<Value>, qname: Uint8Array) => {
    const text = read(qname, 1).text()
    keys.hash = hashOfKey(text, nameHash)
    const value = index.find(keys)
    assert.is(index.findText(text, nameHash), value)
    return value
  }
  fc.assert(
    fc.property(fc.shuffledSubarray(colliding, { minLength: 40 }), (leaving) => {
      const index = new KeyIndex<Value>()
      for (const qname of colliding) index.add(stored(read(qname, 1).text(), nameHash))
      const gone = new Set<Uint8Array>()
      for (const qname of leaving) {
        const value = found(index, qname)
        assert.is(value?.key, read(qname, 1).text())
        index.remove(value as Value)
        gone.add(qname)
        for (const each of colliding) assert.is(found(index, each) === undefined, gone.has(each))
      }
      assert.is(index.size, 0)
    }),
    { numRuns: 20 },
  )
})

test.run()
