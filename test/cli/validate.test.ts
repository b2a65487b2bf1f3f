// Goal: `validate` and the reader behind `run` judge real files and say everything that is wrong with them.
// Method: files in a directory of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRunArgs } from '../../src/cli/command-line/run-arguments.ts'
import { readConfig } from '../../src/cli/read-config.ts'
import { validate } from '../../src/cli/validate.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { captured } from '../support/cli-io.ts'

const test = suite<{ dir: string }>('cli/validate')

test.before((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'neardns-validate-'))
})
test.after(({ dir }) => rmSync(dir, { recursive: true }))

function file(dir: string, text: string): string {
  const path = join(dir, 'n.yaml')
  writeFileSync(path, text)
  return path
}

async function run(...argv: string[]) {
  const parsed = parseRunArgs(argv)
  if (!parsed.ok) throw new Error(parsed.why)
  const result = await readConfig(parsed.args)
  return result.ok ? result.config : result.problems.map(formatProblem)
}

test('a good file is summed up on standard output', async ({ dir }) => {
  const path = file(
    dir,
    `listen: [169.254.20.10:53, "[fd00::10]:53"]
cluster: { upstreams: [10.96.0.11] }
zones: [{ name: corp.example, upstreams: ["tls://10.1.0.53#dns.corp.example"] }]
admin: { listen: 127.0.0.1:9353 }
`,
  )
  const io = captured()
  assert.is(await validate([path], io), 0)
  assert.is(io.err(), '')
  assert.is(
    io.out(),
    `${path}: ok
  listen    169.254.20.10:53, [fd00::10]:53
  cluster   cluster.local, in-addr.arpa, ip6.arpa -> tcp://10.96.0.11:53
  zone      corp.example -> tls://10.1.0.53:853#dns.corp.example
  external  name servers of /etc/resolv.conf
  admin     127.0.0.1:9353
  cache     50000 entries, 33554432 bytes
`,
  )
})

test('without upstreams of the cluster the summary says what its names get', async ({ dir }) => {
  for (const [setting, said] of [
    ['', 'NXDOMAIN, nobody is asked'],
    ['withoutUpstreams: refused', 'REFUSED, nobody is asked'],
    ['withoutUpstreams: outside', 'asked of the external ones, which learn these names'],
  ] as const) {
    const io = captured()
    await validate([file(dir, `cluster: { ${setting} }\n`)], io)
    assert.ok(io.out().includes(`  cluster   cluster.local -> no upstreams: ${said}\n`), io.out())
  }
})

test('every mistake of a file is one line on standard error, and the exit code is 2', async ({
  dir,
}) => {
  const path = file(dir, 'listen: [localhost:53]\ncache: { size: 5, entriesMax: many }\nio: fast\n')
  const io = captured()
  assert.is(await validate([path], io), 2)
  assert.is(io.out(), '')
  assert.is(
    io.err(),
    `${path}:1:10: listen[0]: "localhost" is not an IP address; host names are not accepted, because we are the resolver
${path}:2:10: cache.size: unknown setting; allowed here: entriesMax, bytesMax, denialPercent, noSoaSeconds, rotate, prefetch, serveStale, failureTtl
${path}:2:31: cache.entriesMax: expected a whole number from 1 to 10000000 (entries), got the text "many"
${path}:3:5: io: expected one of auto, portable, batched, got the text "fast"
`,
  )
})

test('a file that is not there, or is a directory, is one clear line', async ({ dir }) => {
  const io = captured()
  assert.is(await validate([join(dir, 'none.yaml')], io), 2)
  assert.is(await validate([dir], io), 2)
  assert.is(
    io.err(),
    `${join(dir, 'none.yaml')}: cannot be read: there is no such file\n${dir}: cannot be read: it is a directory\n`,
  )
})

const configMap = (text: string) => `apiVersion: v1
kind: ConfigMap
data:
  neardns.yaml: |
${text.replaceAll(/^(?=.)/gm, '    ')}`

test('a ConfigMap is unwrapped, which is said, and mistakes are told where they stand in it', async ({
  dir,
}) => {
  const io = captured()
  const path = file(dir, configMap('listen: [127.0.0.1:53]\n'))
  assert.is(await validate([path], io), 0)
  assert.match(
    io.out(),
    `${path}: a ConfigMap; data["neardns.yaml"]: ok\n  listen    127.0.0.1:53\n`,
  )
  assert.is(await validate([file(dir, configMap('cache:\n  entriesMax: many\n'))], io), 2)
  assert.match(io.err(), `${path}:6:19: cache.entriesMax: `)
})

test('a Corefile in a ConfigMap is judged as one', async ({ dir }) => {
  const io = captured()
  const text = configMap('.:53 {\n  forward . 192.0.2.1\n  cache\n}\n').replace(
    'neardns.yaml',
    'Corefile',
  )
  assert.is(await validate([file(dir, text)], io), 0, io.err())
  assert.match(io.out(), 'data["Corefile"]: ok')
})

test('a ConfigMap that holds no configuration says what it holds', async ({ dir }) => {
  const io = captured()
  assert.is(await validate([file(dir, 'kind: ConfigMap\ndata: { a: x, b: z }\n')], io), 2)
  assert.match(
    io.err(),
    'a ConfigMap without a configuration (data: a, b); expected a key such as neardns.yaml',
  )
})

test('as JSON there is the configuration, or what is wrong with it', async ({ dir }) => {
  const io = captured()
  assert.is(await validate([file(dir, 'listen: [127.0.0.1:53]\n'), '--json'], io), 0)
  const [right] = JSON.parse(io.out())
  assert.equal([right.ok, right.config.clusterDomain], [true, 'cluster.local'])
  const bad = captured()
  assert.is(await validate([file(dir, 'listn: x\n'), '--json'], bad), 2)
  const [wrong] = JSON.parse(bad.out())
  assert.match(wrong.problems[0].where, ':1:1')
  assert.is(bad.err(), '')
})

test('validate takes exactly one file and no flags', async () => {
  const io = captured()
  assert.is(await validate(['a', 'b'], io), 2)
  assert.is(await validate(['--config', 'a'], io), 2)
  assert.is(
    io.err(),
    'neardns: validate does not take the word "b": neardns validate FILE [flags]\nneardns: unknown flag "--config"; neardns validate --help lists all flags\n',
  )
})

test('run without a file has the defaults and its flags', async () => {
  const config = await run('--listen', '127.0.0.1:0', '--upstream', '10.0.0.1')
  assert.not(Array.isArray(config))
  assert.ok(!Array.isArray(config) && 'listen' in config)
  assert.equal(config.listen, [{ address: '127.0.0.1', port: 0, family: 4 }])
  assert.equal(config.external.upstreams, [
    { transport: 'udp', address: '10.0.0.1', port: 53, family: 4 },
  ])
})

test('run with a file that cannot be read says so', async () => {
  assert.equal(await run('--config', '/nonexistent/n.yaml'), [
    '/nonexistent/n.yaml: cannot be read: there is no such file',
  ])
})

test('run knows the addresses of its host, validate does not', async ({ dir }) => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4')
  const address = own?.address ?? '127.0.0.1'
  const path = file(dir, `listen: ["0.0.0.0:53"]\nexternal: { upstreams: [${address}] }\n`)
  assert.equal(await run('--config', path), [
    `${path}:2:25: external.upstreams[0]: ${address}:53 is our own listening address (0.0.0.0:53): a forwarding loop; name another resolver`,
  ])
})

test.run()
