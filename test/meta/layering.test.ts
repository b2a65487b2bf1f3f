/**
 * Goal: who may import whom stays as drawn in CONTRIBUTING. Method: the import lines of every file under src,
 * compared with the tables below. Biome holds the same lines per folder while one types; this adds the owner
 * of each outside package and the cycles.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const source = join(import.meta.dirname, '../../src')

/**
 * Rooms that a room may import from, besides itself; the longest entry that fits a file holds. What is not listed (daemon, cli, demo, main)
 * may import all.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  address: ['wire'],
  core: ['wire'],
  // The sections of local stages.
  config: ['wire', 'address', 'local'],
  corefile: ['config', 'wire', 'address'],
  nodelocal: ['config', 'corefile', 'local', 'wire', 'address'],
  platform: ['address', 'node:'],
  system: ['wire', 'address', 'node:'],
  listen: ['wire', 'core', 'platform', 'system', 'node:'],
  upstream: ['wire', 'core', 'address', 'platform', 'system', 'node:'],
  // Pure, as the core is: the shell beside it gives it the time.
  'upstream/policy': ['wire'],
  host: ['wire', 'address', 'config', 'platform', 'system', 'node:'],
  kernel: ['wire', 'core', 'address', 'platform', 'system', 'node:'],
  handover: ['wire', 'core', 'address', 'platform', 'system', 'node:'],
  observe: ['wire', 'core', 'platform', 'node:'],
  // A stage has its settings and metrics beside it.
  local: ['wire', 'address', 'core', 'config', 'observe'],
  pipeline: ['wire', 'core', 'platform'],
  // The clock is the capture's.
  rehearsal: ['wire', 'address', 'core', 'platform'],
}

/** Most files of one folder of code, so that a person can read its list. */
const folderFilesMax = 25

/** Only these may import the daemon; main.ts is imported by nobody. */
const importersOfDaemon = ['main.ts', 'cli', 'demo', 'daemon']

/** The one file that may import each outside package, and what it says of this one. */
const ownerOf: Readonly<Record<string, string>> = {
  'dns-packet': 'wire/message.ts',
  koffi: 'system/system-calls.ts',
  'dgram-as-promised': 'listen/udp-portable.ts',
  pino: 'observe/log.ts',
  zod: 'config/setting.ts',
  yaml: 'config/yaml.ts',
  'ipaddr.js': 'address/ip-address.ts',
  re2js: 'local/pattern/re2.ts',
  '../package.json': 'cli/version.ts',
}

interface Import {
  /** Path below src. */
  readonly from: string
  /** Path below src, `node:...` or the name of a package. */
  readonly to: string
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .toSorted()
const imports = files.flatMap(importsOf)

function importsOf(from: string): Import[] {
  const text = readFileSync(join(source, from), 'utf8').replaceAll(
    /^\s*(\/\*[\s\S]*?\*\/|\/\/.*)/gm,
    '',
  )
  const statement = /^\s*(?:import|export)\s+(?:type\s)?[^'"();]*?from\s+'([^']+)'/gm
  const bare = /^\s*import\s+'([^']+)'/gm
  const dynamic = /\bimport\(\s*'([^']+)'/g
  return [statement, bare, dynamic]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((match) => ({ from, to: target(from, match[1] ?? '') }))
}

function target(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier))
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/')[0] ?? specifier
}

const isInside = (path: string) => path.endsWith('.ts')
const roomOf = (path: string) => (path.startsWith('node:') ? 'node:' : (path.split('/')[0] ?? ''))
/** The longest entry of `mayImport` that a file lies in. */
const ruledRoomOf = (path: string) =>
  Object.keys(mayImport)
    .filter((room) => path.startsWith(`${room}/`))
    .toSorted((a, b) => b.length - a.length)[0]
const asText = ({ from, to }: Import) => `${from} imports ${to}`

const test = suite('meta/layering')

test('every room imports only from the rooms that are open to it', () => {
  const wrong = imports.filter(({ from, to }) => {
    const room = ruledRoomOf(from)
    if (room === undefined || (!isInside(to) && !to.startsWith('node:'))) return false
    return !to.startsWith(`${room}/`) && mayImport[room]?.includes(roomOf(to)) !== true
  })
  assert.equal(wrong.map(asText), [])
})

test('a file with a table entry or a folder of its own exists, so that the table is not about nothing', () => {
  assert.ok(files.length > 20, `${files.length} files`)
  assert.ok(imports.length > files.length, `${imports.length} imports`)
  for (const owner of Object.values(ownerOf)) assert.ok(files.includes(owner), owner)
})

test('each outside package is imported by its owner file alone', () => {
  const outside = imports.filter(({ to }) => !isInside(to) && !to.startsWith('node:'))
  const foreign = outside.filter(({ from, to }) => ownerOf[to] !== from && !from.endsWith('.d.ts'))
  assert.equal(foreign.map(asText), [])
})

test('only the command line imports the daemon, and nobody imports main', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      to === 'main.ts' || (roomOf(to) === 'daemon' && !importersOfDaemon.includes(roomOf(from))),
  )
  assert.equal(wrong.map(asText), [])
})

test('imports form no cycle, those of types included', () => {
  const edges = Map.groupBy(
    imports.filter(({ to }) => isInside(to)),
    ({ from }) => from,
  )
  assert.equal(findCycle(edges), [])
})

test('no folder of code has more files than a person reads', () => {
  const root = join(source, '..')
  const code = ['src', 'test', 'bench'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(top, path)),
  )
  const large = [...Map.groupBy(code, dirname)].filter(([, { length }]) => length > folderFilesMax)
  assert.equal(
    large.map(([folder, { length }]) => `${folder}: ${length}`),
    [],
  )
})

/** @returns the files of one cycle in order, or nothing */
function findCycle(edges: ReadonlyMap<string, readonly Import[]>): string[] {
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return []
    done.add(path)
    for (const { to } of edges.get(path) ?? []) {
      const cycle = visit(to, [...trail, path])
      if (cycle.length > 0) return cycle
    }
    return []
  }
  return files.map((path) => visit(path, [])).find((cycle) => cycle.length > 0) ?? []
}

test.run()
