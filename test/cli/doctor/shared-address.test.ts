// Goal: who has an address of the daemon is told by name. Method: a socket of this process; with a daemon in test/real/doctor/faults.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sharedAddresses, sharedFindings } from '../../../src/cli/doctor/shared-address.ts'

const test = suite('cli/doctor/shared-address')

test('a port that another program has is told with the program', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const at = { address: '127.0.0.1', port, family: 4 } as const
  const shared = await sharedAddresses([at])
  socket.close()
  const [found] = sharedFindings(shared)
  assert.is(found?.what, `127.0.0.1:${port} is taken`)
  assert.match(found?.cause ?? '', new RegExp(`^by .*\\(process ${process.pid}\\)`))
})

test('an address that the daemon has too says so', () => {
  const at = { address: '169.254.20.10', port: 53, family: 4 } as const
  const [found] = sharedFindings([{ at, others: [], isOurs: true }])
  assert.match(found?.what ?? '', /is another program’s as well/)
  assert.is(found?.cause, 'by a process that this user may not see')
})

test.run()
