/**
 * Goal: sockets are bound as asked for, and a failed one leaves no descriptor behind. Method: real sockets on the loopback; each descriptor that is
 * made and closed passes the test.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BindError, type ListenAddress } from '../../src/system/bind.ts'
import { Linux } from '../../src/system/linux.ts'
import { boundPort, openTcpSocket, openUdpSocket, sharePort } from '../../src/system/open-socket.ts'
import { loadSystemCalls, type SystemCalls } from '../../src/system/system-calls.ts'
import { freePort } from '../support/free-port.ts'

const test = suite('system/open-socket')

const loopback: ListenAddress = { address: '127.0.0.1', port: 0, family: 4 }

/** System calls whose open descriptors are known. */
function counted(changes: Partial<SystemCalls> = {}) {
  const calls = loadSystemCalls()
  const open = new Set<number>()
  const watched: SystemCalls = {
    ...calls,
    socket: (...asked) => {
      const fd = calls.socket(...asked)
      if (fd >= 0) open.add(fd)
      return fd
    },
    closeDescriptor: (fd) => {
      open.delete(fd)
      return calls.closeDescriptor(fd)
    },
    ...changes,
  }
  return { calls: watched, open }
}

const codeOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    if (error instanceof BindError) return error.code
    throw error
  }
  return 'opened'
}

test('the kernel chooses a port where none was asked for, and tells it', () => {
  const { calls } = counted()
  const fd = openUdpSocket(calls, loopback)
  const port = boundPort(calls, fd, 4)
  assert.ok(port > 0)
  assert.is(
    codeOf(() => openUdpSocket(calls, { ...loopback, port })),
    'EADDRINUSE',
  )
  calls.closeDescriptor(fd)
})

test('a TCP socket listens', async () => {
  const { calls } = counted()
  const fd = openTcpSocket(calls, loopback)
  const client = connect(boundPort(calls, fd, 4), loopback.address)
  await once(client, 'connect')
  client.destroy()
  calls.closeDescriptor(fd)
})

test('descriptors do not block and end with exec', () => {
  const types: number[] = []
  const { calls } = counted({
    socket: (domain, type) => {
      types.push(type & ~Linux.sockDgram & ~Linux.sockStream)
      return loadSystemCalls().socket(domain, type)
    },
  })
  calls.closeDescriptor(openUdpSocket(calls, loopback))
  calls.closeDescriptor(openTcpSocket(calls, loopback))
  assert.equal(types, Array(2).fill(Linux.sockNonBlock | Linux.sockCloExec))
})

test('a socket that cannot be made, bound or listened on throws and leaves nothing open', () => {
  const nowhere = counted()
  const away = { ...loopback, address: '192.0.2.1' }
  assert.is(
    codeOf(() => openUdpSocket(nowhere.calls, away)),
    'EADDRNOTAVAIL',
  )
  assert.is(
    codeOf(() => openTcpSocket(nowhere.calls, away)),
    'EADDRNOTAVAIL',
  )
  const deaf = counted({ listen: () => -98 })
  assert.is(
    codeOf(() => openTcpSocket(deaf.calls, loopback)),
    'EADDRINUSE',
  )
  const closed: number[] = []
  const closeDescriptor = (fd: number) => closed.push(fd)
  const none = counted({ socket: () => -24, closeDescriptor })
  assert.is(
    codeOf(() => openUdpSocket(none.calls, loopback)),
    'EMFILE',
  )
  assert.equal([nowhere.open.size, deaf.open.size, closed], [0, 0, []])
})

test('two UDP sockets have one address when both share it, and one alone does not', () => {
  const { calls } = counted()
  const first = openUdpSocket(calls, loopback)
  const at = { ...loopback, port: boundPort(calls, first, 4) }
  assert.is(
    codeOf(() => openUdpSocket(calls, at, true)),
    'EADDRINUSE',
    'the first does not',
  )
  sharePort(calls, first)
  const second = openUdpSocket(calls, at, true)
  assert.is(boundPort(calls, second, 4), at.port)
  for (const fd of [first, second]) calls.closeDescriptor(fd)
})

test('the same port of both families is two sockets', async () => {
  const { calls } = counted()
  const port = await freePort('0.0.0.0')
  const any6 = openUdpSocket(calls, { address: '::', port, family: 6 })
  const any4 = openUdpSocket(calls, { address: '0.0.0.0', port, family: 4 })
  assert.is(calls.getIntOption(any6, Linux.solIpv6, Linux.ipv6V6Only), 1)
  for (const fd of [any6, any4]) calls.closeDescriptor(fd)
})

test('a TCP address is free again at once, although connections of the process before are in TIME_WAIT', async () => {
  const server = createServer((socket) => socket.end())
  server.listen(0, loopback.address)
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const client = connect(port, loopback.address).resume()
  // The server closes first, so that the connection waits on its side.
  await once(client, 'close')
  server.close()
  await once(server, 'close')
  const at = { ...loopback, port }
  const without = counted({ setOption: () => 0 })
  assert.is(
    codeOf(() => openTcpSocket(without.calls, at)),
    'EADDRINUSE',
  )
  const { calls } = counted()
  const fd = openTcpSocket(calls, at)
  assert.is(boundPort(calls, fd, 4), port)
  calls.closeDescriptor(fd)
})

test('a UDP socket has the local address of each datagram told to it, in either family', () => {
  const { calls } = counted()
  const v4 = openUdpSocket(calls, loopback)
  assert.is(calls.getIntOption(v4, Linux.solIp, Linux.ipPktInfo), 1)
  const v6 = openUdpSocket(calls, { address: '::1', port: 0, family: 6 })
  assert.is(calls.getIntOption(v6, Linux.solIpv6, Linux.ipv6RecvPktInfo), 1)
  for (const fd of [v4, v6]) calls.closeDescriptor(fd)
})

test.run()
