// Goal: equal questions have equal keys, and others have not. Method: queries of the tests' own writer.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keyText, nameOf, questionKey, typeOf, withType } from '../../src/rehearsal/pod-query.ts'
import { writeQuery } from '../support/client/dns-message.ts'

const test = suite('rehearsal/pod-query')

const plain = questionKey(writeQuery('www.example.com', 'A'))

test('letters in capitals, the ID and the EDNS size make no other question', () => {
  assert.is(questionKey(writeQuery('WWW.example.COM', 'A', { ednsBytes: 4096 })), plain)
})

test('type, name, DO and CD do', () => {
  const others = [
    writeQuery('www.example.com', 'AAAA'),
    writeQuery('ww.example.com', 'A'),
    writeQuery('www.example.com', 'A', { ednsBytes: 1232, do: true }),
    writeQuery('www.example.com', 'A', { cd: true }),
  ].map(questionKey)
  assert.is(new Set([plain, ...others]).size, 5)
})

test('a key has the name, and can have another type', () => {
  const key = questionKey(writeQuery('a.b', 'AAAA', { cd: true })) ?? ''
  assert.equal([nameOf(key), typeOf(key)], ['\u0001a\u0001b\u0000', 28])
  assert.is(withType(key, 1), questionKey(writeQuery('a.b', 'A', { cd: true })))
})

test('what is no question that can be resolved has no key', () => {
  const chaos = writeQuery('version.bind', 'TXT')
  chaos.writeUInt16BE(3, chaos.length - 2)
  const odd = [chaos, writeQuery('a', 'AXFR'), Buffer.alloc(12), Buffer.alloc(3)]
  for (const query of odd) assert.is(questionKey(query), undefined)
})

test('the key of a question of the instance is that of the pod', () => {
  const query = writeQuery('www.example.com', 'A')
  assert.is(keyText(query, query.length, false), plain)
})

test.run()
