/**
 * Goal: two processes of one user find each other, whatever a killed one has left, and a stranger is told from them.
 * Method: Unix sockets with paths and with abstract names; another user is one that the kernel is made to tell.
 */
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  connectTo,
  descriptorOf,
  listenAt,
  socketPath,
  strangerAt,
} from '../../src/handover/meeting-point.ts'
import { Linux } from '../../src/system/linux.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { meetingPoint, openOn, socketPair } from './pair.ts'

const test = suite('handover/meeting-point')
const directory = mkdtempSync(join(tmpdir(), 'neardns-meeting-'))
test.after(() => rmSync(directory, { recursive: true, force: true }))

const calls = loadSystemCalls()
const ignore = (socket: Socket) => {
  socket.on('error', () => undefined)
  socket.destroy()
}

/** A socket file whose process has been killed: nobody listens on it, and nobody has removed it. */
function abandonedPath(name: string): string {
  const path = join(directory, name)
  const address = Buffer.alloc(110)
  address.writeUInt16LE(Linux.afUnix)
  address.write(path, 2)
  const fd = calls.socket(Linux.afUnix, Linux.sockStream | Linux.sockCloExec)
  assert.is(calls.bind(fd, address), 0)
  calls.closeDescriptor(fd)
  assert.ok(existsSync(path))
  return path
}

test('a name with @ is in the abstract namespace, anything else is a path', () => {
  assert.is(socketPath('@neardns'), '\0neardns')
  assert.is(socketPath('/run/neardns/handover.sock'), '/run/neardns/handover.sock')
})

test('where nobody listens there is nobody: no file, an abandoned one, a free name', async () => {
  assert.is(await connectTo(join(directory, 'none.sock')), undefined)
  assert.is(await connectTo(abandonedPath('left.sock')), undefined)
  assert.is(await connectTo(meetingPoint()), undefined)
})

test('a path that cannot be one is an error, and not nobody', async () => {
  await connectTo(join(abandonedPath('file'), 'below')).then(
    () => assert.unreachable(),
    (error: NodeJS.ErrnoException) => assert.is(error.code, 'ENOTDIR'),
  )
})

test('a path left behind by a killed process is taken over', async () => {
  const path = abandonedPath('taken-over.sock')
  const server = await listenAt(path, ignore)
  const socket = await connectTo(path)
  assert.ok(socket !== undefined)
  socket.destroy()
  server.close()
})

test('a path or name with a listener is not taken over, and the listener keeps working', async () => {
  for (const at of [join(directory, 'in-use.sock'), meetingPoint()]) {
    const server = await listenAt(at, ignore)
    await listenAt(at, ignore).then(
      () => assert.unreachable(),
      (error: NodeJS.ErrnoException) => assert.is(error.code, 'EADDRINUSE'),
    )
    const socket = await connectTo(at)
    assert.ok(socket !== undefined, at)
    socket.destroy()
    server.close()
  }
})

test('a socket connected in paused mode has read nothing yet', async () => {
  const at = meetingPoint()
  const server = await listenAt(at, (socket) => {
    // It is left with what nobody has read.
    socket.on('error', () => undefined)
    socket.end('for the reader of descriptors')
  })
  const socket = await connectTo(at, true)
  assert.ok(socket !== undefined)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal([socket.isPaused(), socket.bytesRead], [true, 0])
  socket.destroy()
  server.close()
})

test('a connected socket has a descriptor, a closed one has none any more', async () => {
  const { near, close } = await socketPair()
  assert.match(openOn(descriptorOf(near)) ?? '', /^socket:\[\d+\]$/)
  close()
  await once(near, 'close')
  assert.throws(() => descriptorOf(near), /no descriptor any more/)
})

test('our own user is no stranger', async () => {
  const { near, close } = await socketPair()
  assert.is(strangerAt(calls, near), undefined)
  close()
})

test('another user, and one that the kernel does not tell, is a stranger', async () => {
  const { near, close } = await socketPair()
  const told = {
    ...calls,
    getOption: (...[, , , into]: Parameters<typeof calls.getOption>) => {
      new DataView(into.buffer, into.byteOffset).setUint32(4, 4_294_967_294, true)
      return 0
    },
  }
  const own = process.geteuid?.()
  assert.is(strangerAt(told, near), `it belongs to user 4294967294, we are user ${own}`)
  const untold = { ...calls, getOption: () => -95 }
  assert.is(strangerAt(untold, near), `it belongs to user undefined, we are user ${own}`)
  close()
})

test.run()
