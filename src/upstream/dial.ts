/**
 * Opens a TCP or TLS socket to an upstream, and says what it means when that fails. TLS is verified always: by the name
 * in the configuration, or else by the IP address (RFC 8310 6, strict privacy). Keeps no socket.
 */
import { connect, type Socket } from 'node:net'
import { failureOf } from './attempt.ts'
import type { AttemptFailure } from './counters.ts'
import type { UpstreamAddress } from './settings.ts'

export interface DialTerms {
  readonly target: UpstreamAddress
  /** From the last connection: saves a round trip and a signature. */
  tlsSession: Buffer | undefined
}

export interface DialEvents {
  /** Called once questions may be sent, after the handshake. */
  onConnected(): void
  /** @param chunk only valid during the call */
  onData(chunk: Buffer): void
}

/**
 * All TCP connections are read into this one, each for the length of a call: a buffer for each chunk, as streams make them, is a
 * fifth of a miss. TLS has to be read as a stream.
 */
const sharedInput = Buffer.allocUnsafeSlow(65_536)

function onInput(events: DialEvents): (bytes: number, input: Uint8Array) => boolean {
  return (bytes) => {
    events.onData(sharedInput.subarray(0, bytes))
    return true
  }
}

/**
 * @param tlsCa PEM, instead of the certificates that Node trusts
 */
export function dial(terms: DialTerms, tlsCa: string | undefined, events: DialEvents): Socket {
  const { target } = terms
  if (target.transport !== 'tls') {
    const { address: host, port } = target
    const onread = { buffer: sharedInput, callback: onInput(events) }
    const socket = connect({ host, port, noDelay: true, onread })
    socket.once('connect', () => events.onConnected())
    return socket
  }
  // Loaded when first needed: 3 ms and 1.5 MB that a daemon without such upstreams does without (docs/decisions/0022).
  const socket = process.getBuiltinModule('node:tls').connect({
    host: target.address,
    port: target.port,
    minVersion: 'TLSv1.2',
    // Without a name the certificate must carry the IP address, and no SNI is sent (RFC 6066 3).
    ...(target.tlsName === undefined ? {} : { servername: target.tlsName }),
    ...(tlsCa === undefined ? {} : { ca: tlsCa }),
    ...(terms.tlsSession === undefined ? {} : { session: terms.tlsSession }),
  })
  socket.setNoDelay(true)
  socket.once('secureConnect', () => events.onConnected())
  socket.on('data', (chunk: Buffer) => events.onData(chunk))
  socket.on('session', (session) => {
    terms.tlsSession = session
  })
  return socket
}

/** What the error of a socket that never became a connection means for the questions that wait for it. */
export function dialFailure(error: NodeJS.ErrnoException, target: UpstreamAddress): AttemptFailure {
  const why = failureOf(error)
  const isHandshake = target.transport === 'tls' && error.syscall !== 'connect'
  return isHandshake && why !== 'overloaded' ? 'tls' : why
}
