/**
 * Where the serving process and its successor find each other: a Unix socket with a path, or with a name in the abstract
 * namespace of the network namespace (unix(7)), which two pods with hostNetwork share without a volume. Any process there may use
 * an abstract name, so both ends check the user at the other end (SO_PEERCRED) and talk only to their own.
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { peerUser } from '../system/descriptor-mail.ts'
import type { SystemCalls } from '../system/system-calls.ts'

/** @param written a path, or `@name` for an abstract one */
export function socketPath(written: string): string {
  return written.startsWith('@') ? `\0${written.slice(1)}` : written
}

/** The descriptor of a connected socket. Node has had it under this name since version 0.x, and offers no other way to it. */
export function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  if (typeof fd !== 'number' || fd < 0) throw new Error('the connection has no descriptor any more')
  return fd
}

/** @returns why the other end is not to be trusted; undefined when it is the same user */
export function strangerAt(calls: SystemCalls, socket: Socket): string | undefined {
  const user = peerUser(calls, descriptorOf(socket))
  const own = process.geteuid?.()
  return user === own ? undefined : `it belongs to user ${user}, we are user ${own}`
}

/**
 * @param options as of `Socket.connect`: a socket that is not to be read is paused before it connects
 * @returns undefined when no process listens there
 */
export function connectTo(written: string, isPaused = false): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(written))
    if (isPaused) socket.pause()
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error) => {
      const code = 'code' in error ? error.code : ''
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(undefined)
      else reject(error)
    })
  })
}

/** Takes over a path that a killed process has left behind, but not one that a process listens on. */
export async function listenAt(
  written: string,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const path = socketPath(written)
  try {
    return await listening(path, onConnection)
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!isTaken || path.startsWith('\0')) throw error
    const other = await connectTo(written)
    other?.destroy()
    if (other !== undefined) throw error
    rmSync(path, { force: true })
    return await listening(path, onConnection)
  }
}

function listening(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      server.off('error', reject)
      // A failed accept: the other end tries again.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}
