// Goal: an operator reads in one line which address could not be had and why. Method: errors as Node and systemError make them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatEndpoint } from '../../src/address/endpoint.ts'
import { BindError, countCode, errorCode } from '../../src/system/bind.ts'
import { systemError } from '../../src/system/system-error.ts'

const test = suite('system/bind')

const v4 = { address: '169.254.20.10', port: 53, family: 4 } as const
const v6 = { address: 'fd00::10', port: 53, family: 6 } as const

test('an IPv6 address stands in brackets before its port', () => {
  assert.equal([formatEndpoint(v4), formatEndpoint(v6)], ['169.254.20.10:53', '[fd00::10]:53'])
})

test('the usual reasons are told in words, with the name of errno behind them', () => {
  const messageOf = (errno: number) => new BindError('udp', v4, systemError('bind', errno)).message
  const at = 'cannot listen on udp 169.254.20.10:53'
  assert.is(messageOf(98), `${at}: another process has this port (EADDRINUSE)`)
  assert.is(
    messageOf(13),
    `${at}: not permitted; ports below 1024 need CAP_NET_BIND_SERVICE (EACCES)`,
  )
  assert.is(
    messageOf(99),
    `${at}: this address is not on any interface of the machine (EADDRNOTAVAIL)`,
  )
  assert.is(messageOf(97), `${at}: bind EAFNOSUPPORT (EAFNOSUPPORT)`)
})

test('what was thrown without a code is told as it is, and kept as the cause', () => {
  const error = new BindError('tcp', v6, 'odd')
  assert.is(error.message, 'cannot listen on tcp [fd00::10]:53: odd (UNKNOWN)')
  assert.equal([error.cause, error.transport, error.address], ['odd', 'tcp', v6])
})

test('the code of an error is its own, and of anything else unknown', () => {
  assert.is(errorCode(Object.assign(new Error('x'), { code: 'EPIPE' })), 'EPIPE')
  for (const odd of [new Error('x'), 'EPIPE', null, undefined]) assert.is(errorCode(odd), 'UNKNOWN')
})

test('codes are counted by their name', () => {
  const counts = new Map<string, number>()
  for (const code of ['EPIPE', 'ENOBUFS', 'EPIPE']) countCode(counts, code)
  assert.equal(
    [...counts],
    [
      ['EPIPE', 2],
      ['ENOBUFS', 1],
    ],
  )
})

test.run()
