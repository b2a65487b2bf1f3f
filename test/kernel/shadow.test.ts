/**
 * Goal: only what the daemon would give to everybody is in the kernel, never for longer, and what it counts comes back. Method: a cache and
 * maps that note what is put in and taken out, under a clock of the test's own.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CacheEntry } from '../../src/core/cache/entry.ts'
import type { HitMaps } from '../../src/kernel/hit-maps.ts'
import { shapes } from '../../src/kernel/layout.ts'
import { type HitUses, Shadow } from '../../src/kernel/shadow.ts'
import {
  aRecord,
  Core,
  type ResponseOptions,
  responseTo,
  soaRecord,
  zones,
} from '../core/support.ts'
import type { TypeName } from '../support/client/dns-message.ts'

const test = suite('kernel/shadow')

const www = 'www.example'
const everything = { name: undefined, hasSubtree: false, qtype: undefined, isNegativeOnly: false }
const cluster = 'web.default.svc.cluster.local'
const address = (name: string, ttl = 100): ResponseOptions => ({
  answers: [aRecord(name, '10.0.0.1', ttl)],
})

class World {
  readonly core = new Core()
  readonly inKernel = new Map<number, string>()
  readonly refreshed: CacheEntry[] = []
  readonly reported: HitUses[] = []
  readonly waiting: (() => void)[] = []
  readonly times: { storedNs: bigint; expiresNs: bigint }[] = []
  leaseNs = 0n
  readonly uses: BigUint64Array
  readonly shadow: Shadow
  readonly suspendedNs = 5_000_000_000n

  constructor(answersMax = 4) {
    this.uses = new BigUint64Array(answersMax * shapes)
    const maps: Pick<HitMaps, 'sizes' | 'put' | 'take' | 'lease' | 'readUses'> = {
      sizes: { answersMax, servers: 1 },
      put: (_qtype, { name, slot, storedNs, expiresNs }) => {
        this.inKernel.set(slot, name.toString('latin1'))
        this.times.push({ storedNs, expiresNs })
        return true
      },
      take: (name) => {
        for (const [slot, held] of this.inKernel)
          if (held === name.toString('latin1')) this.inKernel.delete(slot)
      },
      lease: (untilNs) => {
        this.leaseNs = untilNs
      },
      readUses: () => this.uses,
    }
    const { core } = this
    this.shadow = new Shadow(
      {
        maps: maps as HitMaps,
        cache: core.cache,
        generation: () => core.router.generation,
        nowMs: () => core.nowMs,
        bootNs: () => BigInt(core.nowMs) * 1_000_000n + this.suspendedNs,
        isPresent: (entry) => core.resolver.isPresent(entry),
        refresh: (entry) => this.refreshed.push(entry),
        onHits: (uses) => this.reported.push(uses),
        later: (_ms, work) => this.waiting.push(work),
      },
      { leaseMs: 2500, replyBytesMax: 1232, rotates: true },
    )
    core.cache.watcher = this.shadow
  }

  /** Learns an answer and asks for it so often. */
  learn(name: string, of = address(name), type: TypeName = 'A', times = 3): CacheEntry {
    const known = new Set(this.core.cache.all())
    this.core.learn(name, type, of)
    for (let i = 0; i < times; i++) this.core.ask(name, type)
    const entry = [...this.core.cache.all()].find((one) => !known.has(one))
    if (entry === undefined) throw new Error('nothing was kept')
    this.shadow.noteHit(entry)
    return entry
  }

  get names(): number {
    return this.inKernel.size
  }

  use(slot: number, hits: number): void {
    this.uses[slot * shapes] = (this.uses[slot * shapes] as bigint) + BigInt(hits)
  }
}

test('an answer comes there when it was asked for twice, with the times of the other clock', () => {
  const world = new World()
  world.learn('rare.example', address('rare.example'), 'A', 1)
  assert.is(world.names, 0)
  const entry = world.learn(www)
  assert.is(world.names, 1)
  assert.ok(world.shadow.holds(entry))
  const storedNs = BigInt(entry.storedMs) * 1_000_000n + world.suspendedNs
  assert.equal(world.times, [{ storedNs, expiresNs: storedNs + 100_000_000_000n }])
})

test('it is taken back before the entry is replaced, dropped, flushed or evicted', () => {
  const world = new World()
  const entry = world.learn(www)
  world.core.cache.drop(entry.key, entry.hash)
  assert.is(world.names, 0)
  world.learn(www)
  assert.is(world.names, 1)
  world.core.cache.dropFrom([...world.core.cache.all()], everything)
  assert.is(world.names, 0)
})

test('a renewed answer is there at once, as it is now', () => {
  const world = new World()
  const entry = world.learn(www)
  world.core.later(50)
  world.core.own.ask(entry.name, 1)
  const [ticket] = world.core.own.take()
  world.core.answer(ticket, responseTo(www, 'A', address(www)))
  assert.is(world.names, 1)
  assert.is(world.times.length, 2)
  assert.is((world.times[1]?.storedNs ?? 0n) - (world.times[0]?.storedNs ?? 0n), 50_000_000_000n)
})

test('an answer of the cluster waits until no half of a pair can be denied', () => {
  const world = new World()
  world.learn(cluster)
  assert.is(world.names, 0)
  world.core.later(0.25)
  for (const work of world.waiting) work()
  assert.is(world.names, 1)
})

test('answers that wait have one timer, however often they are asked for meanwhile', () => {
  const world = new World()
  const one = world.learn(cluster)
  world.core.later(0.1)
  const other = world.learn(`other.${cluster}`)
  for (let i = 0; i < 10; i++) for (const entry of [one, other]) world.shadow.noteHit(entry)
  assert.is(world.waiting.length, 1)
  world.core.later(0.15)
  world.waiting.pop()?.()
  assert.ok(world.shadow.holds(one))
  assert.not(world.shadow.holds(other))
  assert.is(world.waiting.length, 1)
  world.core.later(0.1)
  world.waiting.pop()?.()
  assert.ok(world.shadow.holds(other))
  assert.is(world.waiting.length, 0)
  const third = world.learn(`third.${cluster}`)
  world.core.later(0.25)
  world.waiting.pop()?.()
  assert.ok(world.shadow.holds(third))
})

test('an answer that was renewed while it waited waits again', () => {
  const world = new World()
  const entry = world.learn(cluster)
  world.core.later(0.2)
  world.core.own.ask(entry.name, 1)
  const [ticket] = world.core.own.take()
  world.core.answer(ticket, responseTo(cluster, 'A', address(cluster)))
  for (let i = 0; i < 3; i++) world.core.ask(cluster, 'A')
  world.shadow.noteHit(entry)
  world.core.later(0.1)
  world.waiting.pop()?.()
  assert.not(world.shadow.holds(entry))
  world.core.later(0.15)
  world.waiting.pop()?.()
  assert.ok(world.shadow.holds(entry))
})

test('a question with DO, and a denial of a whole name, are never there', () => {
  const world = new World()
  const { ticket } = world.core.ask(www, 'A', { do: true })
  world.core.answer(ticket, responseTo(www, 'A', address(www)))
  for (let i = 0; i < 3; i++) world.core.ask(www, 'A', { do: true })
  for (const entry of world.core.cache.all()) world.shadow.noteHit(entry)
  assert.is(world.names, 0)
  const denied = world.learn('gone.example', { rcode: 3, authorities: [soaRecord('example', 60)] })
  assert.is(world.names, 1)
  world.shadow.clear()
  denied.deniesFamily = true
  world.shadow.noteHit(denied)
  assert.is(world.names, 0)
})

test('a denial leaves when it is due for a refresh, which the daemon has to judge', () => {
  const world = new World()
  world.learn('gone.example', { rcode: 3, authorities: [soaRecord('example', 60)] })
  const [{ storedNs, expiresNs }] = world.times as [{ storedNs: bigint; expiresNs: bigint }]
  assert.is(expiresNs - storedNs, 54_000_000_000n)
})

test('under changed routes nothing is put there before the daemon has answered from it', () => {
  const world = new World()
  const entry = world.learn(www)
  world.shadow.clear()
  world.core.router.generation += 1
  world.shadow.noteHit(entry)
  assert.is(world.names, 0)
})

test('uses come back, count for the entry, and have it refreshed in time', () => {
  const world = new World()
  const entry = world.learn(www)
  const slot = [...world.inKernel.keys()][0] ?? -1
  const before = entry.hits
  world.use(slot, 5)
  world.shadow.round()
  assert.equal(
    world.reported.map(({ hits, shape, server }) => [hits, shape, server]),
    [[5, 0, 0]],
  )
  assert.is(entry.hits, before + 5)
  assert.equal(world.refreshed, [])
  world.core.later(95)
  world.use(slot, 1)
  world.shadow.round()
  assert.equal(world.refreshed, [entry])
})

test('the last uses of an answer that was taken back are counted, and its place is free after that', () => {
  const world = new World(1)
  world.learn(www)
  world.use(0, 3)
  world.shadow.clear()
  const other = world.learn('other.example')
  assert.is(world.names, 0)
  world.shadow.round()
  assert.equal(
    world.reported.map(({ hits }) => hits),
    [3],
  )
  world.shadow.noteHit(other)
  assert.is(world.names, 1)
})

test('what the cache has from before comes there without a question, when it was asked for twice and is what the present routes give', () => {
  const world = new World()
  const entry = world.learn(www)
  const rare = world.learn('rare.example', address('rare.example'), 'A', 1)
  world.shadow.clear()
  world.shadow.takeLast()
  // Routes that give the same are confirmed.
  world.core.router.generation += 1
  assert.ok(world.shadow.offer(entry))
  assert.ok(world.shadow.offer(rare))
  assert.ok(world.shadow.holds(entry))
  assert.not(world.shadow.holds(rare))
  assert.ok(world.shadow.offer(entry), 'it is there already')
  assert.is(world.names, 1)
})

test('what comes from before is not there when the name goes elsewhere now, or has left the cache', () => {
  const world = new World()
  const elsewhere = world.learn('www.corp.example')
  const gone = world.learn(www)
  world.shadow.clear()
  world.shadow.takeLast()
  world.core.cache.drop(gone.key, gone.hash)
  const { zone, ...root } = zones.at(-1) as (typeof zones)[number]
  world.core.router.replace([{ zone, ...root }])
  for (const entry of [elsewhere, gone]) assert.ok(world.shadow.offer(entry))
  assert.is(world.names, 0)
})

test('without room nothing from before is taken, and nothing that is there leaves for it', () => {
  const world = new World(1)
  const entry = world.learn(www)
  const other = world.learn('other.example')
  world.shadow.round()
  world.shadow.round()
  world.shadow.noteHit(other)
  assert.not(world.shadow.offer(entry))
  world.use([...world.inKernel.keys()][0] ?? -1, 1)
  world.shadow.round()
  assert.ok(world.shadow.holds(other))
})

test('an answer that is there counts as asked for twice for who follows us, though it was just renewed', () => {
  const world = new World()
  const entry = world.learn(www)
  const rare = world.learn('rare.example', address('rare.example'), 'A', 1)
  world.core.later(50)
  world.core.own.ask(entry.name, 1)
  const [ticket] = world.core.own.take()
  world.core.answer(ticket, responseTo(www, 'A', address(www)))
  assert.is(entry.hits, 0)
  assert.is(world.core.cache.usesOf(entry), 2)
  assert.is(world.core.cache.usesOf(rare), rare.hits)
})

test('what nobody asks for makes room for what is asked for', () => {
  const world = new World(1)
  world.learn(www)
  const other = world.learn('other.example')
  world.shadow.round()
  assert.is(world.names, 0)
  world.shadow.round()
  world.shadow.noteHit(other)
  assert.ok(world.shadow.holds(other))
})

test('each round renews the lease; without one nothing is answered', () => {
  const world = new World()
  world.shadow.round()
  const nowNs = BigInt(world.core.nowMs) * 1_000_000n + world.suspendedNs
  assert.is(world.leaseNs - nowNs, 2_500_000_000n)
  world.shadow.suspend()
  assert.is(world.leaseNs, 0n)
})

test.run()
