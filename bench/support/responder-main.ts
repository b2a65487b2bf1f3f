/** The scripted upstream as a process: UDP and TCP on one port, given as the only argument. Says `responder ready`. */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { scriptedReply } from './responder.ts'

const port = Number(process.argv[2])
const messageBytesMax = 65_535

const udp = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 })
udp.on('message', (query, { port: clientPort, address }) => {
  const { bytes, length } = scriptedReply(query, 4096)
  udp.send(Buffer.from(bytes.subarray(0, length)), clientPort, address)
})

const tcp = createServer({ noDelay: true }, (socket) => serve(socket))

udp.bind(port, '127.0.0.1', () => {
  tcp.listen(port, '127.0.0.1', 1024, () => process.stdout.write('responder ready\n'))
})

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    rest = answerAll(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
  })
}

/** @returns what is left of a message that is not whole yet */
function answerAll(socket: Socket, bytes: Buffer): Buffer {
  const replies: Buffer[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const end = at + 2 + bytes.readUInt16BE(at)
    if (end > bytes.length) break
    const reply = scriptedReply(bytes.subarray(at + 2, end), messageBytesMax)
    const framed = Buffer.allocUnsafe(reply.length + 2)
    framed.writeUInt16BE(reply.length, 0)
    reply.bytes.copy(framed, 2, 0, reply.length)
    replies.push(framed)
    at = end
  }
  if (replies.length > 0) socket.write(Buffer.concat(replies))
  return bytes.subarray(at)
}
