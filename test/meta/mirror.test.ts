/**
 * Goal: who reads src/ROOM/FILE.ts finds its test at test/ROOM/FILE.test.ts. Method: the files of both trees, and two short lists of what is
 * elsewhere with the reason. An entry that is no longer needed is no failure.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('meta/mirror')

const root = join(import.meta.dirname, '../..')
const sources = filesOf('src', '.ts')
const rooms = new Set(sources.flatMap((path) => (path.includes('/') ? [roomOf(path)] : [])))
const tests = filesOf('test', '.test.ts').filter((path) => rooms.has(roomOf(path)))
const mirrored = new Map(tests.map((path) => [path.replace(/\.test\.ts$/, '.ts'), path]))

/** Rooms of which every file has a test of its own, or stands in `testedElsewhere`. */
const strictRooms = ['core', 'host', 'handover', 'daemon', 'platform', 'system']

/** Rooms whose tests name their source themselves, and not through a helper of the room. */
const namingRooms = ['host', 'handover', 'platform', 'system']

/** Tests of several files of their room together, and which. */
const suites: Readonly<Record<string, string>> = {
  'config/answer-mode.test.ts': 'schema and checks of one feature',
  'corefile/coredns.test.ts': 'all of corefile/ against the real CoreDNS',
  'listen/tcp-flood.test.ts': 'tcp-listener and tcp-connections with clients that mean harm',
  'observe/metrics-docs.test.ts': 'the generated document of all families',
  'upstream/exchange-faults.test.ts': 'exchange, group and question when upstreams fail',
  'upstream/stream.test.ts': 'stream-pool and stream-connection as one',
}

/**
 * `types` and `values` have nothing to decide, `unused` is imported by nobody, `untested` is a debt;
 * else the test that runs the file, seen by coverage.
 */
const testedElsewhere: Readonly<
  Record<string, 'types' | 'values' | 'unused' | 'untested' | `${string}.test.ts`>
> = {
  'host/rules.ts': 'types',
  'host/nft/constants.ts': 'values',
  'host/nft/model.ts': 'types',
  'platform/tasks.ts': 'unused',
  'core/alias-crossing.ts': 'e2e/cache-effects.test.ts',
  'core/cache/entry.ts': 'core/cache/cache.test.ts',
  'core/cache/key-bytes.ts': 'core/cache/key.test.ts',
  'core/cache/memory.ts': 'core/cache/store.test.ts',
  'core/cache/queue.ts': 'core/cache/store.test.ts',
  'core/cache/shard.ts': 'core/cache/store.test.ts',
  'core/cache/stats.ts': 'core/cache/cache.test.ts',
  'core/decision.ts': 'core/resolver.test.ts',
  'core/explain.ts': 'untested',
  'core/facts.ts': 'core/settlement.test.ts',
  'core/ports.ts': 'values',
  'core/question/arrival.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/question/own-questions.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/question/short-list.ts': 'core/search/audit.test.ts',
  'core/question/ticket.ts': 'core/question/in-flight.test.ts',
  'core/search/answer-mode/lists.ts': 'types',
  'core/search/answer-mode/state.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/answer-mode/walk.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/audit-run.ts': 'core/search/audit.test.ts',
  'core/search/contradictions.ts': 'core/search/pairs.test.ts',
  'core/search/cuts.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/denial.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/family.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/first-step.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/knowledge.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/learning.ts': 'core/search/audit.test.ts',
  'core/search/observer.ts': 'core/search/audit.test.ts',
  'core/search/reports.ts': 'types',
  'core/search/shape.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/soa.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/stage.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/trust.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'daemon/configured-search-lists.ts': 'real/search-answers.test.ts',
  'daemon/corefile-trust.ts': 'real/search-corefiles.test.ts',
  'daemon/daemon-options.ts': 'types',
  'daemon/daemon.ts': 'e2e/life-cycle.test.ts',
  'daemon/data-path.ts': 'e2e/life-cycle.test.ts',
  'daemon/handover.ts': 'e2e/upgrade.test.ts',
  'daemon/housekeeping.ts': 'e2e/cache-effects.test.ts',
  'daemon/intercept.ts': 'host/interception.test.ts',
  'daemon/listeners.ts': 'e2e/life-cycle.test.ts',
  'daemon/monitoring.ts': 'e2e/life-cycle.test.ts',
  'daemon/reloads.ts': 'e2e/life-cycle.test.ts',
  'daemon/routing.ts': 'e2e/zones.test.ts',
  'daemon/search-trust.ts': 'real/search-corefiles.test.ts',
  'daemon/self-query.ts': 'e2e/life-cycle.test.ts',
  'daemon/succession.ts': 'e2e/upgrade.test.ts',
  'daemon/token-file.ts': 'untested',
  'daemon/warm-start.ts': 'e2e/upgrade.test.ts',
  'daemon/workers/duties.ts': 'e2e/workers.test.ts',
  'daemon/workers/group-reload.ts': 'e2e/workers.test.ts',
  'daemon/workers/group.ts': 'e2e/workers.test.ts',
  'daemon/workers/link.ts': 'e2e/workers.test.ts',
  'daemon/workers/page-desk.ts': 'e2e/workers.test.ts',
  'daemon/workers/plan.ts': 'e2e/workers.test.ts',
  'daemon/workers/process.ts': 'e2e/workers.test.ts',
  'daemon/workers/supervisor.ts': 'e2e/workers.test.ts',
}

function filesOf(top: string, ending: string): string[] {
  return readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.endsWith('.d.ts'))
    .toSorted()
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

test('a test of a room lies where its source does, or is about several files', () => {
  assert.ok(tests.length > 100, `${tests.length} tests`)
  const lost = [...mirrored].filter(([source, path]) => !sources.includes(source) && !suites[path])
  assert.equal(
    lost.map(([, path]) => path),
    [],
  )
})

test('a test that lies where a source does is about that source', () => {
  const others = [...mirrored].filter(
    ([source, path]) =>
      namingRooms.includes(roomOf(source)) &&
      !readFileSync(join(root, 'test', path), 'utf8').includes(`src/${source}'`),
  )
  assert.equal(
    others.map(([, path]) => path),
    [],
  )
})

test('every file that decides something has its test beside it, or a test that runs it', () => {
  const bare = sources.filter(
    (path) =>
      strictRooms.includes(roomOf(path)) &&
      !mirrored.has(path) &&
      testedElsewhere[path] === undefined,
  )
  assert.equal(bare, [])
})

test('every named test exists', () => {
  const named = Object.values(testedElsewhere).filter((one) => one.endsWith('.test.ts'))
  assert.equal(
    named.filter((one) => !existsSync(join(root, 'test', one))),
    [],
  )
})

test('files of types and of values are just that', () => {
  const patterns = {
    types: /^(?:export )?(?:const|let|function|async function|class) /m,
    values: /^(?:export )?(?:let|function|async function|class) |= (?:async )?\([^)]*\) =>/m,
  }
  const wrong = Object.entries(testedElsewhere).filter(([path, kind]) => {
    if (kind !== 'types' && kind !== 'values') return false
    const file = join(root, 'src', path)
    return existsSync(file) && patterns[kind].test(readFileSync(file, 'utf8'))
  })
  assert.equal(wrong, [])
})

test('a file that is unused is imported by no other', () => {
  const unused = Object.entries(testedElsewhere).flatMap(([path, kind]) =>
    kind === 'unused' ? [`/${path.split('/').at(-1)}'`] : [],
  )
  const importers = sources.filter((path) => {
    const text = readFileSync(join(root, 'src', path), 'utf8')
    return unused.some((name) => text.includes(name))
  })
  assert.equal(importers, [])
})

test.run()
