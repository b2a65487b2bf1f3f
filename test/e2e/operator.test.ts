/*
 * Goal: what an operator does over the socket counts for the next query, in one process and with several workers. Method: daemons with a
 * socket in a folder of the test, asked as a pod asks and as the commands do.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askAdmin } from '../../src/cli/operator/admin-client.ts'
import { aRecord } from '../core/support.ts'
import { lookup } from '../support/client/dns-client.ts'
import { UpgradeLab } from '../support/lab/upgrade-lab.ts'
import { until } from '../support/process.ts'
import { delayed } from '../upstream/fake-upstream.ts'
import { replyTo, withHouse, zone } from './support.ts'

export const testTimeoutMs = 120_000

const test = suite<{ folder: string }>('e2e/operator')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-operator-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

async function call(path: string, request: string, method: 'GET' | 'POST' = 'GET') {
  const reply = await askAdmin({ kind: 'socket', path }, { path: request, method })
  if (!reply.ok) throw new Error(reply.why)
  return JSON.parse(reply.body.toString()) as Record<string, unknown>
}

test('a flushed name is asked anew by the next query', async ({ folder }) => {
  const socket = join(folder, 'house.sock')
  let address = '10.1.1.1'
  const external = zone({
    'www.example': (query) =>
      zone({ 'www.example': { answers: [aRecord('www.example', address)] } })(query),
  })
  await withHouse({ external, settings: { admin: { socket } } }, async (house) => {
    const given = async () => (await house.lookup('www.example')).answers[0]?.data
    assert.is(await given(), '10.1.1.1')
    address = '10.1.1.2'
    assert.is(await given(), '10.1.1.1')
    assert.is((await call(socket, '/v1/cache/flush?name=www.example', 'POST'))['answers'], 1)
    assert.is(await given(), '10.1.1.2')
    assert.is((await call(socket, '/v1/cache'))['kept'], 1)
  })
})

test('the flight recorder has a slow query and a failed one, with whom they were asked of; a tail sees them', async ({
  folder,
}) => {
  const socket = join(folder, 'flights.sock')
  const slowly = delayed(60)
  const exchange = { hedge: { minMs: 2000, maxMs: 2000 } }
  const admin = { socket, slowMs: 50 }
  const settings = { admin, external: { exchange } }
  await withHouse({ external: slowly, settings }, async (house) => {
    await call(socket, '/v1/tail?viewer=me')
    await house.lookup('slow.example')
    await house.lookup('slow.example')
    const [slow] = (await call(socket, '/v1/slow'))['queries'] as readonly Record<string, unknown>[]
    const upstream = `udp://127.0.0.1:${house.external.port}`
    assert.equal([slow?.['name'], slow?.['answeredBy']], ['slow.example.', upstream])
    assert.match(JSON.stringify(slow?.['sendings']), `"upstream":"${upstream}","why":"first"`)
    const { lines } = await call(socket, '/v1/tail?viewer=me')
    const seen = (lines as readonly Record<string, unknown>[]).map((line) => [
      line['source'],
      line['upstream'],
    ])
    assert.equal(seen, [
      ['upstream', upstream],
      ['cacheSuccess', ''],
    ])
    house.external.behave = (query) => query.send(replyTo(query, { rcode: 2 }))
    await house.lookup('bad.example')
    const [failed] = (await call(socket, '/v1/failures'))['queries'] as readonly Record<
      string,
      unknown
    >[]
    assert.equal([failed?.['name'], failed?.['rcode']], ['bad.example.', 'SERVFAIL'])
  })
})

test('after an upgrade the socket is the new process’s, and it has the cache; a changed setting moves it', async ({
  folder,
}) => {
  const socket = join(folder, 'upgrade.sock')
  const lab = await UpgradeLab.open({ settings: { admin: { socket } } })
  try {
    await lookup(lab.server, 'n0.example', 'A')
    await lab.upgrade()
    assert.is((await call(socket, '/v1/cache?name=n0.example'))['meant'], 1)
    const moved = join(folder, 'moved.sock')
    await lab.reconfigure({ admin: { socket: moved } })
    await until('moved', () => existsSync(moved), { timeoutMs: 20_000 })
    assert.is((await call(moved, '/v1/cache'))['kept'], 1)
    assert.not.ok(existsSync(socket))
  } finally {
    await lab.close()
  }
  assert.not.ok(existsSync(join(folder, 'moved.sock')))
})

test('with several workers every one forgets', async ({ folder }) => {
  const socket = join(folder, 'workers.sock')
  const lab = await UpgradeLab.open({ settings: { workers: 3, admin: { socket } } })
  try {
    // Each lookup has a socket of its own, so the kernel deals them out to all workers.
    for (let i = 0; i < 60; i++) await lookup(lab.server, 'n0.example', 'A')
    const list = await call(socket, '/v1/cache?name=n0.example')
    assert.equal([list['workers'], list['missing']], [3, 0])
    const flushed = await call(socket, '/v1/cache/flush?all', 'POST')
    assert.equal([flushed['workers'], flushed['missing']], [3, 0])
    assert.ok(Number(flushed['answers']) >= 2, JSON.stringify(flushed))
    assert.is((await call(socket, '/v1/cache'))['kept'], 0)
  } finally {
    await lab.close()
  }
})

test.run()
