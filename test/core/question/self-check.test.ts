/** Goal: a check is answered so that only neardns can have done it, and says who. Method: packets; random ones for what is no proof. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerSelfCheck,
  identityBytes,
  isCheckOf,
  isSelfCheck,
  judgeSelfAnswer,
  nonceBytes,
  selfCheck,
} from '../../../src/core/question/self-check.ts'
import { Question, readQuestion, Verdict } from '../../../src/wire/question.ts'

const test = suite('core/question/self-check')

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => Buffer.from(digits.join('')))
const id = fc.nat(65_535)

function answered(query: Uint8Array, identity: Uint8Array): Buffer {
  const out = Buffer.alloc(512, 0xff)
  return out.subarray(0, answerSelfCheck(query, identity, out))
}

test('a check is a whole query of class CH, which this pipeline refuses to others', () => {
  const query = selfCheck(513, Buffer.alloc(identityBytes, 'a'), Buffer.alloc(nonceBytes, 'b'))
  const question = new Question()
  assert.is(readQuestion(query, query.length, question), Verdict.refused)
  assert.equal([question.id, question.qtype, question.qclass], [513, 16, 3])
  assert.is(question.recursionDesired, false)
  assert.is(question.questionEnd, query.length)
})

test('its answer proves itself, and whose it is', () => {
  fc.assert(
    fc.property(
      id,
      hex(identityBytes),
      hex(identityBytes),
      hex(nonceBytes),
      (n, one, two, nonce) => {
        fc.pre(!one.equals(two) && !Buffer.from(nonce).reverse().equals(nonce))
        const query = selfCheck(n, one, nonce)
        assert.ok(isSelfCheck(query, query.length) && isCheckOf(query, one))
        assert.not(isCheckOf(query, two))
        assert.is(judgeSelfAnswer(answered(query, one), query, one), 'ours')
        assert.is(judgeSelfAnswer(answered(query, two), query, one), 'another')
      },
    ),
  )
})

test('what other servers make of the question is no proof: its echo, any flags, a cut, another answer’s bytes', () => {
  fc.assert(
    fc.property(
      id,
      hex(identityBytes),
      hex(nonceBytes),
      fc.nat(65_535),
      (n, identity, nonce, flags) => {
        fc.pre(!Buffer.from(nonce).reverse().equals(nonce))
        const query = selfCheck(n, identity, nonce)
        const echo = Buffer.from(query)
        echo.writeUInt16BE(flags, 2)
        assert.is(judgeSelfAnswer(echo, query, identity), 'none')
        const right = answered(query, identity)
        for (let length = 0; length < right.length; length++) {
          assert.is(judgeSelfAnswer(right.subarray(0, length), query, identity), 'none')
        }
        const otherId = selfCheck(n ^ 1, identity, nonce)
        assert.is(judgeSelfAnswer(right, otherId, identity), 'none')
      },
    ),
  )
})

test('a process without identity knows no check as its own', () => {
  const query = selfCheck(1, Buffer.alloc(identityBytes, 'a'), Buffer.alloc(nonceBytes, 'b'))
  assert.not(isCheckOf(query, new Uint8Array(0)))
})

test.run()
