/*
 * Goal: connections to an upstream that answers one question after the other are shared: one client's slow or silent names fail
 * no other client, with UDP beside TCP and without. Method: a steady flood of one address for names that nobody has seen, and quick names
 * of another address while connections are full. Untimed: all must be answered.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { UdpClient } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { oneByOne } from '../upstream/fake-upstream.ts'
import { pause } from '../upstream/support.ts'
import { type House, withHouse } from './support.ts'

const suites = suite('e2e/fair-streams')
const test = overlapping(suites)

/** Asks quick names one after another, from an address of their own, up to the first that fails. */
async function askAll(house: House, prefix: string, count: number) {
  const client = await UdpClient.open(house.server, '127.0.0.2')
  const rcodes: (number | undefined)[] = []
  for (let i = 0; i < count; i++) {
    client.send(writeQuery(`${prefix}${i}.provider.test`, 'A'))
    const reply = await client.next(6000)
    rcodes.push(reply === undefined ? undefined : readMessage(reply).rcode)
    if (rcodes[i] !== 0) break
  }
  await client.close()
  return rcodes
}

const noError = (count: number) => Array.from({ length: count }, () => 0)

/** Over a connection one question is answered after the other, as by CoreDNS; silence lasts longer than the test. */
const serial = () =>
  oneByOne(({ qname }) => {
    if (/(^|\.)silent\./.test(qname)) return 60_000
    return /(^|\.)slow\./.test(qname) ? 3000 : 0
  })

for (const [what, flooded] of [
  ['a silent domain', (i: number) => `n${i}.silent.example`],
  ['silent domains, each with one name', (i: number) => `www.silent.n${i}.example`],
  ['a domain that takes three seconds', (i: number) => `n${i}.slow.example`],
  ['names that take three seconds', (i: number) => `www.slow.n${i}.example`],
] as const) {
  for (const slowOverUdp of [true, false]) {
    const how = slowOverUdp ? 'with UDP beside it' : 'alone'
    test(`over TCP ${how}, ${what} under 100 questions a second of one client fails no other client`, async () => {
      const settings = { external: { exchange: { stream: { slowOverUdp } } } }
      const options = { external: serial(), transport: 'tcp', settings } as const
      await withHouse(options, async (house) => {
        assert.equal(await askAll(house, 'warm', 4), noError(4))
        const client = await UdpClient.open(house.server, '127.0.0.1')
        let id = 0
        const sender = setInterval(() => {
          for (let i = 0; i < 5; i++) client.send(writeQuery(flooded(++id), 'A', { id }))
        }, 50)
        // Connections are full, and the first questions are given up.
        await pause(3500)
        const rcodes = await askAll(house, 'quick', 60)
        clearInterval(sender)
        assert.equal(rcodes, noError(60))
        await client.close()
      })
    })
  }
}

suites.run()
