// Goal: the admin pages are on every address of the list, and an address that another process has ends the start or is tried again.
// Method: servers on loopback, one port taken by a socket of the test.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AdminBindError, AdminServers } from '../../src/daemon/admin-servers.ts'
import { freePort } from '../support/free-port.ts'
import { KeptLog } from './support.ts'

const test = suite('daemon/admin-servers')

const at = (port: number, address = '127.0.0.1') => ({
  address,
  port,
  family: address.includes(':') ? (6 as const) : (4 as const),
})

function serversWith(log = new KeptLog()) {
  const pages = new Map([['/health', () => ({ status: 200, body: 'OK\n' })]])
  return new AdminServers({ held: undefined, log, pages: () => ({ pages, onDefect: () => {} }) })
}

const get = (where: string) =>
  fetch(`http://${where}/health`).then(
    ({ status }) => status,
    () => 'closed',
  )

test('all addresses have the pages, one port of both families included', async () => {
  const servers = serversWith()
  try {
    const port = await freePort()
    const listen = [at(0), at(port, '0.0.0.0'), at(port, '::')]
    const open = await servers.listen({ listen, whenTaken: 'end' })
    assert.is(open.length, 3)
    assert.equal(await Promise.all([open[0] ?? '', `127.0.0.1:${port}`].map(get)), [200, 200])
    const fewer = await servers.listen({ listen: [at(0)], whenTaken: 'end' })
    assert.equal([await get(fewer[0] ?? ''), await get(`127.0.0.1:${port}`)], [200, 'closed'])
  } finally {
    await servers.stop()
  }
})

test('an address that is taken ends the start, or is logged and left for later', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const log = new KeptLog()
  const servers = serversWith(log)
  try {
    const error = await servers
      .listen({ listen: [at(port)], whenTaken: 'end' })
      .catch((failure: unknown) => failure)
    assert.instance(error, AdminBindError)
    assert.match(
      String(error),
      `cannot listen on admin 127.0.0.1:${port}: another process has this port (EADDRINUSE); admin.listen`,
    )
    const open = await servers.listen({ listen: [at(port), at(0)], whenTaken: 'retry' })
    assert.equal([open.length, await get(open[0] ?? '')], [1, 200])
    assert.match(JSON.stringify(log.lines), 'trying again')
  } finally {
    await servers.stop()
    other.close()
  }
})

test.run()
