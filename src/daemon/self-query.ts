/**
 * Asks our own UDP socket a question, the way a client would, and reports whether an answer came. RD is clear, so that
 * the answer comes from us alone (REFUSED is one): it shows that the socket is bound, that the event loop turns and that the
 * pipeline answers, and does not depend on any upstream.
 */
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type { ListenAddress } from '../net/bind.ts'

/** An answer from our own memory takes microseconds; this is for a machine under stress. */
const timeoutMs = 1000
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** @returns undefined when we were answered, else why not. Never rejects. */
export function selfQuery(at: ListenAddress): Promise<string | undefined> {
  const id = randomInt(0x1_0000)
  const socket = createSocket(at.family === 6 ? 'udp6' : 'udp4')
  return new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs)
    socket.on('error', (error) => resolve(error.message))
    socket.on('message', (reply) => {
      if (reply.length >= 12 && reply.readUInt16BE(0) === id) {
        clearTimeout(timer)
        resolve(undefined)
      }
    })
    // From the loopback address: rules for the node's other queries to an intercepted address leave this one alone, so that
    // nobody can answer in our place.
    socket.bind({ port: 0, address: at.family === 6 ? '::1' : '127.0.0.1' }, () =>
      ask(socket, at, id),
    )
  }).finally(() => socket.close())
}

/** SOA of the root, RD clear. */
function ask(socket: Socket, at: ListenAddress, id: number): void {
  const query = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1])
  query.writeUInt16BE(id, 0)
  socket.send(query, at.port, wildcards[at.address] ?? at.address)
}
