/**
 * Goal: special-use names get what their RFCs say, the cluster domain and configured zones win, each can be switched, and nobody is asked.
 * Method: queries through the pipeline, without a socket; the table is RFC 6761 6, RFC 7686 2, RFC 6303 4.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../../src/config/load.ts'
import { foretell } from '../../../src/core/explain.ts'
import { unlimited } from '../../../src/local/bounded.ts'
import { specialUses } from '../../../src/local/special-use/names.ts'
import { SpecialUseStage } from '../../../src/local/special-use/stage.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { Bench, Client } from '../../pipeline/support.ts'
import {
  type QueryOptions,
  type TypeName,
  typeNumbers,
  writeQuery,
} from '../../support/client/dns-message.ts'

const test = suite('local/special-use/stage')

type Switches = Partial<Record<(typeof specialUses)[number], boolean>>

function outlook(switches: Switches, claimed: readonly string[]) {
  const lines = Object.entries(switches).map(([use, isOn]) => `${use}: ${isOn}`)
  const text = lines.length === 0 ? '{}' : `specialUse: { ${lines.join(', ')} }`
  const read = loadConfig({ file: { name: 'test.yaml', text } })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return {
    settings: read.config,
    claimed: claimed.map(name),
    unserved: [],
    unservedRcode: 'nxdomain',
    limitsOf: () => unlimited,
    textOf: () => '',
  } as const
}

function started(switches: Switches = {}, claimed: readonly string[] = ['cluster.local']) {
  const stage = new SpecialUseStage(outlook(switches, claimed))
  const bench = new Bench({ local: [stage] })
  const ask = (qname: string, type: TypeName, options?: QueryOptions) => {
    const reply = bench.handle(writeQuery(qname, type, options), new Client())
    if (reply === undefined) return 'asked'
    const records = [...reply.answers, ...reply.authorities]
    return [reply.rcode, ...records.map(({ type: of, data }) => `${typeText(of)} ${data}`)].join(
      ' ',
    )
  }
  return { bench, stage, ask }
}

const typeText = (number: number) =>
  Object.entries(typeNumbers).find(([, value]) => value === number)?.[0] ?? String(number)

const loopbackV4 = '0 A 127.0.0.1'
const loopbackV6 = '0 AAAA 0000:0000:0000:0000:0000:0000:0000:0001'
const noData = /^0 SOA/
const absent = /^3 SOA/
const reverse6 = `1.${'0.'.repeat(31)}ip6.arpa`

const table: readonly (readonly [string, TypeName, string | RegExp])[] = [
  ['localhost', 'A', loopbackV4],
  ['LocalHost', 'AAAA', loopbackV6],
  ['db.localhost', 'A', loopbackV4],
  ['a.b.c.localhost', 'AAAA', loopbackV6],
  ['localhost', 'ANY', `${loopbackV4} ${loopbackV6.slice(2)}`],
  ['localhost', 'TXT', noData],
  ['mail.localhost', 'MX', noData],
  ['1.0.0.127.in-addr.arpa', 'PTR', /^0 PTR localhost/],
  ['1.0.0.127.in-addr.arpa', 'A', noData],
  ['x.1.0.0.127.in-addr.arpa', 'PTR', absent],
  ['2.0.0.127.in-addr.arpa', 'PTR', absent],
  ['127.in-addr.arpa', 'SOA', absent],
  [reverse6, 'PTR', /^0 PTR localhost/],
  [reverse6, 'AAAA', noData],
  ['invalid', 'A', absent],
  ['www.invalid', 'AAAA', absent],
  ['onion', 'A', absent],
  ['expyuzz4wqqyqhjn.onion', 'A', absent],
  ['printer.local', 'A', 'asked'],
  ['www.test', 'A', 'asked'],
  ['localhost.example', 'A', 'asked'],
  ['notlocalhost', 'A', 'asked'],
  ['xonion', 'A', 'asked'],
  ['128.in-addr.arpa', 'PTR', 'asked'],
  [`2${reverse6.slice(1)}`, 'PTR', 'asked'],
  ['localhost.cluster.local', 'A', 'asked'],
]
for (const [qname, type, expected] of table) {
  test(`${qname.length > 40 ? '::1 reversed' : qname} ${type}`, () => {
    const { ask, bench } = started()
    const got = ask(qname, type)
    if (typeof expected === 'string') assert.is(got, expected)
    else assert.match(got, expected)
    assert.is(bench.asked.length, expected === 'asked' ? 1 : 0)
  })
}

test('each is switched by itself', () => {
  const probes = {
    localhost: 'localhost',
    invalid: 'x.invalid',
    onion: 'x.onion',
    local: 'x.local',
    test: 'x.test',
  }
  for (const use of specialUses) {
    for (const isOn of [true, false]) {
      const { ask } = started({ [use]: isOn })
      assert.is(ask(probes[use], 'A') === 'asked', !isOn, `${use} ${isOn}`)
    }
  }
  const { ask } = started({ localhost: false })
  assert.is(ask('1.0.0.127.in-addr.arpa', 'PTR'), 'asked')
})

test('the cluster domain and zones win, at, below and above a special name', () => {
  const claims = ['corp.test', 'local', 'in-addr.arpa', 'onion']
  const { ask } = started({ local: true, test: true }, claims)
  for (const qname of ['www.corp.test', 'corp.test', 'printer.local', 'x.onion'])
    assert.is(ask(qname, 'A'), 'asked', qname)
  assert.is(ask('1.0.0.127.in-addr.arpa', 'PTR'), 'asked')
  assert.match(ask('www.test', 'A'), absent)
  assert.is(ask('localhost', 'A'), loopbackV4)
})

test('a reload switches names, and gives and takes zones', () => {
  const { ask, stage } = started()
  stage.reconfigure(outlook({ localhost: false, test: true }, []))
  assert.is(ask('localhost', 'A'), 'asked')
  assert.match(ask('www.test', 'A'), absent)
  stage.reconfigure(outlook({}, ['localhost']))
  assert.is(ask('db.localhost', 'A'), 'asked')
})

test('a client that wants no recursion is answered, another class is not', () => {
  const { ask } = started()
  assert.is(ask('localhost', 'A', { rd: false }), loopbackV4)
  const { bench, stage } = started()
  const chaos = writeQuery('localhost', 'A')
  chaos.writeUInt16BE(3, chaos.length - 2)
  assert.is.not(bench.handle(chaos, new Client())?.rcode, 0)
  assert.is(stage.answered.localhost, 0)
})

test('each answer is counted under its name, and explain names the stage', () => {
  const { ask, stage, bench } = started()
  ask('db.localhost', 'A')
  ask('1.0.0.127.in-addr.arpa', 'PTR')
  ask('x.onion', 'A')
  const [family] = stage.families()
  const counts = family?.collect().map(({ labels, value }) => `${labels['name']} ${value}`)
  assert.equal(counts, ['localhost 2', 'invalid 0', 'onion 1', 'local 0', 'test 0'])
  const query = writeQuery('x.onion', 'A')
  const question = new Question()
  readQuestion(query, query.length, question)
  const asker = { clientPort: 1, turns: 0, clientAddress: () => '' }
  const { trace, outcome } = foretell(bench, query, question, { nowMs: bench.nowMs(), asker })
  assert.is(trace.at(-1)?.stage, 'special use')
  assert.match(outcome.why, /RFC 7686/)
  assert.is(stage.answered.onion, 1, 'explaining counts nothing')
})

test.run()
