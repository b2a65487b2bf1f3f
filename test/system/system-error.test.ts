// Goal: a failed call has errno's name, as Node's own errors have it. Method: the numbers of Linux.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errorCode } from '../../src/system/bind.ts'
import { systemError, UnsupportedPlatform } from '../../src/system/system-error.ts'

const test = suite('system/system-error')

test('an error number is told by its name, in the message and as the code', () => {
  const error = systemError('sendmsg', 32)
  assert.equal([error.message, errorCode(error)], ['sendmsg EPIPE', 'EPIPE'])
})

test('a number that no kernel has does not throw another error', () => {
  assert.match(systemError('bind', 4000).message, /^bind /)
})

test('UnsupportedPlatform names what is missing and keeps the cause', () => {
  const cause = new Error('dlopen')
  const error = new UnsupportedPlatform('library', 'koffi does not load: dlopen', { cause })
  assert.instance(error, Error)
  assert.equal([error.name, error.missing, error.cause], ['UnsupportedPlatform', 'library', cause])
})

test.run()
