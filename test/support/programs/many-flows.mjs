// Sends one datagram to each port of each address given, so that a router on the way tracks that many flows.
import { createSocket } from 'node:dgram'

const socket = createSocket('udp4')
socket.on('error', () => undefined)
await new Promise((resolve) => socket.bind(0, resolve))
const octet = Buffer.from('x')
for (const address of process.argv.slice(2)) {
  for (let port = 1024; port < 65_536; port++) {
    socket.send(octet, port, address, () => undefined)
    if (port % 512 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}
await new Promise((resolve) => setTimeout(resolve, 200))
socket.close()
