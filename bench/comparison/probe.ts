/** Asks a server until it answers: the one sign of readiness that all servers give. */
import { createSocket } from 'node:dgram'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import type { Child } from '../../test/support/process.ts'

const askEveryMs = 2
/** A name that the authority knows (programs/truth.h), asked by nobody else. */
const probeName = 'probe.team-1.svc.cluster.local'
const headerBytes = 12

/**
 * @returns milliseconds from `startMs` until the first right answer (from an echo: until its first reply)
 * @throws an Error with the server's last words when it ends or time is up
 */
export async function firstAnswer(
  child: Child,
  port: number,
  { isEcho = false, timeoutMs = 15_000, startMs = performance.now() } = {},
): Promise<number> {
  const socket = createSocket('udp4')
  const query = writeQuery(probeName, 'A', { id: 1 })
  const answered = new Promise<void>((resolve) => {
    socket.on('message', (reply) => {
      if (isEcho || isAnswer(reply)) resolve()
    })
  })
  // Nobody listens yet: the kernel says so, and the next query tries again.
  socket.on('error', () => undefined)
  socket.connect(port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const asking = setInterval(() => socket.send(query, () => undefined), askEveryMs)
  let timer: NodeJS.Timeout | undefined
  const failed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(why(child, `no answer in ${timeoutMs} ms`)), timeoutMs)
    child.exited.then(
      () => reject(why(child, 'it ended')),
      () => undefined,
    )
  })
  try {
    await Promise.race([answered, failed])
    return performance.now() - startMs
  } finally {
    clearTimeout(timer)
    clearInterval(asking)
    socket.close()
  }
}

function isAnswer(reply: Buffer): boolean {
  return reply.length > headerBytes && (reply.readUInt8(3) & 15) === 0 && reply.readUInt16BE(6) > 0
}

function why(child: Child, what: string): Error {
  return new Error(`${what}: ${child.tail(4).replaceAll('\n', ' | ')}`)
}
