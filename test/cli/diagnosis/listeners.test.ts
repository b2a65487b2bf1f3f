// Goal: who listens where is read from /proc, and what a bind would meet is known. Method: recorded lines, and real sockets of this process.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  conflictsWith,
  holdersOf,
  type ListeningSocket,
  listeningIn,
  readListening,
} from '../../../src/cli/diagnosis/listeners.ts'

const test = suite('cli/diagnosis/listeners')

test('lines of /proc/net are read, connections are no listeners', () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0035 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
`
  assert.equal(listeningIn(tcp, 'tcp'), [
    { transport: 'tcp', address: '127.0.0.1', port: 53, inode: '4711' },
  ])
  const udp6 = `   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 99 2 0000000000000000 0
`
  assert.equal(listeningIn(udp6, 'udp'), [
    { transport: 'udp', address: '::', port: 53, inode: '99' },
  ])
})

const socket = (address: string, port = 53): ListeningSocket => ({
  transport: 'udp',
  address,
  port,
  inode: '1',
})

test('a bind meets the same address and the one for all, of its family', () => {
  const all = [
    socket('127.0.0.53'),
    socket('10.0.0.1'),
    socket('0.0.0.0'),
    socket('::'),
    socket('10.0.0.1', 54),
  ]
  const met = (address: string) =>
    conflictsWith({ address, port: 53 }, all).map((one) => one.address)
  assert.equal(met('10.0.0.1'), ['10.0.0.1', '0.0.0.0'])
  assert.equal(met('0.0.0.0'), ['127.0.0.53', '10.0.0.1', '0.0.0.0'])
  assert.equal(met('fd00::1'), ['::'])
  assert.equal(conflictsWith({ address: '10.0.0.2', port: 54 }, all), [])
})

test('sockets of this process are found, with their holder', async () => {
  const udp = createSocket('udp4')
  udp.bind(0, '127.0.0.1')
  const tcp = createServer().listen(0, '127.0.0.1')
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  const bound = tcp.address()
  const ports = [udp.address().port, typeof bound === 'object' && bound ? bound.port : 0]
  // Others may have the same port at another address, or of the other transport.
  const [udpPort, tcpPort] = ports
  const found = (await readListening()).filter(
    ({ transport, address, port }) =>
      address === '127.0.0.1' && port === (transport === 'udp' ? udpPort : tcpPort),
  )
  const holders = await holdersOf(found)
  udp.close()
  tcp.close()
  assert.equal(found.map(({ transport }) => transport).toSorted(), ['tcp', 'udp'])
  assert.equal([...new Set(holders.map(({ pid }) => pid))], [process.pid])
})

test.run()
