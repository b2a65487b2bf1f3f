/** Goal: an answer that was asked for before a flush that means it is recognised, and no other. Method: flushes and answers in turn. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FlushLog } from '../../../src/core/cache/flush-log.ts'
import type { Selection } from '../../../src/core/cache/selection.ts'
import { name } from '../../fixtures/packets/octets.ts'

const test = suite('core/cache/flush-log')

const selection = (text: string): Selection => ({
  name: name(text).toString('latin1'),
  hasSubtree: false,
  qtype: undefined,
  isNegativeOnly: false,
})

const answerTo = (text: string) => ({
  key: `${name(text).toString('latin1')}\0\x01\0\x01\0`,
  isDenial: false,
  image: Buffer.alloc(0),
})

test('only flushes since the question was asked count, and only those that mean it', () => {
  const log = new FlushLog()
  log.note(selection('a.example'))
  const asked = log.count
  assert.not(log.covers(asked, answerTo('a.example')))
  log.note(selection('b.example'))
  assert.ok(log.covers(asked, answerTo('b.example')))
  assert.not(log.covers(asked, answerTo('a.example')))
  assert.ok(log.covers(asked - 1, answerTo('a.example')))
})

test('what is older than all that is remembered counts as flushed', () => {
  const log = new FlushLog()
  const asked = log.count
  for (let i = 0; i < 32; i++) log.note(selection('b.example'))
  assert.not(log.covers(asked, answerTo('a.example')))
  log.note(selection('b.example'))
  assert.ok(log.covers(asked, answerTo('a.example')))
})

test.run()
