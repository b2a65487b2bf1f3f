/** Ports for servers that are told their port on the command line. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Given out by this process: the kernel may name a port again before whoever got it has bound it. */
const given = new Set<number>()

/**
 * A port that is free for UDP and TCP on `host` just now. Somebody else may take it before it is used: the
 * kernel hands out ephemeral ports in an order that makes this rare.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const server = createServer()
    server.listen(0, host)
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const udpFree = await canBindUdp(host, port)
    server.close()
    await once(server, 'close')
    if (!udpFree || given.has(port)) continue
    given.add(port)
    return port
  }
  throw new Error('no port is free for both UDP and TCP')
}

async function canBindUdp(host: string, port: number): Promise<boolean> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  return await new Promise((resolve) => {
    socket.once('error', () => {
      socket.close()
      resolve(false)
    })
    socket.bind(port, host, () => socket.close(() => resolve(true)))
  })
}
