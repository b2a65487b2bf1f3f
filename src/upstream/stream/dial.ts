/**
 * Opens a TCP or TLS socket to an upstream, and maps a failed dial to the failure of its questions. TLS is always verified: by
 * the name in the configuration, or otherwise by the IP address (RFC 8310 6, strict privacy). Keeps no socket.
 */
import { readFileSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { withZoneName } from '../../platform/zone-name.ts'
import type { AttemptFailure } from '../counters.ts'
import type { StreamSettings, TlsFiles, UpstreamAddress } from '../settings.ts'
import { failureOf } from '../socket-failure.ts'

export interface DialTerms {
  readonly target: UpstreamAddress
  /** From the last connection: saves a round trip and a signature. */
  tlsSession: Buffer | undefined
  readonly settings?: Pick<StreamSettings, 'tls'>
}

export interface DialEvents {
  /** Called after the handshake, when questions may be sent. */
  onConnected(): void
  /** @param chunk only valid during the call */
  onData(chunk: Buffer): void
}

/**
 * All TCP connections are read into this buffer, which is valid for one call: a new buffer for each chunk, as streams make them,
 * is a fifth of the cost of a miss. TLS has to be read as a stream.
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
  const { port } = target
  const host = withZoneName(target.address)
  if (target.transport !== 'tls') {
    const onread = { buffer: sharedInput, callback: onInput(events) }
    const socket = connect({ host, port, noDelay: true, onread })
    socket.once('connect', () => events.onConnected())
    return socket
  }
  const files = readTlsFiles(terms.settings?.tls)
  // As any other failed dial, in a later turn.
  if (files instanceof Error) return new Socket().destroy(files)
  // Loaded on first use: 3 ms and 1.5 MB that a daemon without TLS upstreams saves (docs/decisions/0022).
  const socket = process.getBuiltinModule('node:tls').connect({
    host,
    port,
    minVersion: 'TLSv1.2',
    // Without a name the certificate must carry the IP address, and no SNI is sent (RFC 6066 3).
    ...(target.tlsName === undefined ? {} : { servername: target.tlsName }),
    ...(tlsCa === undefined ? {} : { ca: tlsCa }),
    ...files,
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

/** Read for each connection, which is seldom, so that renewed files count. */
function readTlsFiles(files: TlsFiles | undefined): Error | Record<string, Buffer> {
  const { ca, certificate, key } = files ?? {}
  try {
    return {
      ...(ca && { ca: readFileSync(ca) }),
      ...(certificate && key && { cert: readFileSync(certificate), key: readFileSync(key) }),
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** What the error of a socket that never connected means for the questions that wait for it. */
export function dialFailure(error: NodeJS.ErrnoException, target: UpstreamAddress): AttemptFailure {
  const why = failureOf(error)
  const isHandshake = target.transport === 'tls' && error.syscall !== 'connect'
  return isHandshake && why !== 'overloaded' ? 'tls' : why
}
