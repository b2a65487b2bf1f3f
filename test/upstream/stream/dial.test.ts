/*
 * Goal: a dial says when questions may be sent, hands on what comes, and its failure means what it should. Method: fake upstreams over
 * TCP and TLS, a port where nobody listens, and errors made by hand.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TlsFiles } from '../../../src/upstream/settings.ts'
import { type DialTerms, dial, dialFailure } from '../../../src/upstream/stream/dial.ts'
import { FakeUpstream } from '../fake-upstream.ts'
import { addressFor } from '../parts.ts'
import { addressOf, askFor } from '../support.ts'

const test = suite('upstream/stream/dial')

const certificates = join(import.meta.dirname, '../../fixtures/tls')
const tls = {
  key: readFileSync(join(certificates, 'key.pem'), 'utf8'),
  cert: readFileSync(join(certificates, 'cert.pem'), 'utf8'),
}

interface Dialled {
  readonly socket: Socket
  /** `connected`, `data`, or the failure. */
  readonly next: () => Promise<string>
  readonly received: Buffer[]
}

function dialTo(terms: DialTerms, tlsCa?: string): Dialled {
  const events: string[] = []
  const received: Buffer[] = []
  let wake = () => {}
  const push = (event: string) => {
    events.push(event)
    wake()
  }
  const socket = dial(terms, tlsCa, {
    onConnected: () => push('connected'),
    onData: (chunk) => {
      received.push(Buffer.from(chunk))
      push('data')
    },
  })
  socket.on('error', (error) => push(dialFailure(error, terms.target)))
  const next = async () => {
    if (events.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return events.shift() ?? ''
  }
  return { socket, next, received }
}

function framed(): Buffer {
  const { frame } = askFor('www.example')
  return Buffer.concat([Buffer.of(frame.length >> 8, frame.length & 0xff), frame])
}

for (const transport of ['tcp', 'tls'] as const) {
  test(`a ${transport} connection says that it is one, and hands on what comes`, async () => {
    const upstream = await FakeUpstream.start(undefined, transport === 'tls' ? { tls } : {})
    const target = addressOf(upstream, transport, transport === 'tls' ? 'dns.test' : undefined)
    const { socket, next, received } = dialTo({ target, tlsSession: undefined }, tls.cert)
    try {
      assert.is(await next(), 'connected')
      socket.write(framed())
      assert.is(await next(), 'data')
      assert.is(received[0]?.readUInt16BE(2), 0, 'the ID that was sent')
      assert.is((received[0]?.readUInt8(4) ?? 0) & 0x80, 0x80)
    } finally {
      socket.destroy()
      await upstream.stop()
    }
  })
}

test('a second TLS connection goes on with the session of the first', async () => {
  const upstream = await FakeUpstream.start(undefined, { tls })
  const terms: DialTerms = { target: addressOf(upstream, 'tls', 'dns.test'), tlsSession: undefined }
  const first = dialTo(terms, tls.cert)
  try {
    await first.next()
    first.socket.write(framed())
    await first.next()
    assert.ok(terms.tlsSession !== undefined)
    const second = dialTo(terms, tls.cert)
    assert.is(await second.next(), 'connected')
    assert.is((second.socket as Socket & { isSessionReused(): boolean }).isSessionReused(), true)
    second.socket.destroy()
  } finally {
    first.socket.destroy()
    await upstream.stop()
  }
})

test('where nobody listens it is refused', async () => {
  const upstream = await FakeUpstream.start()
  const target = addressOf(upstream, 'tcp')
  await upstream.stop()
  assert.is(await dialTo({ target, tlsSession: undefined }).next(), 'refused')
})

test('a certificate of another name, or of nobody, is a failure of TLS, before any question', async () => {
  const upstream = await FakeUpstream.start(undefined, { tls })
  try {
    for (const [tlsName, ca] of [
      ['other.test', tls.cert],
      ['dns.test', undefined],
      [undefined, tls.cert],
    ] as const) {
      const dialled = dialTo(
        { target: addressOf(upstream, 'tls', tlsName), tlsSession: undefined },
        ca,
      )
      assert.is(await dialled.next(), 'tls', `${tlsName}`)
      dialled.socket.destroy()
    }
    assert.is(upstream.queries.length, 0)
  } finally {
    await upstream.stop()
  }
})

test('files of a CA and of a certificate of our own are read for each connection', async () => {
  const upstream = await FakeUpstream.start(undefined, {
    tls: { ...tls, ca: tls.cert, requestCert: true },
  })
  const target = addressOf(upstream, 'tls', 'dns.test')
  const path = (name: string) => join(certificates, name)
  const [ca, key] = [path('cert.pem'), path('key.pem')]
  const outcome = async (files: TlsFiles) => {
    const dialled = dialTo({ target, tlsSession: undefined, settings: { tls: files } })
    const first = await dialled.next()
    if (first === 'connected') dialled.socket.write(framed())
    const end = first === 'connected' ? await dialled.next() : first
    dialled.socket.destroy()
    return end
  }
  try {
    assert.is(await outcome({ ca, certificate: ca, key }), 'data')
    // With TLS 1.3 a server refuses a client after its handshake.
    assert.is.not(await outcome({ ca, certificate: null, key: null }), 'data')
    assert.is(await outcome({ ca: path('none.pem'), certificate: null, key: null }), 'tls')
    assert.is(await outcome({ ca: null, certificate: ca, key }), 'tls', 'nobody has signed it')
  } finally {
    await upstream.stop()
  }
})

function errorOf(code: string, syscall: string | undefined): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, ...(syscall === undefined ? {} : { syscall }) })
}

const failures: readonly (readonly [string, string | undefined, string, string])[] = [
  ['ECONNREFUSED', 'connect', 'refused', 'refused'],
  ['EHOSTUNREACH', 'connect', 'unreachable', 'unreachable'],
  ['ETIMEDOUT', 'connect', 'connect-timeout', 'connect-timeout'],
  ['EMFILE', 'connect', 'overloaded', 'overloaded'],
  ['EMFILE', undefined, 'overloaded', 'overloaded'],
  ['ECONNRESET', 'read', 'unreachable', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', undefined, 'unreachable', 'tls'],
  ['ECONNREFUSED', 'read', 'refused', 'tls'],
]

for (const [code, syscall, overTcp, overTls] of failures) {
  test(`${code} of ${syscall ?? 'nothing'} is ${overTcp} over TCP and ${overTls} over TLS`, () => {
    const error = errorOf(code, syscall)
    assert.is(dialFailure(error, addressFor('tcp')), overTcp)
    assert.is(dialFailure(error, addressFor('tls')), overTls)
  })
}

test.run()
