/**
 * A network with a distance, for kernels without netem: passes UDP datagrams or TCP streams on to another port of the loopback
 * and holds back what comes the other way for some milliseconds. A process of its own:
 * `node delay-relay.ts udp|tcp PORT TO-PORT MILLISECONDS`; prints `relaying` once it is bound.
 */
import { createSocket, type Socket } from 'node:dgram'
import { connect, createServer } from 'node:net'

const host = '127.0.0.1'
const [protocol, port, toPort, delayMs] = process.argv.slice(2)
const delay = Number(delayMs)

/** Datagrams of one sender go through one socket, which lives as long as the relay: benches have few senders. */
function relayUdp(): void {
  const outside = createSocket('udp4')
  const inside = new Map<number, Socket>()
  outside.on('message', (query, sender) => {
    const known = inside.get(sender.port)
    const socket = known ?? createSocket('udp4')
    if (known === undefined) {
      inside.set(sender.port, socket)
      socket.on('message', (reply) => {
        setTimeout(() => outside.send(reply, sender.port, sender.address), delay)
      })
    }
    socket.send(query, Number(toPort), host)
  })
  outside.bind(Number(port), host, announce)
}

function relayTcp(): void {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: Number(toPort), host, noDelay: true })
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      setTimeout(() => client.write(bytes), delay)
    })
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('close', end).on('error', end)
  })
  server.listen(Number(port), host, announce)
}

function announce(): void {
  process.stdout.write('relaying\n')
}

if (protocol === 'udp') relayUdp()
else relayTcp()
