/** Goal: nothing is sent where a reply does harm, and nobody else is refused (CVE-2024-2169, BIND's list of ports). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PortVerdict, SourceGuard } from '../../../src/core/question/source-guard.ts'

const test = suite('core/question/source-guard')

const guard = new SourceGuard([
  { address: '169.254.20.10', port: 53 },
  { address: '127.0.0.1', port: 5353 },
  { address: '10.96.0.10', port: 53 },
])

test('port 0, echo, discard, daytime, quote, chargen, time and kpasswd are refused', () => {
  for (const port of [0, 7, 9, 13, 17, 19, 37, 464]) {
    assert.is(guard.judgePort(port), PortVerdict.refused, `port ${port}`)
  }
})

test('all other ports are fine, but for 53 and those of our own servers', () => {
  const suspects: number[] = []
  let fine = 0
  for (let port = 0; port < 65_536; port++) {
    const verdict = guard.judgePort(port)
    if (verdict === PortVerdict.suspect) suspects.push(port)
    if (verdict === PortVerdict.fine) fine += 1
  }
  assert.equal(suspects, [53, 5353])
  assert.is(fine, 65_536 - 8 - 2)
})

test('what is no port is refused', () => {
  for (const port of [-1, 65_536, Number.NaN]) {
    assert.is(guard.judgePort(port), PortVerdict.refused)
  }
})

test('a server is known by address and port together', () => {
  assert.ok(guard.isKnownServer('10.96.0.10', 53))
  assert.ok(guard.isKnownServer('127.0.0.1', 5353))
  // A stub that sends from port 53 is a client like any other.
  assert.not(guard.isKnownServer('10.244.0.7', 53))
  assert.not(guard.isKnownServer('10.96.0.10', 5353))
})

test('a server on a refused port does not make the port answerable', () => {
  const odd = new SourceGuard([{ address: '127.0.0.1', port: 7 }])
  assert.is(odd.judgePort(7), PortVerdict.refused)
})

test.run()
