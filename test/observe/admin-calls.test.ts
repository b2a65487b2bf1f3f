/** Goal: a body is read up to its bound and no further. Method: streams in place of requests. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errorPage, jsonPage, readBody } from '../../src/observe/admin-calls.ts'

const test = suite('observe/admin-calls')

function sending(...pieces: (Buffer | null)[]): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  for (const piece of pieces) request.push(piece)
  return request
}

test('a body comes whole, an empty one as well', async () => {
  const whole = await readBody(sending(Buffer.from('ab'), Buffer.from('c'), null), 3)
  assert.is(whole?.toString(), 'abc')
  assert.is((await readBody(sending(null), 0))?.length, 0)
})

test('a body that is too long, or cut off, is none', async () => {
  assert.is(await readBody(sending(Buffer.from('abcd'), null), 3), undefined)
  const cut = sending(Buffer.from('ab'))
  const reading = readBody(cut, 3)
  cut.destroy(new Error('gone'))
  assert.is(await reading, undefined)
})

test('pages of calls are JSON, mistakes have one line', () => {
  assert.is(jsonPage({ a: 1 }).body, '{"a":1}\n')
  assert.equal([errorPage(400, 'no').status, errorPage(400, 'no').body], [400, '{"error":"no"}\n'])
})

test.run()
