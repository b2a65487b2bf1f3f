/**
 * Goal: an answer from a file is kept only if an upstream that had sent it would have been believed, no longer than it had left, and never in
 * place of a fresh one. Method: dumps of one core loaded into another; records made by hand that lie.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DumpRecord, dumpEntry, readRecords } from '../../src/core/cache/dump.ts'
import { ReplySource } from '../../src/core/facts.ts'
import { Loader } from '../../src/core/loading.ts'
import {
  aRecord,
  Core,
  type CoreOptions,
  cnameRecord,
  type ResponseOptions,
  record,
  responseTo,
  soaRecord,
} from './support.ts'

const test = suite('core/loading')

const www = 'www.example'

function dumpOf(core: Core): DumpRecord[] {
  const dumped = [...core.cache.all()].map((entry) => dumpEntry(entry, core.nowMs))
  return readRecords(Buffer.concat(dumped)) ?? []
}

function recordOf(
  text = www,
  of: ResponseOptions = { answers: [aRecord(text, '192.0.2.1', 100)] },
) {
  const core = new Core()
  core.learn(text, 'A', of)
  const [found] = dumpOf(core)
  if (found === undefined) throw new Error('nothing was kept')
  return found
}

function loader(core: Core, isAltered = false): Loader {
  return new Loader({ ...core, local: [], isAltered: () => isAltered })
}

const load = (core: Core, from: DumpRecord, ageMs = 0) => loader(core).load(from, ageMs, core.nowMs)

test('an answer is there again, for the time that it had left', () => {
  const core = new Core()
  assert.is(load(core, recordOf(), 30_000), 'answers')
  const { reply, source } = core.ask(www)
  assert.equal([source, reply?.answers[0]?.ttl], [ReplySource.cacheSuccess, 70])
  core.later(70)
  assert.is(core.ask(www).reply, undefined)
})

test('a denial comes back as what it was', () => {
  const core = new Core()
  const denied = recordOf(www, { rcode: 3, authorities: [soaRecord('example', 60)] })
  assert.is(load(core, denied), 'answers')
  const { reply, source } = core.ask(www)
  assert.equal([source, reply?.rcode], [ReplySource.cacheDenial, 3])
})

test('what has expired, and what is known, is left alone', () => {
  const core = new Core()
  assert.is(load(core, recordOf(), 100_000), 'expired')
  core.learn(www, 'A', { answers: [aRecord(www, '192.0.2.2')] })
  assert.is(load(core, recordOf()), 'known')
  assert.is(core.ask(www).reply?.answers[0]?.data, '192.0.2.2')
})

const lies: readonly [what: string, change: (good: DumpRecord) => Partial<DumpRecord>][] = [
  ['of another name', () => ({ image: responseTo('other.example', 'A', {}) })],
  ['of another type', () => ({ image: responseTo(www, 'AAAA', {}) })],
  ['that is a query', ({ image }) => ({ image: changed(image, 2, (octet) => octet & 0x7f) })],
  ['with SERVFAIL', () => ({ image: responseTo(www, 'A', { rcode: 2 }) })],
  ['that is cut off', ({ image }) => ({ image: image.subarray(0, -1) })],
  [
    'with bytes behind its end',
    ({ image }) => ({ image: Buffer.concat([image, Buffer.alloc(3)]) }),
  ],
  [
    'with a loop of aliases',
    () => ({ image: responseTo(www, 'A', { answers: [cnameRecord(www, www)] }) }),
  ],
  ['to no question', () => ({ key: '\0' })],
  ['to a key that goes on', ({ key }) => ({ key: `${key}x` })],
]
for (const [what, change] of lies) {
  test(`an answer ${what} is refused`, () => {
    const core = new Core()
    const good = recordOf()
    assert.is(load(core, { ...good, ...change(good) }), 'refused')
    assert.is([...core.cache.all()].length, 0)
  })
}

function changed(image: Buffer, at: number, change: (octet: number) => number): Buffer {
  const copy = Buffer.from(image)
  copy[at] = change(copy[at] ?? 0)
  return copy
}

test('records of others are left out, as those of an upstream are', () => {
  const core = new Core()
  const image = responseTo(www, 'A', {
    answers: [aRecord(www, '192.0.2.1'), aRecord('bank.example', '6.6.6.6')],
    authorities: [record('example', 'NS', Buffer.from('\x01a\0'))],
  })
  assert.is(load(core, { ...recordOf(), image }), 'answers')
  assert.is(core.ask(www).reply?.answers.length, 1)
  assert.is(core.ask(www).reply?.authorities.length, 0)
})

test('an alias to a name of another owner is not taken from a file', () => {
  const core = new Core()
  const db = 'db.shop.svc.cluster.local'
  const answers = [cnameRecord(www, db), aRecord(db, '6.6.6.6')]
  assert.is(load(core, { ...recordOf(), image: responseTo(www, 'A', { answers }) }), 'refused')
})

test('the present limits hold, whatever the file says', () => {
  const options: CoreOptions = {}
  const core = new Core(options)
  const image = responseTo(www, 'A', { answers: [aRecord(www, '192.0.2.1', 86_400)] })
  assert.is(load(core, { ...recordOf(), image, lifetimeSeconds: 86_400 }), 'answers')
  assert.is(core.ask(www).reply?.answers[0]?.ttl, 300)
})

test('a name that a stage may answer is asked of the stage first', () => {
  const core = new Core()
  assert.is(loader(core, true).load(recordOf(), 0, core.nowMs), 'answers')
  assert.is([...core.cache.all()][0]?.routeGeneration, -1)
})

test.run()
