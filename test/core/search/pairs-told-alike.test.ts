/**
 * Goal: both halves of a look-up are told the same of a name that comes, whatever ends a denial between them. Method: the seams one
 * by one, each just before and just behind; then Services that come at random moments to clients that look them up at random.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SearchPathSettings } from '../../../src/core/search/knowledge.ts'
import { Random } from '../../fuzz/random.ts'
import { Client } from '../../pipeline/support.ts'
import { SearchBench, type Type } from './support.ts'

const test = suite('core/search/pairs-told-alike')

const zone = 'cluster.local'
const service = `com.team-0.svc.${zone}`
const host = `www.${service}`
const halves: readonly (readonly [Type, Type])[] = [
  ['A', 'AAAA'],
  ['AAAA', 'A'],
]
const found = { a: '10.96.0.9', aaaa: '2001:db8::9', ttl: 5 }

/** A bench whose cuts deny names below the service. */
function denying(): SearchBench {
  const bench = new SearchBench()
  for (const name of [`h1.${service}`, `h2.${service}`, `h3.${service}`]) bench.rcode(name)
  bench.takeAsked()
  assert.is(bench.rcode(`h4.${service}`), 3)
  assert.equal(bench.takeAsked(), [], 'a cut is in force')
  return bench
}

function come(bench: SearchBench): void {
  bench.says.set(`${service}.`, found)
}

/** Somebody asks for what no cut denies (DO), and so the news is heard. */
function spread(bench: SearchBench): void {
  bench.ask(host, 'A', new Client({ host: '10.244.0.99' }), { do: true, ednsBytes: 1232 })
}

for (const [one, other] of halves) {
  test(`${one} was denied from a cut: so is ${other} when the Service came in between`, () => {
    const bench = denying()
    const client = new Client()
    assert.is(bench.ask(host, one, client)?.rcode, 3)
    come(bench)
    spread(bench)
    bench.later(0.2)
    assert.is(bench.ask(host, other, client)?.rcode, 3)
    assert.is(bench.ask(host, one, client)?.rcode, 0, 'the next look-up finds it')
    assert.is(bench.ask(host, other, client)?.rcode, 0, 'as a whole')
  })

  test(`${one} at any time around the end of a denied pair: ${other} is told the same`, () => {
    for (let afterMs = 200; afterMs <= 300; afterMs += 5) {
      const bench = denying()
      const client = new Client()
      assert.is(bench.ask(host, one, client)?.rcode, 3)
      assert.is(bench.ask(host, other, client)?.rcode, 3)
      come(bench)
      spread(bench)
      bench.later(afterMs / 1000)
      const first = bench.ask(host, one, client)?.rcode
      bench.later(0.02)
      assert.is(bench.ask(host, other, client)?.rcode, first, `${afterMs} ms later`)
    }
  })

  test(`${one} waits for CoreDNS while a denial comes into force: ${other} is not denied from it`, () => {
    const bench = new SearchBench()
    bench.rcode(`h1.pod.${zone}`)
    const client = new Client()
    bench.isHolding = true
    bench.ask(host, one, client)
    // Others learn of the cut meanwhile, and prove it.
    bench.isHolding = false
    const [own] = bench.bench.asked.splice(0)
    for (const name of [`h1.${service}`, `h2.${service}`, `h3.${service}`]) bench.rcode(name)
    assert.is(bench.rcode(`h4.${service}`), 3)
    come(bench)
    bench.isHolding = true
    bench.ask(host, other, client)
    if (own !== undefined) bench.bench.asked.unshift(own)
    bench.isHolding = false
    bench.answerAll()
    assert.equal(
      client.got.map(({ rcode }) => rcode),
      [0, 0],
    )
  })
}

test('a denial of AAAA alone is told and not kept: A decides', () => {
  const bench = new SearchBench()
  bench.saysOf.set(`${service}.`, { ...found, ttl: 1 })
  bench.saysOf.set(`${host}.`, found)
  assert.is(bench.ask(service, 'AAAA')?.rcode, 0)
  assert.is(bench.ask(host, 'A')?.rcode, 0, 'so the Service is known to exist')
  bench.saysOf.clear()
  bench.later(2)
  bench.takeAsked()
  assert.is(bench.ask(service, 'AAAA')?.rcode, 3)
  assert.equal(bench.takeAsked(), [`${service}. AAAA`])
  come(bench)
  assert.equal(
    bench.pair(service).map((reply) => reply?.rcode),
    [0, 0],
  )
})

test('another look-up of the same pod is not held to what this one was told', () => {
  const bench = denying()
  const [client, sibling] = [new Client({ port: 40_001 }), new Client({ port: 40_002 })]
  assert.is(bench.ask(host, 'A', client)?.rcode, 3)
  come(bench)
  spread(bench)
  assert.equal(
    bench.pair(host, sibling).map((reply) => reply?.rcode),
    [0, 0],
  )
  assert.is(bench.ask(host, 'AAAA', client)?.rcode, 3)
})

/** One look-up of a client's own socket; what it was told is in the order of the replies. */
interface LookUp {
  readonly host: string
  readonly client: Client
}

/** Services come one by one, and never go. Clients look up names below them, their halves up to 200 ms apart. */
function lookUpAtRandom(bench: SearchBench, random: Random): LookUp[] {
  const services = Array.from({ length: 12 }, (_, i) => `s${i}.team-0.svc.${zone}`)
  const lookUps: LookUp[] = []
  const pending: { readonly lookUp: LookUp; readonly type: Type }[] = []
  const answerSome = () => {
    for (let i = random.below(7); i > 0; i--)
      bench.answerOne(random.below(bench.bench.asked.length + 1))
  }
  const askRest = () => {
    for (const { lookUp, type } of pending.splice(0)) bench.ask(lookUp.host, type, lookUp.client)
  }
  for (let step = 0; step < 400; step++) {
    if (random.below(25) === 0) bench.says.set(`${random.pick(services)}.`, found)
    const client = new Client({ port: 20_000 + step, host: `10.244.0.${random.below(3)}` })
    const lookUp = { client, host: `h${random.below(4)}.${random.pick(services)}` }
    lookUps.push(lookUp)
    const [one, other] = random.pick(halves)
    bench.ask(lookUp.host, one, client)
    if (random.below(4) > 0) bench.ask(lookUp.host, other, client)
    else pending.push({ lookUp, type: other })
    answerSome()
    if (random.below(2) === 0) bench.later(random.below(60) / 1000)
    if (step % 4 === 0) askRest()
    // Longer than the halves of a look-up are apart.
    if (step % 4 === 0 && random.below(8) === 0) bench.later(random.below(50) / 10)
  }
  askRest()
  bench.isHolding = false
  bench.answerAll()
  return lookUps
}

function settingsOf(seed: number): Partial<SearchPathSettings> {
  const trust = (['declared', 'verified', 'cautious'] as const)[seed % 3] ?? 'declared'
  return { trust, auditOneIn: [0, 3, 100][(seed >> 2) % 3] ?? 0 }
}

/** 400 look-ups each; 1,500 take half a minute. */
const seeds = Number(process.env['NEARDNS_PAIR_SEEDS'] ?? 60)

test('what comes, comes whole, in whatever order questions and answers come', () => {
  let denials = 0
  let answers = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const bench = new SearchBench({ settings: settingsOf(seed) })
    bench.isHolding = true
    bench.saysOf.set(`team-0.svc.${zone}.`, {})
    for (const { host: asked, client } of lookUpAtRandom(bench, new Random(seed))) {
      const [one, other] = client.got
      assert.is(client.got.length, 2, `seed ${seed}, ${asked}`)
      assert.is(one?.rcode, other?.rcode, `seed ${seed}, ${asked} from port ${client.port}`)
      if (one?.rcode === 3) denials += 1
      else answers += 1
    }
  }
  assert.ok(denials > 1000 && answers > 1000, `${denials} denied, ${answers} found`)
})

test.run()
