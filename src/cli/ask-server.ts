/** Sends one query to one server, over UDP or TCP, for people at a terminal. The daemon asks its upstreams by other code. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { withZoneName } from '../platform/zone-name.ts'
import { FrameReader, putFrame } from '../wire/framing.ts'

export type Reply =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly why: string }

/** The ID (RFC 1035 4.1.1) distinguishes our reply from a late one. */
function isReplyTo(query: Buffer, bytes: Buffer): boolean {
  return bytes.length >= 12 && bytes.readUInt16BE(0) === query.readUInt16BE(0)
}

/** Sends one datagram and waits for its reply. */
export function askUdp(query: Buffer, server: Endpoint, timeoutMs: number): Promise<Reply> {
  const socket = createSocket(server.family === 6 ? 'udp6' : 'udp4')
  return new Promise<Reply>((resolve) => {
    const finish = once(resolve, () => {
      socket.close()
    })
    const timer = setTimeout(() => finish(silent(server, 'UDP', timeoutMs)), timeoutMs)
    socket.once('close', () => clearTimeout(timer))
    socket.on('error', (error) => finish(refused(server, 'UDP', error)))
    socket.on('message', (bytes) => {
      if (isReplyTo(query, bytes)) finish({ ok: true, bytes })
    })
    // Connected, so that a closed port is reported (ICMP) and packets of other senders are dropped.
    socket.once('connect', () => socket.send(query))
    socket.connect(server.port, withZoneName(server.address))
  })
}

/** Opens a connection for one question. */
export function askTcp(query: Buffer, server: Endpoint, timeoutMs: number): Promise<Reply> {
  const socket = connect({ host: withZoneName(server.address), port: server.port })
  const reader = new FrameReader()
  return new Promise<Reply>((resolve) => {
    const finish = once(resolve, () => socket.destroy())
    const timer = setTimeout(() => finish(silent(server, 'TCP', timeoutMs)), timeoutMs)
    socket.once('close', () => clearTimeout(timer))
    socket.on('error', (error) => finish(refused(server, 'TCP', error)))
    socket.on('end', () =>
      finish({ ok: false, why: `${formatEndpoint(server)} closed the connection without a reply` }),
    )
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) {
        if (isReplyTo(query, bytes)) finish({ ok: true, bytes: Buffer.from(bytes) })
      }
    })
    const frame = Buffer.alloc(query.length + 2)
    putFrame(frame, 0, query, query.length)
    socket.write(frame)
  })
}

/** The first result counts; later ones, after the socket is closed, do not. */
function once(resolve: (reply: Reply) => void, close: () => void): (reply: Reply) => void {
  let isDone = false
  return (reply) => {
    if (isDone) return
    isDone = true
    close()
    resolve(reply)
  }
}

function silent(server: Endpoint, transport: string, timeoutMs: number): Reply {
  return {
    ok: false,
    why: `no reply from ${formatEndpoint(server)} over ${transport} within ${timeoutMs} ms`,
  }
}

function refused(server: Endpoint, transport: string, error: Error): Reply {
  const code = 'code' in error ? String(error.code) : ''
  const place = formatEndpoint(server)
  if (code === 'ECONNREFUSED') {
    return {
      ok: false,
      why: `nobody listens on ${place} (${transport}); start it with: neardns run --listen ${place}`,
    }
  }
  return { ok: false, why: `cannot ask ${place} over ${transport}: ${error.message}` }
}
