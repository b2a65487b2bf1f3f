/*
 * Goal: what an upstream says that is no answer is not taken for one: the next is asked, and alone it is SERVFAIL. Method: the daemon before
 * two scripted resolvers, of which the first says each such thing, and a client that looks at the reply.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Upstream } from '../../src/address/upstream-url.ts'
import { aRecord, record } from '../core/support.ts'
import { name, octets, opt } from '../fixtures/packets/octets.ts'
import { type Behaviour, type FakeQuery, FakeUpstream, silent } from '../upstream/fake-upstream.ts'
import { type House, replyTo, withHouse } from './support.ts'

const test = suite('e2e/unhelpful-upstreams')

/** A server of zones that does not recurse: no RA, no AA. */
function lame(...authorities: readonly Uint8Array[]): Behaviour {
  return (query) => {
    const reply = replyTo(query, { authorities })
    reply[3] = 0
    query.send(reply)
  }
}

/** With the OPT record where the query has one, so that the upper bits reach us. */
function saying(rcode: number): Behaviour {
  return (query: FakeQuery) => {
    const reply = Buffer.from(query.message.subarray(0, query.questionEnd))
    reply[2] = 0x81
    reply[3] = 0x80 | (rcode & 0x0f)
    reply.writeUInt16BE(query.hasOpt ? 1 : 0, 10)
    query.send(query.hasOpt ? octets(reply, opt({ extendedRcode: rcode >> 4 })) : reply)
  }
}

const parent = record('example', 'NS', name('ns.other.test'))
const root = record('.', 'NS', name('a.root-servers.net'))
const glue = aRecord('ns.other.test', '6.6.6.6')

const shortAddress = record('www.example', 'A', octets(192, 0, 2))
const endlessAlias = record('www.example', 'CNAME', octets(9, 'abc'))
/** Its first name leads into a label. */
const brokenSoa = record('example', 'SOA', octets([0xc0, 0x0d], [0xc0, 0x0c], Buffer.alloc(20)))

const broken: Behaviour = (query) =>
  query.send(replyTo(query, { rcode: 3, authorities: [brokenSoa] }))

const rows: readonly [string, Behaviour, alone: number][] = [
  ['a referral to the parent', lame(parent), 2],
  ['a referral to the root', lame(root), 2],
  [
    'a referral with RA',
    (query) => query.send(replyTo(query, { authorities: [parent], additionals: [glue] })),
    2,
  ],
  [
    'an address of three bytes',
    (query) => query.send(replyTo(query, { answers: [shortAddress] })),
    2,
  ],
  [
    'an alias that is cut off',
    (query) => query.send(replyTo(query, { answers: [endlessAlias] })),
    2,
  ],
  ['a denial whose SOA has a broken name', broken, 2],
  ['FORMERR, also without EDNS', saying(1), 2],
  ['SERVFAIL', saying(2), 2],
  ['NOTIMP, also without EDNS', saying(4), 2],
  ['REFUSED', saying(5), 5],
  ['NOTAUTH', saying(9), 2],
  ['DSOTYPENI', saying(11), 2],
  ['BADCOOKIE', saying(23), 2],
]

async function withTwo(
  first: Behaviour,
  second: Behaviour,
  body: (house: House) => Promise<void>,
  policy = 'auto',
): Promise<void> {
  const other = await FakeUpstream.start(second)
  const one = await FakeUpstream.start(first)
  const resolvers = [one, other].map(
    ({ port }): Upstream => ({ transport: 'udp', address: '127.0.0.1', port, family: 4 }),
  )
  try {
    await withHouse({ resolvers, settings: { external: { exchange: { policy } } } }, body)
  } finally {
    await one.stop()
    await other.stop()
  }
}

const emptyHanded = ['an empty reply without recursion', lame()] as const

for (const [what, behave] of [...rows, emptyHanded]) {
  test(`after ${what} the next resolver is asked, and its answer is the client’s`, async () => {
    await withTwo(
      behave,
      (query) => query.answer(),
      async (house) => {
        const read = await house.lookup('www.example')
        assert.equal([read.rcode, read.answers.map(({ data }) => data)], [0, ['10.9.8.7']])
      },
    )
  })
}

for (const [what, behave, alone] of rows) {
  test(`${what} alone is response code ${alone} with an extended error, and nothing of it is passed on`, async () => {
    await withHouse({ external: behave }, async (house) => {
      const read = await house.lookup('www.example', 'A', { ednsBytes: 1232 })
      assert.equal([read.rcode, read.authorities.length, read.additionals.length], [alone, 0, 0])
      assert.match(read.opt?.data ?? '', /^000f0002001[67]$/)
    })
  })
}

for (const [what, behave] of [...rows, emptyHanded, ['nothing', silent] as const]) {
  test(`after ${what} an equal is asked, whichever came first`, async () => {
    const body = async (house: House) => {
      for (let i = 0; i < 3; i++) {
        const read = await house.lookup(`www${i}.example`)
        assert.equal([read.rcode, read.answers.length], [0, 1])
      }
    }
    await withTwo(behave, (query) => query.answer(), body, 'round_robin')
  })
}

test('after nothing the next resolver of an order is asked', async () => {
  await withTwo(
    silent,
    (query) => query.answer(),
    async (house) => {
      assert.is((await house.lookup('www.example')).answers.length, 1)
    },
  )
})

test('NXDOMAIN and YXDOMAIN of the first are answers, and the next resolver is not asked', async () => {
  for (const rcode of [3, 6]) {
    await withTwo(
      saying(rcode),
      (query) => query.answer(),
      async (house) => {
        assert.is((await house.lookup('www.example')).rcode, rcode)
      },
    )
  }
})

test('when all say no the client gets the best there was', async () => {
  for (const [first, second, rcode] of [
    [saying(2), saying(5), 2],
    [saying(5), saying(2), 2],
    [saying(5), lame(parent), 5],
    [lame(parent), saying(9), 2],
    [broken, saying(5), 5],
    [saying(5), broken, 5],
    [lame(), saying(2), 2],
    [saying(5), lame(), 5],
    [lame(parent), lame(), 0],
    [saying(4), lame(), 0],
  ] as const) {
    await withTwo(first, second, async (house) => {
      assert.is((await house.lookup('www.example')).rcode, rcode)
    })
  }
})

test('retries without EDNS leave a packet for the third of an order', async () => {
  for (const [first, second] of [
    [saying(5), saying(2)],
    [lame(), saying(5)],
    [saying(2), lame()],
  ] as const) {
    const third = await FakeUpstream.start((query) => query.answer())
    const one = await FakeUpstream.start(first)
    const two = await FakeUpstream.start(second)
    const resolvers = [one, two, third].map(
      ({ port }): Upstream => ({ transport: 'udp', address: '127.0.0.1', port, family: 4 }),
    )
    try {
      await withHouse({ resolvers }, async (house) => {
        assert.is((await house.lookup('www.example')).answers.length, 1)
      })
    } finally {
      await Promise.all([one, two, third].map((upstream) => upstream.stop()))
    }
  }
})

test('an empty reply without recursion is no failure where nobody says more, and its server keeps the other types', async () => {
  const small: Behaviour = (query) => {
    const isA = query.message.readUInt16BE(query.questionEnd - 4) === 1
    const reply = replyTo(query, { answers: isA ? [aRecord('www.example', '10.9.8.7')] : [] })
    reply[3] = 0
    query.send(reply)
  }
  await withHouse({ external: small }, async (house) => {
    assert.is((await house.lookup('www.example')).answers.length, 1)
    for (let i = 0; i < 2; i++) {
      const read = await house.lookup('www.example', 'AAAA', { ednsBytes: 1232 })
      assert.equal([read.rcode, read.answers, read.opt?.data], [0, [], ''])
    }
    assert.is(house.timesAsked('www.example'), 2)
  })
})

test('an empty answer of a resolver stays one', async () => {
  await withTwo(
    (query) => query.send(replyTo(query, {})),
    (query) => query.answer(),
    async (house) => {
      const read = await house.lookup('www.example', 'AAAA')
      assert.equal([read.rcode, read.answers], [0, []])
    },
  )
})

test.run()
