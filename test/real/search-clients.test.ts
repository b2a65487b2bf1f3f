/**
 * Goal: no program in a pod ever gets a wrong answer, or none, because neardns answers the search path by itself. Method: the
 * resolvers of glibc, musl, Go, c-ares and the JDK in a pod with three search domains and ndots:5, a real CoreDNS and an
 * outside world whose answers live 5 s, Services and namespaces that come and go, some of them in the way of public
 * names. Every result must be right at some moment of the last 5 s, plus what CoreDNS itself needs to hear of a
 * change. NEARDNS_SEARCH_LOOKUPS says how many look-ups (npm run test:search-clients-long: 100,000).
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ClientKind,
  clientKinds,
  clientNeeds,
  LookupLoop,
  type LookupResult,
} from '../support/lookup-loop.ts'
import {
  MovingServices,
  movingClusterIp,
  movingHeadless,
  movingNamespace,
  tornPair,
} from '../support/moving-services.ts'
import { needing } from '../support/needs.ts'
import { PodLookups } from '../support/pod-lookups.ts'
import {
  externalAddresses,
  SearchLab,
  type SearchLabOptions,
  type Trust,
} from '../support/search-lab.ts'

export const testTimeoutMs = 1_800_000

const test = needing(suite('real/search-clients'), 'coredns', 'netns', ...clientNeeds)

const lookups = Number(process.env['NEARDNS_SEARCH_LOOKUPS'] ?? 6000)
/** Of each client. All together ask some 3,000 questions a second then. */
const lookupsPerSecond = 60
const moveEveryMs = 700
/** Pairs of A and AAAA with a change between them, in each test: see `tornPair`. One in 100,000 was measured. */
const tornMax = 1 + Math.floor(lookups / 50_000)
const seed = 20_261_123

const options: SearchLabOptions = {
  namespaces: 3,
  clusterTtlSeconds: 5,
  externalTtlSeconds: 5,
  tlds: 'com net org io dev app de fr uk jp cn br in eu us info biz co ai me tv cloud xyz test'.split(
    ' ',
  ),
  tldsWithoutV6: ['io', 'jp'],
}

let lab: SearchLab

test.before(async () => {
  lab = await SearchLab.start(options)
})

test.after(async () => {
  await lab?.stop()
})

function movers(): MovingServices {
  const all = [
    ...[0, 1, 2].map((number) => movingClusterIp(number)),
    movingNamespace({ namespace: 'zone-0', service: 'web', number: 0 }, []),
    movingNamespace(
      { namespace: 'dev', service: 'api', number: 1 },
      externalAddresses('dev', options),
    ),
    movingHeadless('com', 'www', externalAddresses('com', options)),
  ]
  return new MovingServices(all, (changes) => lab.change(...changes))
}

interface Problem {
  readonly client: ClientKind
  readonly name: string
  readonly what: string
}

/** All clients at once, each its share. */
async function lookUpAll(count: number, moving: MovingServices): Promise<Problem[]> {
  const problems: Problem[] = []
  const share = Math.ceil(count / clientKinds.length)
  const isOver = { yes: false }
  const moves = move(moving, isOver)
  const clients = await Promise.all(
    clientKinds.map((kind) => LookupLoop.start(kind, lab.net.pod.name)),
  )
  try {
    const runs = clients.map(async (client, i) => {
      const names = new PodLookups(options, moving, seed + i)
      await paced(share, async () => {
        const result = await client.lookup(names.draw(client.kind))
        const what = names.judge(result)
        if (what !== undefined) problems.push({ client: client.kind, name: result.name, what })
      })
    })
    await Promise.all(runs)
  } finally {
    isOver.yes = true
    await moves
    for (const client of clients) await client.stop()
  }
  return problems
}

async function move(moving: MovingServices, isOver: { yes: boolean }): Promise<void> {
  while (!isOver.yes) {
    await moving.step()
    await pass(moveEveryMs)
  }
  await moving.clear()
}

/** One after another, not faster than `lookupsPerSecond`; who is late does not catch up. */
async function paced(count: number, lookup: () => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i++) {
    const dueMs = performance.now() + 1000 / lookupsPerSecond
    await lookup()
    await pass(Math.max(0, dueMs - performance.now()))
  }
}

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

for (const trust of ['declared', 'cautious'] satisfies Trust[]) {
  test(`with trust ${trust} no client finds a wrong answer or fails while Services come and go`, async () => {
    const neardns = await lab.startNeardns(trust)
    try {
      const problems = await lookUpAll(lookups / 2, movers())
      const synthesised = await lab.ownMetric('neardns_search_synthesised_total')
      const mismatches = await lab.ownMetric('neardns_search_mismatch_total')
      const audits = await lab.ownMetric('neardns_search_audits_total')
      const lines = problems.map(({ client, name, what }) => `${client} ${name}: ${what}`)
      const torn = problems.filter(({ what }) => what.startsWith(tornPair))
      process.stdout.write(
        `  ${trust}: ${lookups / 2} look-ups, ${problems.length - torn.length} wrong or failed, ${torn.length} torn; ${synthesised} denials without asking, ${audits} checked, ${mismatches} mismatches\n`,
      )
      assert.equal(
        lines.filter((line) => !line.includes(tornPair)),
        [],
      )
      assert.ok(torn.length <= tornMax, lines.join('\n'))
      assert.is(mismatches, 0)
      assert.ok(synthesised > lookups / 2, `only ${synthesised} denials without asking`)
    } finally {
      await neardns.stop()
    }
  })
}

/** Five seconds, plus what CoreDNS needs to hear of it. */
const visibleMsMax = 5000 + 1000

test('a new Service named com is there within 5 s, for A and AAAA together', async () => {
  const neardns = await lab.startNeardns('declared')
  const kinds = ['musl', 'glibc', 'go', 'c-ares'] as const
  const clients = await Promise.all(kinds.map((kind) => LookupLoop.start(kind, lab.net.pod.name)))
  const com = movingHeadless('com', 'www', externalAddresses('com', options))
  try {
    // Cuts, cached denials and their refreshes are all in play when it comes.
    for (const client of clients) await lookUpFor(client, 'www.com', 1500)
    const bornMs = performance.now()
    const appears = clients.map((client) => lookUpFor(client, 'www.com', visibleMsMax + 1500))
    await lab.change(...com.arrival)
    for (const results of await Promise.all(appears)) {
      const found = results.map(({ addresses }) => addresses.join(' '))
      const stray = found.filter(
        (each) => each !== com.present.join(' ') && each !== com.absent.join(' '),
      )
      assert.equal(stray, [], 'half of it, or nothing')
      const first = found.indexOf(com.present.join(' '))
      const visibleMs = (results[first]?.endMs ?? Number.POSITIVE_INFINITY) - bornMs
      assert.ok(visibleMs < visibleMsMax, `visible after ${visibleMs.toFixed(0)} ms`)
      assert.not.ok(found.slice(first).includes(com.absent.join(' ')), 'gone again')
    }
  } finally {
    await lab.change(...com.departure)
    for (const client of clients) await client.stop()
    await neardns.stop()
  }
})

async function lookUpFor(client: LookupLoop, name: string, ms: number): Promise<LookupResult[]> {
  const results: LookupResult[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    results.push(await client.lookup(name))
    await pass(15)
  }
  return results
}

test.run()
