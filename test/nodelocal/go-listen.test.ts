// Goal: addresses of net.Listen are understood. Method: one case for each form.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseGoListen } from '../../src/nodelocal/go-listen.ts'

const test = suite('nodelocal/go-listen')

function read(text: string): string {
  const parsed = parseGoListen(text)
  if (!parsed.ok) return parsed.why
  const { address, port, all } = parsed.value
  return `${address} ${port}${all ? ' all' : ''}`
}

test('an address with port, a port alone, and localhost', () => {
  assert.is(read('0.0.0.0:9353'), '0.0.0.0 9353')
  assert.is(read('127.0.0.1:9353'), '127.0.0.1 9353')
  assert.is(read('[fd00::1]:9353'), 'fd00::1 9353')
  assert.is(read(':9353'), ':: 9353 all')
  assert.is(read('localhost:9353'), '127.0.0.1 9353')
})

test('what is no address is refused with the reason', () => {
  assert.match(read('9353'), /9353/)
  assert.match(read('node:9353'), /node/)
  assert.match(read(':http'), /port "http"/)
  assert.match(read('10.0.0.1'), /has no port/)
})

test.run()
