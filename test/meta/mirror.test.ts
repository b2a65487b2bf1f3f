/**
 * Goal: the test of a source file has the same path below test/ as the file has below src/. Method: the files of both trees, and two short
 * lists of the exceptions with their reasons, each of which must still be needed.
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
const strictRooms = [
  'address',
  'core',
  'daemon',
  'handover',
  'host',
  'kernel',
  'local',
  'pipeline',
  'platform',
  'rehearsal',
  'system',
]

/** Rooms whose tests name their source themselves, and not through a helper of the room. */
const namingRooms = ['host', 'handover', 'platform', 'system']

/** Tests of several files of their room together, and which. */
const suites: Readonly<Record<string, string>> = {
  'config/answer-mode.test.ts': 'schema and checks of one feature',
  'core/search/answer-mode/walks-kept.test.ts':
    'answer mode and its stage in the pipeline, over time',
  'core/search/denials-checked.test.ts': 'audit, learning and stage in the pipeline',
  'core/search/pairs-told-alike.test.ts': 'stage, search-path, family and pairs in the pipeline',
  'corefile/coredns.test.ts': 'all of corefile/ against the real CoreDNS',
  'nodelocal/coredns.test.ts': 'all directives against the real CoreDNS',
  'nodelocal/fixtures.test.ts': 'whole Corefiles',
  'nodelocal/stages.test.ts': 'nodelocal/mapping/stages and the directives that it maps',
  'nodelocal/directives.test.ts': 'all of nodelocal/directives/',
  'listen/tcp-flood.test.ts': 'tcp-listener and tcp-connections with clients that mean harm',
  'pipeline/order-and-size.test.ts': 'image, alias-chain and reply in the pipeline',
  'daemon/hits/hits-under-change.test.ts':
    'hit-control, hit-watch and the program in the kernel while answers change',
  'daemon/hits/bridge.test.ts': 'hit-control, placement-rules and the program at a bridge',
  'observe/page/token.test.ts': 'page, calls and access rules in a whole daemon',
  'observe/metrics-docs.test.ts': 'the generated document of all families',
  'upstream/exchange-faults.test.ts': 'exchange, group and question when upstreams fail',
  'upstream/exchange-order.test.ts': 'exchange, group and question when upstreams are an order',
  'upstream/held-up.test.ts': 'slow names and one-sided servers, over a whole exchange',
  'upstream/stream.test.ts': 'stream-pool and stream-connection as one',
}

/**
 * `types` and `values` have nothing to decide, `unused` is imported by nobody, `untested` is a debt;
 * else the test that runs the file, seen by coverage.
 */
const testedElsewhere: Readonly<
  Record<string, 'types' | 'values' | 'unused' | 'untested' | `${string}.test.ts`>
> = {
  'core/alias-head.ts': 'types',
  'core/cache/entry-text.ts': 'core/explain.test.ts',
  'core/ports.ts': 'values',
  'core/reply.ts': 'local/dns64/dns64.test.ts',
  'core/rewriting.ts': 'types',
  'core/search/answer-mode/lists.ts': 'types',
  'core/search/answer-mode/stage.ts': 'core/search/answer-mode/answer-mode.test.ts',
  'core/search/evidence-text.ts': 'core/explain.test.ts',
  'core/search/reports.ts': 'types',
  'core/search/search-path.ts': 'core/search/pairs-told-alike.test.ts',
  'core/stages/stage.ts': 'types',
  'daemon/daemon-options.ts': 'types',
  'daemon/hits/hit-watch.ts': 'types',
  'daemon/local-outlook.ts': 'daemon/data-path.test.ts',
  'daemon/stand-ins.ts': 'types',
  'daemon/search/make-search.ts': 'daemon/data-path.test.ts',
  'daemon/hits/placement-rules.ts': 'cli/diagnosis/kernel-hits.test.ts',
  'kernel/attachments.ts': 'daemon/hits/hit-control.test.ts',
  'kernel/hit-maps.ts': 'kernel/program.test.ts',
  'kernel/kernel-hits.ts': 'daemon/hits/hit-control.test.ts',
  'kernel/links.ts': 'daemon/hits/hit-control.test.ts',
  'kernel/waiting.ts': 'kernel/shadow.test.ts',
  'host/nft/constants.ts': 'values',
  'host/nft/model.ts': 'types',
  'host/rules.ts': 'types',
  'local/bounded.ts': 'local/templates/stage.test.ts',
  'local/dns64/settings.ts': 'local/dns64/dns64.test.ts',
  'local/dns64/synthesis.ts': 'local/dns64/dns64.test.ts',
  'local/go-template/format.ts': 'local/go-template/template.test.ts',
  'local/go-template/functions.ts': 'local/go-template/template.test.ts',
  'local/go-template/lexer.ts': 'local/go-template/template.test.ts',
  'local/go-template/nodes.ts': 'local/go-template/template.test.ts',
  'local/go-template/pipeline-reader.ts': 'local/go-template/template.test.ts',
  'local/go-template/value.ts': 'local/go-template/template.test.ts',
  'local/hosts/settings.ts': 'local/hosts/stage.test.ts',
  'local/hosts/table.ts': 'local/hosts/stage.test.ts',
  'local/local-stage.ts': 'types',
  'local/pattern/engine.ts': 'local/pattern/pattern.test.ts',
  'local/pattern/re2.ts': 'local/pattern/pattern.test.ts',
  'local/records/rdata.ts': 'local/records/read-record.test.ts',
  'local/records/record.ts': 'local/templates/stage.test.ts',
  'local/records/tokens.ts': 'local/records/read-record.test.ts',
  'local/rewrites/checks.ts': 'local/rewrites/rewriter.test.ts',
  'local/rewrites/name-change.ts': 'local/rewrites/rewriter.test.ts',
  'local/rewrites/revision.ts': 'local/rewrites/rewriter.test.ts',
  'local/rewrites/rule.ts': 'local/rewrites/rewriter.test.ts',
  'local/rewrites/settings.ts': 'local/rewrites/rewriter.test.ts',
  'local/rewritings.ts': 'local/dns64/dns64.test.ts',
  'local/scope-settings.ts': 'local/templates/stage.test.ts',
  'local/scope.ts': 'local/templates/stage.test.ts',
  'local/settings.ts': 'values',
  'local/special-use/names.ts': 'local/special-use/stage.test.ts',
  'local/special-use/reply.ts': 'local/special-use/stage.test.ts',
  'local/special-use/settings.ts': 'local/special-use/stage.test.ts',
  'local/templates/record-text.ts': 'local/templates/stage.test.ts',
  'local/templates/rule.ts': 'local/templates/stage.test.ts',
  'local/templates/settings.ts': 'local/templates/stage.test.ts',
  'local/whoami/settings.ts': 'local/whoami/stage.test.ts',
  'rehearsal/report.ts': 'types',
  'system/linux.ts': 'values',
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

test('no exception is superfluous', () => {
  const elsewhere = Object.keys(testedElsewhere).filter(
    (path) => mirrored.has(path) || !sources.includes(path),
  )
  const together = Object.keys(suites).filter(
    (path) => !tests.includes(path) || sources.includes(path.replace('.test.ts', '.ts')),
  )
  assert.equal([...elsewhere, ...together], [])
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
