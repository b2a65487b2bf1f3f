/**
 * Goal: `explain` says what then happens, and leaves everything as it was. Method: a small world of names in which every state comes up (fresh,
 * stale, in flight, failed, denied by shape, cut, pair and A, answer mode on and off, no room, no recursion wanted), at random; before
 * each question its outcome is foretold, and the whole state of the core is compared before and after that.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Decision } from '../../src/core/decision.ts'
import { type Explanation, explainText, foretell } from '../../src/core/explain.ts'
import type { SearchList } from '../../src/core/search/answer-mode/lists.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { Random } from '../fuzz/random.ts'
import { Client } from '../pipeline/support.ts'
import { type ReadMessage, readMessage, writeQuery } from '../support/client/dns-message.ts'
import { type Say, SearchBench, type Type } from './search/support.ts'
import { stateOf } from './state.ts'

const test = suite('core/explain')

const questions = 5000
/** Comparing the whole state costs milliseconds. */
const compareOneIn = 25

const suffixes = ['team-0.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
const list: SearchList = {
  suffixes: suffixes.map((suffix) => wire(suffix)),
  ndots: 5,
}
const pod = '10.244.0.7'
const clients = [pod, '10.244.0.8'].flatMap((host) =>
  [40_000, 40_001].map((port) => new Client({ host, port })),
)
const hosts = ['www.example.com', 'api.example.com', 'v4.com', 'gone.org']
const names = [
  ...hosts,
  ...hosts.flatMap((host) => suffixes.map((suffix) => `${host}.${suffix}`)),
  ...['web', 'db', 'six'].map((service) => `${service}.team-0.svc.cluster.local`),
  'web.team-1.svc.cluster.local',
  'db.corp.example',
  'team-0.svc.cluster.local',
]
const says: readonly Say[] = [
  { a: '10.96.0.9', ttl: 5 },
  { aaaa: '2001:db8::9', ttl: 5 },
  { a: '10.96.0.8', aaaa: '2001:db8::8', ttl: 30 },
  'nxdomain',
  'nxdomain',
  'servfail',
]

function wire(name: string): string {
  return `${name
    .split('.')
    .map((label) => String.fromCharCode(label.length) + label)
    .join('')}\0`
}

interface World {
  readonly bench: SearchBench
  readonly random: Random
  /** What `begin` has decided last. */
  last: string
}

function world(trust: 'declared' | 'cautious', random: Random): World {
  const bench = new SearchBench({
    settings: { trust, auditOneIn: 10 },
    stage: {
      prefetches: random.below(2) === 0,
      lists: {
        namespaces: new Set(['\x06team-0']),
        find: (_, client) => (client === pod ? list : undefined),
      },
    },
  })
  const made: World = { bench, random, last: '' }
  const { resolver } = bench.bench
  const begin = resolver.begin.bind(resolver)
  resolver.begin = (...asked) => {
    const decision = begin(...asked)
    made.last = decisionText(decision)
    return decision
  }
  bench.isHolding = true
  bench.bench.frozenMs = 1_000_000
  return made
}

function decisionText(decision: Decision): string {
  const { isReply, source, rcode, stored, image, ticket, starts, follows, hasStale } = decision
  if (!isReply) return waitText({ key: ticket?.key ?? '', starts, follows, hasStale })
  const bytes =
    stored === undefined
      ? image
      : stored.memory.subarray(stored.imageAt, stored.imageAt + stored.imageBytes)
  return replyText(source, rcode, bytes)
}

function foretoldText({ outcome }: Explanation): string {
  if (outcome.kind === 'wait') return waitText(outcome)
  if (outcome.kind === 'reply') return replyText(outcome.source, outcome.rcode, outcome.image)
  return 'undecided'
}

function waitText(wait: {
  readonly key: string
  readonly starts: boolean
  readonly follows: string | undefined
  readonly hasStale: boolean
}): string {
  const { key, starts, follows, hasStale } = wait
  return JSON.stringify(['wait', key, starts, follows ?? 'itself', hasStale])
}

function replyText(source: number, rcode: number, image: Uint8Array | undefined): string {
  const message = image === undefined ? undefined : readMessage(Buffer.from(image))
  return JSON.stringify(['reply', source, rcode, message === undefined ? [] : recordsOf(message)])
}

/** TTLs are those of the moment when an image was made last. */
function recordsOf({ answers, authorities }: ReadMessage): string[] {
  const records = [...answers, ...authorities]
  return records.map(({ name, type, data }) => `${name} ${type} ${data.replace(/ \d+$/, '')}`)
}

/** A clock that stands still but for this makes each run the same. */
function later({ bench }: SearchBench, ms: number): void {
  bench.frozenMs = bench.nowMs() + ms
}

/** The questions that are open are answered or left, the world changes, time goes by. */
function between({ bench, random }: World): void {
  if (random.below(6) === 0) bench.says.set(`${random.pick(names)}.`, random.pick(says))
  if (random.below(40) === 0) bench.says.clear()
  const open = bench.bench.asked.length
  const answers = random.below(9)
  if (answers < 3) bench.answerAll()
  else if (answers < 5 && open > 0) bench.answerOne(random.below(open))
  later(bench, random.below(3))
  if (random.below(4) === 0) later(bench, random.below(2000))
  if (random.below(60) === 0) later(bench, 40_000)
  const { inFlight } = bench.bench
  const questionsMax = random.below(25) === 0 ? inFlight.stats.questions : 100
  inFlight.reconfigure({
    questionsMax,
    waitersMax: 1000,
    waitersPerQuestionMax: 10,
    waitersPerClientMax: 50,
  })
}

/** @returns lines that are not the same */
function changed(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  return now.filter((line, i) => line !== old[i]).slice(0, 5)
}

/** Asks one question. @returns its outcome: which stage, and what for */
function askOne(made: World, n: number): string {
  const { bench, random } = made
  const { resolver, router, pipeline } = bench.bench
  const client = random.pick(clients)
  const type: Type = random.pick(['A', 'AAAA'])
  const query = writeQuery(random.pick(names), type, { rd: random.below(40) > 0 })
  const question = new Question()
  readQuestion(query, query.length, question)
  const nowMs = bench.bench.nowMs()
  const asker = { clientPort: client.port, turns: 0, clientAddress: () => client.address() }
  const isCompared = n % compareOneIn === 0
  const before = isCompared ? stateOf(bench.bench, bench.stage) : ''
  const told = foretell({ resolver, router }, query, question, { nowMs, asker })
  const text = foretoldText(told)
  explainText(told, { records: () => [], upstreams: () => [], staleAfterMs: () => 200 })
  if (isCompared) assert.equal(changed(before, stateOf(bench.bench, bench.stage)), [])
  pipeline.beginBatch()
  pipeline.handle(query, query.length, Buffer.alloc(65_535), client)
  assert.is(text, made.last, `question ${n}`)
  const { outcome, trace } = told
  const what = outcome.kind === 'wait' ? (outcome.follows ?? outcome.starts) : outcome.why
  return `${trace.at(-1)?.stage}: ${String(what).replaceAll(/\d+(\.\d+)?/g, 'n')}`
}

test(`${questions} random questions get what was foretold, and foretelling changes nothing`, () => {
  const outcomes = new Map<string, number>()
  for (let n = 0, made: World | undefined; n < questions; n++) {
    if (n % 500 === 0) made = world(n % 1000 === 0 ? 'declared' : 'cautious', new Random(n + 7))
    if (made === undefined) break
    between(made)
    const outcome = askOne(made, n)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  const seen = (pattern: RegExp) =>
    [...outcomes].reduce((sum, [text, count]) => sum + (pattern.test(text) ? count : 0), 0)
  const states = [
    /^cache: an answer/,
    /^cache: a denial/,
    /^cache: NODATA/,
    /^answer mode: the addresses/,
    /^answer mode: answerMode/,
    /^recursion/,
    /^search: without asking, .*(below|deep|pod|protocol)/,
    /^search: without asking, .*does not exist/,
    /^search: the other type/,
    /^search: A was denied/,
    /^search: existence/,
    /^stale/,
    /^failure/,
    /^in flight/,
    /^upstream: true/,
    /^upstream: too many/,
  ]
  for (const state of states)
    assert.ok(seen(state) > 0, `${state} came up: ${[...outcomes.keys()].join('; ')}`)
})

test.run()
