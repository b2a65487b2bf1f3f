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
} from '../support/client/lookup-loop.ts'
import { PodLookups } from '../support/client/pod-lookups.ts'
import {
  answerModeFor,
  externalAddresses,
  SearchLab,
  type SearchLabOptions,
  type Trust,
} from '../support/lab/search-lab.ts'
import { needing } from '../support/needs.ts'
import {
  MovingServices,
  movingClusterIp,
  movingHeadless,
  movingNamespace,
  tornPair,
} from '../support/world/moving-services.ts'
import { timeVisibility, visibleMsMax } from '../support/world/new-service.ts'

export const testTimeoutMs = 1_800_000

const test = needing(suite('real/search-clients'), 'coredns', 'netns', ...clientNeeds)

const lookups = Number(process.env['NEARDNS_SEARCH_LOOKUPS'] ?? 6000)
/** In each mode. */
const perMode = Math.ceil(lookups / 3)
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
        const what = names.judge(client.kind, result)
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

interface Mode {
  readonly title: string
  readonly trust: Trust
  readonly settings: string
}

const modes: readonly Mode[] = [
  { title: 'declared', trust: 'declared', settings: '' },
  { title: 'declared with answer mode', trust: 'declared', settings: answerModeFor('team-0') },
  { title: 'cautious', trust: 'cautious', settings: '' },
]

for (const { title, trust, settings } of modes) {
  test(`with trust ${title} no client finds a wrong answer or fails while Services come and go`, async () => {
    const neardns = await lab.startNeardns(trust, { settings })
    try {
      const problems = await lookUpAll(perMode, movers())
      const synthesised = await lab.ownMetric('neardns_search_synthesised_total')
      const mismatches = await lab.ownMetric('neardns_search_mismatch_total')
      const audits = await lab.ownMetric('neardns_search_audits_total')
      const answered = await lab.ownMetric('neardns_search_answered_total')
      const lines = problems.map(({ client, name, what }) => `${client} ${name}: ${what}`)
      const torn = problems.filter(({ what }) => what.startsWith(tornPair))
      process.stdout.write(
        `  ${title}: ${perMode} look-ups, ${problems.length - torn.length} wrong or failed, ${torn.length} torn; ${synthesised} denials without asking, ${answered} answers in place of one, ${audits} checked, ${mismatches} mismatches\n`,
      )
      assert.equal(
        lines.filter((line) => !line.includes(tornPair)),
        [],
      )
      assert.ok(torn.length <= tornMax, lines.join('\n'))
      assert.is(mismatches, 0)
      assert.ok(synthesised > perMode, `only ${synthesised} denials without asking`)
      if (settings !== '') assert.ok(answered > perMode / 10, `only ${answered} answers`)
    } finally {
      await neardns.stop()
    }
  })
}

test('a new Service named com is there within 5 s, for A and AAAA together', async () => {
  const com = movingHeadless('com', 'www', externalAddresses('com', options))
  for (const { title, trust, settings } of modes.filter((mode) => mode.trust === 'declared')) {
    const neardns = await lab.startNeardns(trust, { settings })
    try {
      const seen = await timeVisibility(lab, ['musl', 'glibc', 'go', 'c-ares'], com)
      const times = seen.map(({ kind, visibleMs }) => `${kind} ${(visibleMs / 1000).toFixed(2)} s`)
      process.stdout.write(`  ${title}: Service com seen after ${times.join(', ')}\n`)
      for (const { kind, visibleMs } of seen)
        assert.ok(visibleMs < visibleMsMax, `${kind} after ${visibleMs.toFixed(0)} ms`)
    } finally {
      await neardns.stop()
    }
  }
})

test.run()
