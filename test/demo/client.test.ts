/** Goal: a pod's look-up is one question and one reply, told as what it was. Method: a scripted server on loopback. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ask } from '../../src/demo/client.ts'
import { aRecord, responseTo } from '../core/support.ts'
import { withHandClock } from '../daemon/support.ts'
import { octets, opt, option, u16 } from '../fixtures/packets/octets.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { freePort } from '../support/free-port.ts'

const test = suite('demo/client')

async function withServer(
  replies: (query: Buffer) => readonly Buffer[],
  body: (port: number, queries: Buffer[]) => Promise<void>,
): Promise<void> {
  const server = createSocket('udp4')
  const queries: Buffer[] = []
  server.on('message', (query, from) => {
    queries.push(query)
    for (const reply of replies(query)) server.send(reply, from.port, '127.0.0.1')
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await body(server.address().port, queries)
  } finally {
    server.close()
  }
}

function answered(query: Buffer, response: Buffer): Buffer {
  const reply = Buffer.from(response)
  query.copy(reply, 0, 0, 2)
  return reply
}

const www = 'www.example'

test('addresses come in the order of the answer, and the time it took with them', () => {
  const answers = [aRecord(www, '10.0.0.1'), aRecord(www, '10.0.0.2')]
  return withServer(
    (query) => [answered(query, responseTo(www, 'A', { answers }))],
    async (port, queries) => {
      const { rcode, addresses, extendedError, tookMs } = await ask(port, www, 'A')
      assert.equal([rcode, addresses, extendedError], [0, ['10.0.0.1', '10.0.0.2'], -1])
      assert.ok(tookMs > 0 && tookMs < 5000)
      assert.is(queries.length, 1)
      const [query = Buffer.alloc(0)] = queries
      assert.equal(readMessage(query).questions, [{ name: 'www.example.', type: 1, class: 1 }])
    },
  )
})

test('a denial and an extended error are told', () => {
  const response = responseTo(www, 'A', { rcode: 3 })
  // The OPT record of `responseTo` has no options; this one takes its place.
  const head = response.subarray(0, response.length - 11)
  const withError = octets(head, opt({ options: option(15, u16(3)) }))
  return withServer(
    (query) => [answered(query, withError)],
    async (port) => {
      const { rcode, addresses, extendedError } = await ask(port, www, 'A')
      assert.equal([rcode, addresses, extendedError], [3, [], 3])
    },
  )
})

test('a reply to another question, and what is no message, are passed over', () => {
  const response = responseTo(www, 'A', { answers: [aRecord(www, '10.0.0.9')] })
  return withServer(
    (query) => {
      const foreign = answered(query, response)
      foreign.writeUInt16BE(query.readUInt16BE(0) ^ 1, 0)
      return [foreign, query.subarray(0, 5), answered(query, response)]
    },
    async (port, queries) => {
      assert.equal((await ask(port, www, 'A')).addresses, ['10.0.0.9'])
      assert.is(queries.length, 1)
    },
  )
})

test('a reply that cannot be read is FORMERR to the account, not an exception', () =>
  withServer(
    (query) => [Buffer.concat([query.subarray(0, 12), Buffer.alloc(3, 0xff)])],
    async (port) => {
      assert.equal((await ask(port, www, 'A')).rcode, 1)
    },
  ))

test('silence is told after five seconds, as long as glibc waits, and the question is not repeated', () =>
  withServer(
    () => [],
    (port, queries) =>
      withHandClock(async (clock) => {
        const reply = ask(port, www, 'A')
        while (queries.length === 0) await new Promise((resolve) => setImmediate(resolve))
        clock.wind(4999)
        await new Promise((resolve) => setImmediate(resolve))
        clock.wind(1)
        const { rcode, tookMs } = await reply
        assert.equal([rcode, tookMs, queries.length], [-1, 5000, 1])
      }),
  ))

test('a port on which nobody listens ends in silence, too', async () => {
  const port = await freePort()
  await withHandClock(async (clock) => {
    const reply = ask(port, www, 'A')
    await new Promise((resolve) => setImmediate(resolve))
    clock.wind(5000)
    assert.is((await reply).rcode, -1)
  })
})

test.run()
