/**
 * Goal: an operator reads what the switch would bring, the same each time and without names, and is told what is wrong with the command.
 * Method: a file with the packets of a pod's day behind a cache, through the whole instance. With the kernel: test/real/rehearse/rehearse.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rehearseUntil } from '../../../src/cli/rehearse/rehearse.ts'
import type { Report } from '../../../src/rehearsal/report.ts'
import { captureFile } from '../../rehearsal/capture-file.ts'
import { type Records, replyTo, server, toPod, toServer, udp } from '../../rehearsal/support.ts'
import { captured } from '../../support/cli-io.ts'
import { type TypeName, writeQuery } from '../../support/client/dns-message.ts'

const test = suite('cli/rehearse/rehearse')

const directory = mkdtempSync(join(tmpdir(), 'neardns-rehearse-'))
const config = join(directory, 'neardns.yaml')
const day = join(directory, 'day.pcap')

const begunMs = 1_700_000_000_000

/** What a pod asks in a walk, and gets from the cache of its node. */
interface Asked extends Records {
  readonly atMs: number
  readonly name: string
  readonly type?: TypeName
}

const denied = { rcode: 3, isDenial: true, ttl: 5 }
const ends = ['com.team-a.svc.cluster.local', 'com.svc.cluster.local', 'com.cluster.local']

/** A look-up of a name outside along the search list. @param age of the answers in the cache, seconds */
function walk(host: string, atMs: number, age = 0): Asked[] {
  const expansions = ends.map((end, i) => ({
    ...denied,
    ttl: denied.ttl - age,
    name: `${host}.${end}`,
    atMs: atMs + 5 * i,
  }))
  const last = { name: `${host}.com`, addresses: ['192.0.2.1'], ttl: 30 - age, atMs: atMs + 20 }
  return [...expansions, last]
}

function write(path: string, all: readonly Asked[]): void {
  let id = 0
  const packets = all.flatMap(({ atMs, name, type = 'A', ...records }) => {
    id += 1
    const query = writeQuery(name, type, { id })
    const reply = replyTo(query, records)
    return [
      { atMs: begunMs + atMs, place: 8, bytes: udp(toServer, query) },
      { atMs: begunMs + atMs, place: 16, bytes: udp(toServer, query) },
      { atMs: begunMs + atMs + 2, place: 20, bytes: udp(toPod, reply) },
    ]
  })
  writeFileSync(path, captureFile(packets))
}

test.before(() => {
  writeFileSync(
    config,
    `listen: ["${server}:53"]
cluster: { upstreams: ["127.0.0.1:1"] }
external: { upstreams: ["127.0.0.1:1"] }
searchPath: { trust: declared }
`,
  )
  write(
    day,
    ['one', 'two', 'three', 'one', 'four', 'two'].flatMap((host, i, all) =>
      walk(host, 700 * i, all.indexOf(host) < i ? 2 : 0),
    ),
  )
})

test.after(() => rmSync(directory, { recursive: true, force: true }))

async function run(...args: readonly string[]) {
  const io = captured()
  const code = await rehearseUntil(args, io, new AbortController().signal)
  return { code, out: io.out(), err: io.err() }
}

async function reportOf(file: string, ...args: readonly string[]): Promise<Report> {
  const { out } = await run('--config', config, '--read', file, '--node-cache', '--json', ...args)
  return JSON.parse(out)
}

test('every query is judged; the search path and the cache spare what they would', async () => {
  const report = await reportOf(day)
  assert.equal([report.queries, report.judged, report.same.all], [24, 24, 24])
  assert.equal([report.copies, report.clients, report.differences], [24, 1, []])
  const [cluster, outside] = report.groups
  assert.equal([cluster?.name, cluster?.queries, cluster?.now], ['cluster', 18, 12])
  assert.ok((cluster?.rehearsed ?? 99) < 12, `${cluster?.rehearsed} questions`)
  assert.ok((cluster?.bySearchPath ?? 0) > 0)
  assert.equal([outside?.now, (outside?.rehearsed ?? 0) - report.ownUnanswered], [4, 4])
})

test('the same packets give the same report', async () => {
  assert.equal(await reportOf(day, '--names'), await reportOf(day, '--names'))
})

test('a changed answer is told with its reason; names are hashed unless they are asked for', async () => {
  const changed = join(directory, 'changed.pcap')
  const name = 'secret.example'
  write(changed, [
    { atMs: 0, name, addresses: ['192.0.2.1'], ttl: 30 },
    { atMs: 9000, name, addresses: ['192.0.2.2'], ttl: 30 },
  ])
  const args = ['--config', config, '--read', changed]
  const plain = await run(...args)
  assert.match(plain.out, /1: the server changed its mind/)
  assert.not.match(plain.out, /secret/)
  assert.not.match(plain.out, /10\.77\.0\.2/)
  assert.is(plain.code, 0)
  const named = await run(...args, '--names')
  assert.match(named.out, /secret\.example\. A/)
})

test('a denial of a name that is there is to be looked into', async () => {
  const wrong = join(directory, 'wrong.pcap')
  const first = walk('one', 0)
  const planted = 'planted.com.cluster.local'
  write(wrong, [
    ...first,
    ...walk('two', 1000),
    { atMs: 2000, name: planted, addresses: ['192.0.2.9'], ttl: 30 },
  ])
  const { code, out } = await run('--config', config, '--read', wrong, '--node-cache')
  assert.match(out, /1: the search path would have denied a name that the server has/)
  assert.match(out, /To be looked into/)
  assert.is(code, 1)
})

test('the report fits 80 columns', async () => {
  const { out } = await run('--config', config, '--read', day, '--names')
  const long = out.split('\n').filter((line) => line.length > 80)
  assert.equal(long, [])
  assert.match(out, /24 queries of 1 client/)
})

test('no query at all is a failure that names the servers that were asked', async () => {
  const { code, out } = await run('--server', '192.0.2.53', '--read', day)
  assert.is(code, 1)
  assert.match(out, new RegExp(`24 went to ${server}: --server ${server}`))
})

test('a Corefile of NodeLocal DNSCache is a configuration, too', async () => {
  const corefile = join(directory, 'Corefile')
  writeFileSync(
    corefile,
    `cluster.local:53 {
  cache {
    success 9984 30
    denial 9984 5
  }
  bind ${server}
  forward . 10.96.0.11 {
    force_tcp
  }
}
.:53 {
  cache 30
  bind ${server}
  forward . 192.0.2.53
}
`,
  )
  const { out, code } = await run('--config', corefile, '--read', day, '--json')
  assert.is(code, 0)
  assert.equal(JSON.parse(out).servers, [server])
})

test('a capture without a packet says nothing of a time', async () => {
  const empty = join(directory, 'empty.pcap')
  writeFileSync(empty, captureFile([]))
  const { out, code } = await run('--server', server, '--read', empty)
  assert.equal([out, code], [`No query to ${server}.\n`, 1])
})

test('mistakes are told in one line', async () => {
  const template = join(directory, 'template')
  writeFileSync(template, '.:53 {\n  forward . __PILLAR__UPSTREAM__SERVERS__\n}\n')
  const cases: [readonly string[], RegExp, number][] = [
    [['--for', '5 min'], /--for 5 min: it takes a time/, 2],
    [['--for', '25h', '--server', server], /--for 25h: it takes a time/, 2],
    [['--server', 'kube-dns'], /--server takes an IP address, got "kube-dns"/, 2],
    [[], /which addresses do the pods ask/, 2],
    [['--config', join(directory, 'none.yaml')], /no such file/, 2],
    [['--config', template], /neardns import/, 2],
    [['--server', server, '--read', config], /--read \S+: it is no capture file/, 2],
    [
      ['--server', server, '--read', join(directory, 'none.pcap')],
      /--read \S+: cannot be read: there is no such file/,
      2,
    ],
    [['--server', server, '--read', directory], /cannot be read: it is a directory/, 2],
    [['--nams'], /did you mean --names/, 2],
  ]
  for (const [args, pattern, code] of cases) {
    const told = await run(...args)
    assert.match(told.err, pattern)
    assert.is(told.code, code, args.join(' '))
    assert.is(told.err.trim().split('\n').length, 1)
  }
})

test.run()
