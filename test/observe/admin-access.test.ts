/** Goal: over HTTP a token opens the pages that tell names, and nothing else does. Method: requests as values. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isAllowedHost, tokenAccess } from '../../src/observe/admin-access.ts'

const test = suite('observe/admin-access')

function requestWith(authorization: string | undefined): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  if (authorization !== undefined) request.headers.authorization = authorization
  return request
}

test('the right token is let in, and is never root', () => {
  const access = tokenAccess(() => 's3cret')
  assert.equal(access(requestWith('Bearer s3cret')), { ok: true, isRoot: false })
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer s3cre',
    'Bearer s3cret!',
    's3cret',
  ])
    assert.is(access(requestWith(wrong)).ok, false, String(wrong))
})

test('without a token in the file nobody is let in, and the refusal says what would be', () => {
  const access = tokenAccess(() => undefined)
  for (const tried of [undefined, 'Bearer undefined', 'Bearer '])
    assert.is(access(requestWith(tried)).ok, false, String(tried))
  const refusal = access(requestWith(undefined))
  assert.match(refusal.ok ? '' : refusal.why, /admin\.socket .* admin\.tokenFile/)
})

test('a token that is not the right one is said to be the trouble', () => {
  const refusal = tokenAccess(() => 's3cret')(requestWith('Bearer other'))
  assert.match(refusal.ok ? '' : refusal.why, /^This token opens nothing here: .* admin\.tokenFile/)
})

test('a name is answered when the operator allows it, in any case, with port and final dot', () => {
  const allowed = ['node-1.example.com']
  for (const host of [
    'node-1.example.com',
    'Node-1.example.com:9253',
    'node-1.example.com.',
    '10.0.0.1',
    'localhost',
  ]) {
    assert.is(isAllowedHost([host], allowed), true, host)
  }
  for (const host of ['node-2.example.com', 'x.node-1.example.com', '']) {
    assert.is(isAllowedHost([host], allowed), false, host)
  }
})

test.run()
