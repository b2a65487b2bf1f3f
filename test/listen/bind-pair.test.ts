/*
 * Goal: both transports on one port, or neither. Method: real TCP listeners, and UDP endpoints that fail as often as the test says.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bindBoth } from '../../src/listen/bind-pair.ts'
import { TcpConnections } from '../../src/listen/tcp-connections.ts'
import { TcpListener } from '../../src/listen/tcp-listener.ts'
import { UdpCounts } from '../../src/listen/udp-counts.ts'
import type { UdpEndpoint } from '../../src/listen/udp-endpoint.ts'
import { BindError, type ListenAddress } from '../../src/system/bind.ts'
import { ScriptedHandler, v4 } from './scripted-handler.ts'
import { calm } from './tcp-fixture.ts'

const test = suite('listen/bind-pair')

/** @param failures errno names, one for each of the first endpoints */
function openers(failures: readonly string[]) {
  const listeners: TcpListener[] = []
  const udpPorts: number[] = []
  const tcp = (address: ListenAddress) => {
    const connections = new TcpConnections(calm)
    const listener = new TcpListener({ address, serverIndex: 0, settings: calm, connections })
    listeners.push(listener)
    return listener
  }
  const udp = (address: ListenAddress): UdpEndpoint => {
    const code = failures[udpPorts.length]
    udpPorts.push(address.port)
    return {
      address,
      stats: new UdpCounts(),
      start: async () => {
        if (code !== undefined)
          throw new BindError('udp', address, Object.assign(new Error(code), { code }))
      },
      stopReceiving: () => undefined,
      pauseReceiving: () => undefined,
      resumeReceiving: () => undefined,
      stop: async () => undefined,
    }
  }
  return { listeners, udpPorts, open: { tcp, udp } }
}

/** Whether the port can be listened on. */
async function isFree(port: number): Promise<boolean> {
  const { open } = openers([])
  const listener = open.tcp({ ...v4, port })
  try {
    await listener.start(new ScriptedHandler())
    return true
  } catch {
    return false
  } finally {
    await listener.stop(0)
  }
}

test('UDP takes the port that TCP got', async () => {
  const { open, udpPorts } = openers([])
  const { tcp, udp } = await bindBoth(new ScriptedHandler(), v4, open)
  assert.is.not(tcp.address.port, 0)
  assert.equal([udp.address.port, udpPorts], [tcp.address.port, [tcp.address.port]])
  await tcp.stop(0)
})

test('a port that is taken for UDP is given back, and another tried', async () => {
  const { open, udpPorts, listeners } = openers(['EADDRINUSE', 'EADDRINUSE'])
  const { tcp } = await bindBoth(new ScriptedHandler(), v4, open)
  assert.equal([udpPorts.length, listeners.length], [3, 3])
  assert.is(tcp, listeners[2])
  await tcp.stop(0)
})

test('after eight ports it gives up, and leaves none open', async () => {
  const { open, udpPorts } = openers(new Array<string>(20).fill('EADDRINUSE'))
  await rejects(bindBoth(new ScriptedHandler(), v4, open), 'EADDRINUSE')
  assert.is(udpPorts.length, 8)
  for (const port of udpPorts) assert.is(await isFree(port), true)
})

test('any other failure is told at once, and TCP is closed', async () => {
  const { open, udpPorts } = openers(['EACCES'])
  await rejects(bindBoth(new ScriptedHandler(), v4, open), 'EACCES')
  assert.is(udpPorts.length, 1)
  assert.is(await isFree(udpPorts[0] ?? 0), true)
})

test('a port that was asked for is not exchanged for another', async () => {
  const { open: first } = openers([])
  const { tcp } = await bindBoth(new ScriptedHandler(), v4, first)
  const { port } = tcp.address
  await tcp.stop(0)
  const { open, udpPorts } = openers(['EADDRINUSE'])
  await rejects(bindBoth(new ScriptedHandler(), { ...v4, port }, open), 'EADDRINUSE')
  assert.equal(udpPorts, [port])
})

test('when TCP cannot be bound UDP is not tried', async () => {
  const { open: first } = openers([])
  const { tcp } = await bindBoth(new ScriptedHandler(), v4, first)
  const { open, udpPorts } = openers([])
  await rejects(bindBoth(new ScriptedHandler(), tcp.address, open), 'EADDRINUSE')
  assert.equal(udpPorts, [])
  await tcp.stop(0)
})

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof BindError)
    assert.is(error.code, code)
    return
  }
  assert.unreachable('it was bound')
}

test.run()
