/*
 * Goal: what clients do to us together or under false names stays without effect on others: equal questions are one question,
 * forged sources are not answered, names cannot reach into the program (reliability: A1, A2, D2, D3, D10, E6, G4).
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { header, name, octets, opt, option, question } from '../fixtures/packets/octets.ts'
import { UdpClient } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { type RawPacket, sendRawUdp } from '../support/client/raw-udp.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { answerTo } from '../upstream/fake-upstream.ts'
import { House, withHouse } from './support.ts'

// Hedges are put off: how often the upstream is asked is the point.
const settings = { external: { exchange: { hedge: { minMs: 3000, maxMs: 3000 } } } }

const test = suite<{ house: House }>('e2e/clients')

test.before(async (context) => {
  context.house = await House.open({ settings })
})

test.after(async ({ house }) => {
  await house.close()
})

/** The same question in the `index`-th disguise: letter case, EDNS size, client subnet, cookie, RD. */
function disguised(text: string, index: number): Buffer {
  const letters = [...text].map((letter, i) =>
    (index >> (i % 8)) & 1 ? letter.toUpperCase() : letter,
  )
  const options = octets(
    option(8, octets(0, 1, 24, 0, 10, index >> 8, index & 255)),
    option(10, octets('cookie', index >> 8, index & 255)),
  )
  return octets(
    header({ id: index, counts: [1, 0, 0, 1] }),
    question(name(letters.join('')), 1),
    opt({ udpBytes: 512 + index, options }),
  )
}

/** Asks `count` times from a hundred ports and returns the replies, read. */
async function askTogether(house: House, count: number, query: (index: number) => Buffer) {
  const clients = await Promise.all(Array.from({ length: 100 }, () => UdpClient.open(house.server)))
  try {
    for (let i = 0; i < count; i++) clients[i % clients.length]?.send(query(i))
    const share = Math.ceil(count / clients.length)
    const replies = await Promise.all(
      clients.map(async (client) => {
        const own: Buffer[] = []
        while (own.length < share) {
          const reply = await client.next()
          if (reply === undefined) break
          own.push(reply)
        }
        return own
      }),
    )
    return replies.flat().map(readMessage)
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

test('500 clients with one question in 500 disguises are one upstream query, and each gets its own reply', async ({
  house,
}) => {
  house.external.behave = (query) => query.after(150, () => query.answer())
  const replies = await askTogether(house, 500, (index) => disguised('shared.example', index))
  assert.is(house.timesAsked('shared.example'), 1)
  assert.is(new Set(replies.map(({ id }) => id)).size, 500)
  for (const { id, questions, answers, opt: edns } of replies) {
    const sent = disguised('shared.example', id)
    assert.is(
      questions[0]?.name,
      `${sent.toString('latin1', 13, 19)}.${sent.toString('latin1', 20, 27)}.`,
    )
    assert.equal([answers[0]?.data, edns?.data], ['10.9.8.7', ''])
  }
})

test('a hundred misses for one name at once are one upstream query, and all are answered', async ({
  house,
}) => {
  house.external.behave = (query) => query.after(100, () => query.answer())
  const replies = await askTogether(house, 100, (id) => writeQuery('herd.example', 'A', { id }))
  assert.equal([replies.length, house.timesAsked('herd.example')], [100, 1])
  assert.ok(replies.every(({ answers }) => answers[0]?.data === '10.9.8.7'))
})

test('a flood of forged replies changes neither the answer nor what is in memory', async ({
  house,
}) => {
  house.external.behave = (query) => query.answer()
  await house.lookup('before.example')
  let sent = 0
  house.external.behave = (query) => {
    if (query.transport === 'tcp') return query.answer({ address: '10.0.0.1' })
    for (let i = 1; i <= 3000; i++) {
      const wrong = answerTo(query, { address: '6.6.6.6' })
      wrong.writeUInt16BE((query.id + i) % 65536, 0)
      query.send(wrong)
      sent += 1
    }
  }
  assert.is((await house.lookup('guessed.example')).answers[0]?.data, '10.0.0.1')
  assert.ok(sent >= 3000)
  assert.equal([house.timesAsked('guessed.example'), house.timesAsked('before.example')], [2, 1])
  await house.lookup('before.example')
  assert.is(house.timesAsked('before.example'), 1)
})

test('names that mean something to JavaScript are resolved like others', async ({ house }) => {
  house.external.behave = (query) => query.answer()
  house.cluster.behave = (query) => query.answer({ address: '10.96.0.9' })
  for (const label of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    for (let round = 0; round < 2; round++) {
      assert.is((await house.lookup(label)).answers[0]?.data, '10.9.8.7')
      const inside = await house.lookup(`${label}.svc.cluster.local`)
      assert.is(inside.answers[0]?.data, '10.96.0.9')
    }
    assert.is(house.timesAsked(label.toLowerCase()), 1)
  }
})

test('when a share of the table is used up the newest gets SERVFAIL at once, and cached names and other clients are answered', async () => {
  const inFlight = { questionsMax: 9 }
  await withHouse(
    { settings: { ...settings, inFlight }, external: (query) => query.answer() },
    async (house) => {
      await house.lookup('known.example')
      house.external.behave = () => undefined
      const client = await UdpClient.open(house.server)
      for (let i = 0; i < 5; i++) client.send(writeQuery(`open${i}.example`, 'A'))
      await until('all open', () => house.external.queries.length === 6)
      const startMs = performance.now()
      const refused = await house.lookup('sixth.example', 'A', { ednsBytes: 1232 })
      assert.equal([refused.rcode, refused.opt?.data], [2, '000f00020000'], 'EDE 0')
      assert.ok(performance.now() - startMs < 500)
      assert.is((await house.lookup('known.example')).answers.length, 1)
      assert.is(house.timesAsked('sixth.example'), 0)
      const share = { limit: 'questions', share: 'client' }
      assert.is(await house.metric('neardns_share_refusals_total', share), 1)
      await client.close()
      house.external.behave = (query) => query.answer()
      const other = await UdpClient.open(house.server, '127.0.0.2')
      other.send(writeQuery('of-another.example', 'A'))
      assert.is(readMessage((await other.next()) ?? Buffer.alloc(0)).rcode, 0)
      await other.close()
    },
  )
})

test.run()

const forged = suite<{ house: House }>('e2e/forged-sources')
const raw = needing(forged, 'root', 'gcc')

raw.before(async (context) => {
  context.house = await House.open({ settings })
})

raw.after(async ({ house }) => {
  await house.close()
})

function from(house: House, port: number, payload: Buffer): RawPacket {
  return { from: { host: '127.0.0.1', port }, to: house.server, payload }
}

async function dropped(house: House, reason: string): Promise<number> {
  return await house.metric('neardns_dropped_packets_total', { reason })
}

raw(
  'queries from ports 0, 7, 9, 13, 17, 19, 37 and 464 are dropped before anything else, and the daemon lives',
  async ({ house }) => {
    const ports = [0, 7, 9, 13, 17, 19, 37, 464]
    const query = writeQuery('forged.example', 'A')
    // Junk as well: what cannot be parsed must not be answered there either.
    await sendRawUdp(
      ports.flatMap((port) => [from(house, port, query), from(house, port, Buffer.alloc(12))]),
    )
    await until(
      'counted',
      async () => (await dropped(house, 'forbidden-port')) === 2 * ports.length,
    )
    assert.is(house.timesAsked('forged.example'), 0)
    assert.is((await house.lookup('after.example')).rcode, 0)
    assert.is(await house.metric('coredns_panics_total'), 0)
  },
)

raw(
  'queries that claim to come from our own socket or an upstream’s are dropped',
  async ({ house }) => {
    const query = writeQuery('reflected.example', 'A')
    await sendRawUdp([
      from(house, house.server.port, query),
      from(house, house.external.port, query),
      from(house, house.cluster.port, query),
    ])
    await until('counted', async () => (await dropped(house, 'own-address')) === 3)
    assert.is(house.timesAsked('reflected.example'), 0)
  },
)

raw('a client that really sends from port 53 is answered', async ({ house }) => {
  const before = house.external.queries.length
  await sendRawUdp([from(house, 53, writeQuery('from-53.example', 'A'))])
  await until('asked', () => house.external.queries.length === before + 1)
  assert.is(house.timesAsked('from-53.example'), 1)
})

raw('on a wildcard address a forged packet from our own port bounces once at most', async () => {
  await withHouse({ settings: { ...settings, listen: ['0.0.0.0:0'] } }, async (house) => {
    await sendRawUdp([
      from(house, house.server.port, writeQuery('bounce.example', 'A', { rd: false })),
    ])
    await until(
      'settled',
      async () =>
        (await dropped(house, 'response-to-server-port')) +
          (await dropped(house, 'own-address')) ===
        1,
    )
    assert.is((await house.lookup('after.example')).rcode, 0)
    assert.is(
      (await dropped(house, 'response-to-server-port')) + (await dropped(house, 'own-address')),
      1,
    )
  })
})

raw.run()
