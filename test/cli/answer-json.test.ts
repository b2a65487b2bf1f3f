// Goal: a reply is the same data for programs as it is text for people. Method: a message that the codec made.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerJson } from '../../src/cli/answer-json.ts'
import { decodeMessage } from '../../src/wire/message.ts'

const test = suite('cli/answer-json')

test('code, flags, question, records and extended errors are there', () => {
  const name = '03777777076578616d706c6500'
  const hex = `1234818000010001000000${'01'}${name}00010001${name}0001000100000005${'0004'}c0000201${'00'}002904d000000000${'0009'}${'000f0005'}0003${'6f6c64'}`
  const decoded = decodeMessage(Buffer.from(hex, 'hex'))
  assert.ok(decoded.ok)
  assert.equal(answerJson(decoded.message), {
    rcode: 'NOERROR',
    flags: ['qr', 'rd', 'ra'],
    questions: [{ name: 'www.example.', type: 'A' }],
    answer: ['www.example.  5  IN  A  192.0.2.1'],
    authority: [],
    additional: [],
    extendedErrors: [{ code: 3, text: 'old' }],
  })
})

test.run()
