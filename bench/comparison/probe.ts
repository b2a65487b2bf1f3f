/** Asks a server until it answers: the one sign of readiness that all servers give. */
import { createSocket } from 'node:dgram'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { type Child, until } from '../../test/support/process.ts'

/** A name that the authority knows (programs/truth.h), asked by nobody else. */
const probeName = 'probe.team-1.svc.cluster.local'
const headerBytes = 12
const timing = { timeoutMs: 15_000, everyMs: 2 }

/**
 * @returns milliseconds from `startMs` until the first right answer (from an echo: until its first reply)
 * @throws an Error with the server's last words when it ends or time is up
 */
export async function firstAnswer(
  child: Child,
  port: number,
  { isEcho, startMs }: { readonly isEcho: boolean; readonly startMs: number },
): Promise<number> {
  const socket = createSocket('udp4')
  const query = writeQuery(probeName, 'A', { id: 1 })
  let answeredMs: number | undefined
  socket.on('message', (reply) => {
    if (isEcho || isAnswer(reply)) answeredMs ??= performance.now()
  })
  // The server does not listen yet: the kernel says so, and the next query tries again.
  socket.on('error', () => undefined)
  const ask = () => {
    if (!child.running) throw new Error('it ended')
    socket.send(query, port, '127.0.0.1', () => undefined)
    return answeredMs !== undefined
  }
  try {
    await until('an answer', ask, timing)
    return (answeredMs ?? Number.NaN) - startMs
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new Error(`${what}: ${child.tail(4).replaceAll('\n', ' | ')}`)
  } finally {
    socket.close()
  }
}

function isAnswer(reply: Buffer): boolean {
  return reply.length > headerBytes && (reply.readUInt8(3) & 15) === 0 && reply.readUInt16BE(6) > 0
}
