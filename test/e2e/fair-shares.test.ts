/*
 * Goal: one client or one domain cannot use up what others need, and what finds no place waits for one instead of failing.
 * Method: floods for names that never answer, or take seconds, against small limits; beside them quick names of the same client,
 * of another address, and of another zone, of which all must be answered. Bounds on time leave room for a busy machine.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { UdpClient } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { until } from '../support/process.ts'
import type { Behaviour } from '../upstream/fake-upstream.ts'
import { pause } from '../upstream/support.ts'
import { type House, withHouse } from './support.ts'

const suites = suite('e2e/fair-shares')
const test = overlapping(suites)

/** Names below `silent.` are never answered, those below `slow.` after three seconds, all others at once. */
const world: Behaviour = (query) => {
  if (/(^|\.)silent\./.test(query.qname)) return
  if (/(^|\.)slow\./.test(query.qname)) query.after(3000, () => query.answer())
  else query.answer()
}

/** A house whose outside resolvers may be asked through so many sockets. */
function limits(socketsMax: number) {
  return { external: { exchange: { udp: { socketsMax } } } }
}

async function flood(house: House, names: readonly string[], host: string): Promise<UdpClient> {
  const client = await UdpClient.open(house.server, host)
  for (const [id, name] of names.entries()) client.send(writeQuery(name, 'A', { id }))
  return client
}

function many(count: number, name: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => name(i))
}

/** Asks one name after another from a socket at `host`. @returns rcodes, and the longest time */
async function askAll(house: House, names: readonly string[], host: string) {
  const client = await UdpClient.open(house.server, host)
  const rcodes: (number | undefined)[] = []
  let worstMs = 0
  for (const name of names) {
    const startMs = performance.now()
    client.send(writeQuery(name, 'A'))
    const reply = await client.next(6000)
    worstMs = Math.max(worstMs, performance.now() - startMs)
    rcodes.push(reply === undefined ? undefined : readMessage(reply).rcode)
  }
  await client.close()
  return { rcodes, worstMs }
}

const noError = (count: number) => Array.from({ length: count }, () => 0)

test('600 questions of one client for a silent domain leave all other names as they were', async () => {
  await withHouse({ external: world }, async (house) => {
    const names = many(600, (i) => `n${i}.silent.example`)
    const client = await flood(house, names, '127.0.0.1')
    await until('flooded', () => house.external.queries.length >= 550)
    const quick = many(15, (i) => `quick${i}.example`)
    const { rcodes, worstMs } = await askAll(house, quick, '127.0.0.1')
    assert.equal(rcodes, noError(15))
    assert.ok(worstMs < 500, `${worstMs} ms`)
    await client.close()
  })
})

for (const [what, flooded, asked] of [
  ['a silent domain', (i: number) => `n${i}.silent.example`, '127.0.0.1'],
  ['a silent part of a domain', (i: number) => `n${i}.silent.provider.example`, '127.0.0.1'],
  ['silent domains, each with one name', (i: number) => `www.silent.n${i}.example`, '127.0.0.2'],
  ['names that take three seconds', (i: number) => `n${i}.slow.example`, '127.0.0.2'],
] as const) {
  test(`with few sockets, ${what} under 400 questions holds up nothing else`, async () => {
    await withHouse({ external: world, settings: limits(64) }, async (house) => {
      const client = await flood(house, many(400, flooded), '127.0.0.1')
      await until('flooded', () => house.external.queries.length >= 10)
      const quick = many(30, (i) => `quick${i}.provider.example`)
      const { rcodes, worstMs } = await askAll(house, quick, asked)
      assert.equal(rcodes, noError(30))
      assert.ok(worstMs < 500, `${worstMs} ms`)
      assert.ok((await house.metric('neardns_socket_waits_total')) > 300)
      await client.close()
    })
  })
}

for (const socketsMax of [1, 2]) {
  test(`with ${socketsMax} socket(s) questions wait for their turn, and all are answered`, async () => {
    const external: Behaviour = (query) => query.after(5, () => query.answer())
    await withHouse({ external, settings: limits(socketsMax) }, async (house) => {
      const names = many(60, (i) => `n${i}.example`)
      const client = await flood(house, names, '127.0.0.1')
      const rcodes: number[] = []
      for (let reply = await client.next(); reply; reply = await client.next(500)) {
        rcodes.push(readMessage(reply).rcode)
      }
      assert.equal(rcodes, noError(60))
      await client.close()
    })
  })
}

test('with one socket, a name that is never answered delays others and does not fail them', async () => {
  await withHouse({ external: world, settings: limits(1) }, async (house) => {
    const client = await flood(house, ['a.silent.example'], '127.0.0.1')
    await until('asked', () => house.external.queries.length === 1)
    const { rcodes } = await askAll(house, ['quick.example', 'quick2.example'], '127.0.0.1')
    assert.equal(rcodes, noError(2))
    await client.close()
  })
})

test('a question that finds no place within its deadline says so, and is not remembered as failed', async () => {
  const exchange = { deadlineMs: 600, udp: { socketsMax: 1 } }
  await withHouse({ external: world, settings: { external: { exchange } } }, async (house) => {
    const client = await flood(house, ['a.slow.example'], '127.0.0.1')
    await until('asked', () => house.external.queries.length === 1)
    await pause(300)
    // The second gets the first's socket, and when it gives it up the third's time is over as well.
    client.send(writeQuery('b.slow.example', 'A'))
    const refused = await house.lookup('c.slow.example', 'A', { ednsBytes: 1232 })
    assert.equal([refused.rcode, refused.opt?.data], [2, '000f00020000'], 'EDE 0')
    const asked = house.timesAsked('c.slow.example')
    await house.lookup('c.slow.example')
    assert.is(house.timesAsked('c.slow.example'), asked + 1, 'it was not remembered as failed')
    assert.ok((await house.metric('neardns_group_overloaded_total', { group: 'external' })) > 0)
    await client.close()
  })
})

suites.run()
