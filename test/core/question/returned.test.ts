/** Goal: a question of ours that comes back is known by its letters, and nobody else's is taken for one. Method: letters by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Ask } from '../../../src/core/ports.ts'
import { isReturned } from '../../../src/core/question/returned.ts'
import { claimFor } from '../../../src/core/sharing/claim.ts'
import { writeQuery } from '../../support/client/dns-message.ts'

const test = suite('core/question/returned')

const asked = writeQuery('www.shop.example', 'A')
const ask: Ask = {
  frame: asked,
  questionEnd: asked.length,
  group: 'external',
  mayRecurse: true,
  claim: claimFor('', asked, 0),
}
const challenge = writeQuery('wWw.shOp.eXamPlE', 'A')

test('the very letters are ours, whatever ID and options they come with', () => {
  const back = writeQuery('wWw.shOp.eXamPlE', 'A', { id: 4711, ednsBytes: 4096, cd: true })
  assert.is(isReturned(back, { ...ask, challenge }), true)
})

test('other letters of the same name are a client’s', () => {
  for (const name of [
    'www.shop.example',
    'WWW.SHOP.EXAMPLE',
    'wWw.shOp.eXamPle',
    'WWw.shOp.eXamPlE',
  ])
    assert.is(isReturned(writeQuery(name, 'A'), { ...ask, challenge }), false, name)
})

test('nothing comes back that was not sent in letters of its own', () => {
  assert.is(isReturned(asked, ask), false)
  assert.is(isReturned(challenge, ask), false)
})

test.run()
