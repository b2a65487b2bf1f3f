/**
 * Sends a query to the daemon's own UDP socket, as a client would, and reports whether a reply came. RD is clear, so that the
 * reply comes from this daemon alone (REFUSED is a reply): it shows that the socket is bound, that the event loop turns and that the
 * pipeline answers, and depends on no upstream.
 *
 * Source and destination are the same address. The loopback address would not do as a source: kubelet and kube-proxy drop packets to
 * 127.0.0.0/8 from other addresses without a tracked connection (chain KUBE-FIREWALL), and replies of an intercepted address are not
 * tracked. A source port below 1024 distinguishes it from the node's other queries, which CoreDNS may answer.
 */
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { probePorts } from '../host/backends/nft-rules.ts'
import type { ListenAddress } from '../system/bind.ts'

/** The reply takes microseconds; this is for an overloaded machine. */
const timeoutMs = 1000
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
/** Another program may have one of these ports; hundreds taken would be a defect. */
const portAttemptsMax = 8

/** @returns undefined when a reply came, else why not. Never rejects. */
export async function selfQuery(at: ListenAddress): Promise<string | undefined> {
  const address = wildcards[at.address] ?? at.address
  try {
    const socket = await boundSocket(address, at.family)
    return await ask(socket, { ...at, address }).finally(() => socket.close())
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A process that may not bind below 1024 intercepts nothing, so any port will do. */
async function boundSocket(address: string, family: 4 | 6): Promise<Socket> {
  const [first, last] = probePorts
  for (let attempt = 1; ; attempt++) {
    try {
      return await bind(address, family, randomInt(first, last + 1))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EACCES') return await bind(address, family, 0)
      if (code !== 'EADDRINUSE' || attempt === portAttemptsMax) throw error
    }
  }
}

async function bind(address: string, family: 4 | 6, port: number): Promise<Socket> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    socket.bind({ port, address })
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/** SOA of the root, RD clear. */
function ask(socket: Socket, at: ListenAddress): Promise<string | undefined> {
  const id = randomInt(0x1_0000)
  const query = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1])
  query.writeUInt16BE(id, 0)
  return new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs)
    const settle = (why: string | undefined) => {
      clearTimeout(timer)
      resolve(why)
    }
    socket.on('error', (error) => settle(error.message))
    socket.on('message', (reply) => {
      if (reply.length >= 12 && reply.readUInt16BE(0) === id) settle(undefined)
    })
    socket.send(query, at.port, at.address)
  })
}
