/** Two ends of a Unix socket in one process, and names in the abstract namespace that no other process has. */
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

let names = 0

/** As it is configured: `@name`. */
export function meetingPoint(): string {
  names += 1
  return `@neardns-test-${process.pid}-${names}`
}

export interface Pair {
  readonly near: Socket
  readonly far: Socket
  close(): void
}

export async function socketPair(): Promise<Pair> {
  const path = meetingPoint().replace('@', '\0')
  const server = createServer()
  server.listen(path)
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const near = connect(path)
  const [far]: Socket[] = await accepted
  await (near.connecting ? once(near, 'connect') : undefined)
  server.close()
  if (far === undefined) throw new Error('no connection')
  for (const socket of [near, far]) socket.on('error', () => undefined)
  return {
    near,
    far,
    close() {
      near.destroy()
      far.destroy()
    },
  }
}

/** What a descriptor is open on, as `socket:[inode]`; undefined when it is closed. */
export function openOn(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}
