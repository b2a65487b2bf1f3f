/**
 * Goal: an operator sees the cache, forgets names, and loads a dump, in one process and over several. Method: the calls of real data paths,
 * filled from upstreams' dumps; a colleague is a second data path.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashOf } from '../../../src/core/cache/key-bytes.ts'
import type { DataPath } from '../../../src/daemon/data-path.ts'
import { cacheCalls } from '../../../src/daemon/operator/cache-calls.ts'
import {
  type Everywhere,
  everywhereFor,
  Operations,
} from '../../../src/daemon/operator/operation.ts'
import type { AdminCall, CallRequest, Page } from '../../../src/observe/admin-calls.ts'
import { aRecord, responseTo, scanned, soaRecord } from '../../core/support.ts'
import { name } from '../../fixtures/packets/octets.ts'
import { dataPathOf } from '../support.ts'

const test = suite('daemon/operator/cache-calls')

let nowMs = 1_000_000
const clock = () => nowMs

interface World {
  readonly path: DataPath
  readonly calls: readonly AdminCall[]
  call(method: string, path: string, more?: Partial<CallRequest>): Promise<Page>
  json(method: string, path: string, more?: Partial<CallRequest>): Promise<Record<string, unknown>>
}

function worldOf(
  everywhere: Everywhere = everywhereFor(undefined),
  operations = new Operations(),
): World {
  const path = dataPathOf({ external: { upstreams: ['192.0.2.53'] } }, { nowMs: clock })
  path.exchange.stop()
  const calls = cacheCalls({ path, nowMs: clock, everywhere }, operations)
  const call = async (method: string, url: string, more: Partial<CallRequest> = {}) => {
    const [at, search] = url.split('?', 2)
    const found = calls.find((one) => one.method === method && one.path === at)
    if (found === undefined) throw new Error(`no call ${method} ${url}`)
    const request = { params: new URLSearchParams(search), body: Buffer.alloc(0), isRoot: true }
    return found.answer({ ...request, ...more })
  }
  return {
    path,
    calls,
    call,
    json: async (...args) => JSON.parse((await call(...args)).body) as Record<string, unknown>,
  }
}

function learn({ path }: World, text: string, isDenial = false, ttl = 100): void {
  const image = isDenial
    ? responseTo(text, 'A', { rcode: 3, authorities: [soaRecord('example', ttl)] })
    : responseTo(text, 'A', { answers: [aRecord(text, '192.0.2.1', ttl)] })
  const wire = name(text)
  const key = `${wire.toString('latin1')}\0\x01\0\x01\0`
  const route = path.router.route(wire, wire.length)
  const hash = hashOf(wire.toString('latin1'))
  path.cache.put({
    ...{ key, hash, image, scan: scanned(image), isDenial, lifetimeSeconds: ttl, route, nowMs },
    routeGeneration: path.router.generation,
  })
}

const names = (list: Record<string, unknown>) =>
  (list['entries'] as readonly { name: string }[]).map((entry) => entry.name)

test('a list has what is meant, in the order of the tree, and says how much there is', async () => {
  const world = worldOf()
  for (const text of ['b.example', 'a.b.example', 'other.test']) learn(world, text)
  learn(world, 'no.example', true)
  const list = await world.json('GET', '/v1/cache?under=example')
  assert.equal(names(list), ['b.example.', 'a.b.example.', 'no.example.'])
  assert.equal([list['meant'], list['kept'], list['workers'], list['missing']], [3, 4, 1, 0])
  assert.equal(names(await world.json('GET', '/v1/cache?under=example&negative')), ['no.example.'])
  const cut = await world.json('GET', '/v1/cache?limit=2')
  assert.equal([names(cut).length, cut['meant']], [2, 4])
  const one = await world.json('GET', '/v1/cache?name=b.example&records')
  assert.match(JSON.stringify(one), '192.0.2.1')
})

test('a flush has to say what it means, and forgets that', async () => {
  const world = worldOf()
  for (const text of ['b.example', 'a.b.example']) learn(world, text)
  assert.is((await world.call('POST', '/v1/cache/flush')).status, 400)
  assert.is((await world.call('POST', '/v1/cache/flush?type=NO')).status, 400)
  assert.is((await world.json('POST', '/v1/cache/flush?name=b.example'))['answers'], 1)
  assert.equal(names(await world.json('GET', '/v1/cache')), ['a.b.example.'])
})

async function dumpOf(world: World): Promise<Buffer> {
  const { pieces } = await world.call('GET', '/v1/cache/dump')
  const parts: Buffer[] = []
  for await (const piece of pieces ?? []) parts.push(piece)
  return Buffer.concat(parts)
}

test('a dump is loaded whole, or not at all', async () => {
  const world = worldOf()
  learn(world, 'b.example')
  const dump = await dumpOf(world)
  const other = worldOf()
  const broken = await other.call('POST', '/v1/cache/load', { body: dump.subarray(1) })
  assert.equal([broken.status, names(await other.json('GET', '/v1/cache'))], [400, []])
  const loaded = await other.json('POST', '/v1/cache/load', { body: dump })
  assert.equal(loaded, { answers: 1, known: 0, expired: 0, refused: 0, workers: 1, missing: 0 })
  const again = await other.json('POST', '/v1/cache/load', { body: dump })
  assert.is(again['known'], 1)
})

test('a dump is for root alone, and none is read that the cache has no room for', () => {
  const { path, calls } = worldOf()
  const load = calls.find((one) => one.path === '/v1/cache/load')
  assert.equal([load?.isForRoot, load?.bodyBytesMax], [true, path.cache.settings.bytesMax])
})

test('with colleagues each forgets, and a list has each question once', async () => {
  const operations = new Operations()
  const colleague = worldOf(undefined, operations)
  const world = worldOf(async (operation, input) => ({
    outputs: [
      await operation.run(input),
      (await operations.carryOut(operation.name, input)) as never,
    ],
    missing: 0,
  }))
  nowMs += 1000
  for (const one of [world, colleague]) learn(one, 'b.example')
  nowMs += 5000
  learn(colleague, 'b.example')
  const list = await world.json('GET', '/v1/cache')
  assert.equal(names(list), ['b.example.'])
  assert.match(JSON.stringify(list), '"ageSeconds":0')
  assert.is((await world.json('POST', '/v1/cache/flush?all'))['answers'], 2)
  assert.equal(names(await world.json('GET', '/v1/cache')), [])
})

test.run()
