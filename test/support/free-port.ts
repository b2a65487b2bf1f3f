/** Ports for servers that are told their port on the command line. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that Linux gives to whoever does not ask for one (ip_local_port_range, from 32768): no connection made
 * in the seconds before a server binds its port can get it. Above those of services.
 */
const portMin = 15_000
const portMax = 32_767

/** Given out by this process, perhaps not bound yet. */
const given = new Set<number>()

/**
 * A port that is free for UDP and TCP on `host` just now. Chosen at random, so that test files that run side by side do
 * not choose the same.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = randomInt(portMin, portMax + 1)
    if (given.has(port)) continue
    if (!(await canBindTcp(host, port)) || !(await canBindUdp(host, port))) continue
    given.add(port)
    return port
  }
  throw new Error('no port is free for both UDP and TCP')
}

async function canBindTcp(host: string, port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
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
