/** Goal: each state of answer mode has words for people, and those that only a configuration ends are told apart. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerStates,
  isOffForGood,
  stateTexts,
} from '../../../../src/core/search/answer-mode/state.ts'

const test = suite('core/search/answer-mode/state')

test('no two states are told in the same words', () => {
  const texts = answerStates.map((state) => stateTexts[state])
  assert.is(new Set(texts).size, answerStates.length)
  assert.ok(texts.every((text) => text !== ''))
})

test('caution and a wrong denial are for good; what CoreDNS may still show is not', () => {
  assert.equal(answerStates.filter(isOffForGood), ['cautious', 'stopped'])
})

test.run()
