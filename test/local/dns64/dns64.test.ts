/**
 * Goal: a name without AAAA records gets those that a translator serves, and nobody else gets them. Method: the pipeline without a socket, an
 * upstream answered by hand; test/real/plugins/dns64.test.ts asks a real CoreDNS the same.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressBytes, addressText } from '../../../src/address/ip-address.ts'
import { Rewritings } from '../../../src/local/rewritings.ts'
import { aRecord, record, responseTo, soaRecord } from '../../core/support.ts'
import { Client } from '../../pipeline/support.ts'
import { type QueryOptions, writeQuery } from '../../support/client/dns-message.ts'
import { LocalBench, outlookOf, problemOf } from '../support.ts'

const test = suite('local/dns64/dns64')

class Client6 extends Client {
  override address(): string {
    return '2001:db8::7'
  }
}

async function started(items: string, rules = '') {
  const { settings } = await outlookOf(`dns64: [${items}]\n${rules}`)
  const bench = new LocalBench([], { rotate: false })
  const rewritings = new Rewritings()
  rewritings.reconfigure(settings, bench.resolver)
  const translated = () => rewritings.families().at(-1)?.collect()
  const remove = () =>
    rewritings.reconfigure({ ...settings, dns64: [], rewrites: [] }, bench.resolver)
  return { bench, translated, remove }
}

function ask(bench: LocalBench, name: string, options: QueryOptions = {}, client = new Client6()) {
  bench.handle(writeQuery(name, 'AAAA', options), client)
  return client
}

const nodata = (name: string, ttl = 60) =>
  responseTo(name, 'AAAA', { authorities: [soaRecord('example', ttl)] })

const addresses = (client: Client) =>
  client.got.flatMap(({ answers }) => answers.map(({ data }) => addressText(addressBytes(data))))

test('A is asked once AAAA has brought nothing, and from then on the cache has both', async () => {
  const { bench } = await started('{}')
  const client = ask(bench, 'WWW.example')
  bench.answer(nodata('www.example', 7))
  assert.equal(client.got, [])
  bench.answer(responseTo('www.example', 'A', { answers: [aRecord('www.example', '192.0.2.1')] }))
  const [reply] = client.got
  assert.equal(reply?.questions, [{ name: 'WWW.example.', type: 28, class: 1 }])
  assert.equal(
    reply?.answers.map(({ name, type, ttl, data }) => [
      name,
      type,
      ttl,
      addressText(addressBytes(data)),
    ]),
    [['WWW.example.', 28, 7, '64:ff9b::c000:201']],
  )
  assert.equal(addresses(ask(bench, 'www.example')), ['64:ff9b::c000:201'])
  assert.is(bench.asked.length, 0)
})

test('clients that share a question each get their own answer', async () => {
  const { bench } = await started('{}')
  const clients = [
    new Client6({ port: 1001 }),
    new Client({ port: 1002 }),
    new Client6({ port: 1003 }),
  ]
  for (const client of clients) ask(bench, 'www.example', {}, client)
  assert.is(bench.asked.length, 1)
  bench.answer(nodata('www.example'))
  bench.answer(responseTo('www.example', 'A', { answers: [aRecord('www.example', '192.0.2.1')] }))
  assert.equal(
    clients.map((client) => addresses(client)),
    [['64:ff9b::c000:201'], [], ['64:ff9b::c000:201']],
  )
  assert.equal(clients[1]?.got[0]?.rcode, 0)
})

test('what is not translated: data, no such name, names outside of the zones, validating clients', async () => {
  const { bench } = await started('{ zones: [example], except: [no.example] }')
  const six = record('six.example', 'AAAA', Buffer.from('20010db8000000000000000000000001', 'hex'))
  const data = ask(bench, 'six.example')
  bench.answer(responseTo('six.example', 'AAAA', { answers: [six] }))
  assert.equal(addresses(data), ['2001:db8::1'])
  const none = ask(bench, 'none.example')
  bench.answer(
    responseTo('none.example', 'AAAA', { rcode: 3, authorities: [soaRecord('example')] }),
  )
  assert.is(none.got[0]?.rcode, 3)
  for (const [name, options] of [
    ['x.no.example', {}],
    ['x.test', {}],
    ['dnssec.example', { ednsBytes: 1232, do: true, cd: true }],
  ] as const) {
    const client = ask(bench, name, options)
    bench.answer(nodata(name))
    assert.equal([client.got.length, addresses(client)], [1, []], name)
  }
  assert.is(bench.asked.length, 0)
})

test('without A records the answer to AAAA is given, and when A fails its failure', async () => {
  const { bench } = await started('{}')
  const client = ask(bench, 'none.example')
  bench.answer(nodata('none.example'))
  bench.answer(responseTo('none.example', 'A', { authorities: [soaRecord('example')] }))
  assert.equal([client.got[0]?.rcode, client.got[0]?.authorities.length], [0, 1])
  const failed = ask(bench, 'fail.example')
  bench.fail()
  bench.fail()
  assert.equal(
    [failed.got.length, failed.got[0]?.rcode, failed.got[0]?.questions[0]?.type],
    [1, 2, 28],
  )
})

test('translate_all, clients over IPv4, a prefix in the middle of which a byte is left out', async () => {
  const { bench, translated } = await started(
    "{ prefix: '2001:db8:122::/48', translateAll: true, ipv4Clients: true }",
  )
  const client = ask(bench, 'six.example', {}, new Client())
  const six = record('six.example', 'AAAA', Buffer.from('20010db8000000000000000000000001', 'hex'))
  bench.answer(responseTo('six.example', 'AAAA', { answers: [six] }))
  bench.answer(responseTo('six.example', 'A', { answers: [aRecord('six.example', '192.0.2.33')] }))
  // RFC 6052 2.4.
  assert.equal(addresses(client), ['2001:db8:122:c000:2:2100::'])
  assert.equal(translated?.()?.[0]?.value, 1)
})

test('a rewritten name is translated under its own, and its answer is given under the old one', async () => {
  const { bench } = await started(
    '{}',
    'rewrites: [{ match: suffix, from: .front, to: .back, answer: [auto] }]',
  )
  const client = ask(bench, 'www.front')
  bench.answer(nodata('www.back'))
  bench.answer(responseTo('www.back', 'A', { answers: [aRecord('www.back', '192.0.2.1')] }))
  assert.equal(
    client.got[0]?.answers.map(({ name, data }) => [name, addressText(addressBytes(data))]),
    [['www.front.', '64:ff9b::c000:201']],
  )
})

test('a client that waits while the setting is removed gets its answer, and nobody gets one like it afterwards', async () => {
  const { bench, remove } = await started('{}')
  const client = ask(bench, 'www.example')
  remove()
  bench.answer(nodata('www.example'))
  bench.answer(responseTo('www.example', 'A', { answers: [aRecord('www.example', '192.0.2.1')] }))
  assert.equal(addresses(client), ['64:ff9b::c000:201'])
  const later = ask(bench, 'www.example')
  assert.equal([later.got[0]?.rcode, addresses(later)], [0, []])
  bench.handle(writeQuery('www.example', 'A'), later)
  assert.equal(addresses(later), ['192.0.2.1'])
})

test('a prefix that is none is refused', async () => {
  for (const prefix of ['10.0.0.0/8', '64:ff9b::/97', '64:ff9b::/128'])
    assert.match(await problemOf(`dns64: [{ prefix: '${prefix}' }]`), /is no prefix for DNS64/)
})

test.run()
