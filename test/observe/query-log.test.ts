/**
 * Goal: the query log shows one query in N, escapes names, and costs nothing while it is off. Method: a log that
 * collects, queries made by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ReplyFacts, ReplySource } from '../../src/core/facts.ts'
import type { Log, LogFields } from '../../src/observe/log.ts'
import { QueryLog } from '../../src/observe/query-log.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'

const test = suite('observe/query-log')

interface Collected {
  readonly log: Log
  readonly lines: LogFields[]
  readonly texts: string[]
}

function collect(): Collected {
  const lines: LogFields[] = []
  const texts: string[] = []
  const unused = () => assert.unreachable()
  const log: Log = {
    debug: unused,
    info: (fields) => lines.push(fields),
    warn: unused,
    error: unused,
    plain: (text) => texts.push(text),
    limited: () => 0,
    setLevel: unused,
    flush: async () => undefined,
    flushSync: unused,
    linesLost: 0,
  }
  return { log, lines, texts }
}

function query(...labels: string[]): Buffer {
  const name = labels.map((label) => {
    const octets = Buffer.from(label, 'latin1')
    return Buffer.concat([Buffer.from([octets.length]), octets])
  })
  return Buffer.concat([Buffer.alloc(12), ...name, Buffer.from([0, 0, 1, 0, 1])])
}

const factsOf = (message: Buffer): ReplyFacts => ({
  serverIndex: 0,
  zoneIndex: 0,
  transport: 0,
  family: 4,
  qtype: 1,
  rcode: 3,
  source: ReplySource.cacheDenial,
  queryBytes: message.length,
  replyBytes: 120,
  dnssecOk: false,
  tookMs: 0.123_456,
})

interface Asking {
  readonly client?: () => string
  readonly answers?: number
  readonly rcode?: number
  readonly queryBytes?: number
}

function record(queries: QueryLog, message: Buffer, asking: Asking = {}): void {
  const { client = () => '10.0.0.7', answers = 1, rcode = 3, queryBytes = message.length } = asking
  const question = new Question()
  readQuestion(message, message.length, question)
  const facts = { ...factsOf(message), rcode, queryBytes }
  const image = Buffer.from([0, 0, 0x84, 0x80 | rcode, 0, 1, 0, answers, 0, 0, 0, 0])
  const common = {
    question,
    query: message,
    queryBytes,
    serverIndex: 0,
    transport: 0,
    family: 4,
  } as const
  const arrival = { ...common, clientPort: 4711, arrivedMs: 0, clientAddress: client }
  queries.record(arrival, { image, rcode, source: facts.source, ede: -1 }, facts)
}

test('a line says who asked what and what became of it', () => {
  const { log, lines } = collect()
  const message = query('www', 'example')
  record(new QueryLog(log, { sampleOneIn: 1, rules: [] }), message)
  assert.equal(lines, [
    {
      client: '10.0.0.7',
      proto: 'udp',
      qname: 'www.example.',
      qtype: 1,
      rcode: 'NXDOMAIN',
      source: 'cacheDenial',
      queryBytes: message.length,
      replyBytes: 120,
      tookMs: 0.123,
    },
  ])
})

test('with rules the first one for a name decides, and counts what it logs', () => {
  const { log, lines } = collect()
  const queries = new QueryLog(log, {
    sampleOneIn: 2,
    rules: [
      { zone: 'a.example', classes: ['denial'] },
      { zone: 'b.example', classes: [] },
      { zone: '.', classes: ['success', 'error'], format: null },
    ],
  })
  const ask = (labels: string[], rcode: number, answers: number) => {
    record(queries, query(...labels), { rcode, answers })
    return lines.length
  }
  for (let i = 0; i < 3; i++) assert.is(ask(['www', 'A', 'example'], 0, 1), 0)
  assert.is(ask(['www', 'A', 'example'], 3, 0), 0)
  assert.is(ask(['a', 'example'], 0, 0), 1)
  for (let i = 0; i < 3; i++) assert.is(ask(['b', 'example'], 2, 0), 1)
  assert.is(ask(['ba', 'example'], 0, 1), 1)
  assert.is(ask(['ba', 'example'], 3, 0), 1)
  assert.is(ask(['ba', 'example'], 5, 0), 2)
})

test('names are escaped: no octet of theirs reaches the line as it is but letters, digits, hyphen, underscore', () => {
  const { log, lines } = collect()
  const message = query('a\n"\u001b[31m', 'b.c', '\u00e9')
  record(new QueryLog(log, { sampleOneIn: 1, rules: [] }), message)
  assert.is(lines[0]?.['qname'], 'a\\010\\034\\027\\09131m.b\\046c.\\233.')
})

test('a name that runs past the end of the query is not followed into what lies behind', () => {
  const { log, lines } = collect()
  const message = query('secret', 'behind')
  record(new QueryLog(log, { sampleOneIn: 1, rules: [] }), message, { queryBytes: 15 })
  assert.is(lines[0]?.['qname'], '?')
})

test('one query in N is shown, and the client is asked for its name only then', () => {
  const { log, lines } = collect()
  const message = query('a')
  const queries = new QueryLog(log, { sampleOneIn: 10, rules: [] })
  let asked = 0
  const client = () => String(++asked)
  for (let n = 0; n < 100; n++) record(queries, message, { client })
  assert.is(lines.length, 10)
  assert.is(asked, 10)
})

test('0 turns it off, and it can be turned on later', () => {
  const { log, lines } = collect()
  const message = query('a')
  const queries = new QueryLog(log, { sampleOneIn: 0, rules: [] })
  for (let n = 0; n < 100; n++) record(queries, message)
  assert.is(lines.length, 0)
  queries.setSampling(1)
  record(queries, message)
  assert.is(lines.length, 1)
})

test('a rule with a format writes its own line', () => {
  const { log, lines, texts } = collect()
  const rules = [
    { zone: '.', classes: ['denial'], format: '{remote}:{port} {name} {/log/type}' },
  ] as const
  record(new QueryLog(log, { sampleOneIn: 1, rules }, [{ address: '::1' }]), query('a'))
  assert.equal(lines, [])
  assert.equal(texts, ['[INFO] 10.0.0.7:4711 a. NXDOMAIN'])
})

test.run()
