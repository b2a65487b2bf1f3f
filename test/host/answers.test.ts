// Goal: a server that takes connections is told from one that does not, in bounded time. Method: sockets on the loopback.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isListening } from '../../src/host/answers.ts'
import { Linux } from '../../src/system/linux.ts'
import { boundPort } from '../../src/system/open-socket.ts'
import { encodeName } from '../../src/system/socket-name.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'

const test = suite('host/answers')
const loopback = { address: '127.0.0.1', port: 0, family: 4 } as const

test('somebody listens where a connection comes about, and nobody where it is refused', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined))
  server.listen(0, loopback.address)
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  assert.is(await isListening({ ...loopback, port }), true)
  server.close()
  await once(server, 'close')
  assert.is(await isListening({ ...loopback, port }), false)
})

test('an address without a route is nobody', async () => {
  assert.is(await isListening({ address: '2001:db8::1', port: 53, family: 6 }), false)
})

test('a server that never answers the handshake is given up on before the kernel asks it again', async () => {
  const calls = loadSystemCalls()
  const fd = calls.socket(Linux.afInet, Linux.sockStream | Linux.sockCloExec)
  calls.bind(fd, encodeName(loopback, Linux.afInet))
  // Room for one connection that waits to be accepted; nobody accepts it, and the kernel drops each SYN after it.
  calls.listen(fd, 0)
  const port = boundPort(calls, fd, 4)
  const first = connect(port, loopback.address)
  await once(first, 'connect')
  const startMs = performance.now()
  assert.is(await isListening({ ...loopback, port }), false)
  const tookMs = performance.now() - startMs
  assert.ok(tookMs > 600, `${tookMs} ms`)
  first.destroy()
  calls.closeDescriptor(fd)
})

test.run()
