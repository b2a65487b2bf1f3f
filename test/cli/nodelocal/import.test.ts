/*
 * Goal: `import` prints a configuration that `run` takes, with what differs as comments, or nothing but problems. Method: files in a directory
 * of their own; what is printed is loaded.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { importCorefile } from '../../../src/cli/nodelocal/import.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { upstreamCorefile } from '../../nodelocal/corefiles.ts'
import { captured } from '../../support/cli-io.ts'

const test = suite<{ dir: string }>('cli/nodelocal/import')

test.before((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'neardns-import-'))
})
test.after(({ dir }) => rmSync(dir, { recursive: true }))

async function run(dir: string, text: string, ...flags: string[]) {
  const path = join(dir, 'Corefile')
  writeFileSync(path, text)
  const io = captured()
  const code = await importCorefile([path, ...flags], io)
  return { code, out: io.out(), err: io.err(), path }
}

test("upstream's Corefile becomes a configuration that loads", async ({ dir }) => {
  const { code, out, err } = await run(dir, upstreamCorefile)
  assert.equal([code, err], [0, ''])
  const loaded = loadConfig({ file: { name: 'n.yaml', text: out } })
  assert.ok(loaded.ok)
  assert.match(out, /^listen: \[169\.254\.20\.10:53, 10\.96\.0\.10:53\]$/m)
})

test('what differs stands in comments', async ({ dir }) => {
  const text = '.:53 {\ncache 30 {\nkeepttl\n}\nforward . 192.0.2.1\n}'
  const { out, path } = await run(dir, text, '--port', '5353')
  assert.ok(out.includes(`#   ${path}:3:1: \`keepttl\`: TTLs count down`), out)
})

test('what cannot be taken over leaves nothing on standard output', async ({ dir }) => {
  const { code, out, err, path } = await run(dir, '.:53 {\n  acl\n  forward . 192.0.2.1\n}')
  assert.equal([code, out], [2, ''])
  assert.ok(err.startsWith(`${path}:2:3: \`acl\` is not served`), err)
})

test('addresses are checked for a file that is no template as well', async ({ dir }) => {
  const text = '.:53 {\nforward . 192.0.2.1\n}'
  const ip = await run(dir, text, '--localip', '169.254.20.10,foo')
  assert.equal([ip.code, ip.out], [2, ''])
  assert.match(ip.err, /^neardns: --localip takes IP addresses .*, got "foo"\n$/)
  const service = await run(dir, text, '--clusterdns', 'kube-dns')
  assert.equal([service.code, service.out], [2, ''])
  assert.match(service.err, /^neardns: --clusterdns takes an IP address, got "kube-dns"\n$/)
})

test('a template needs the values that node-cache would have', async ({ dir }) => {
  const text = '. {\nbind __PILLAR__LOCAL__DNS__\nforward . __PILLAR__CLUSTER__DNS__\n}'
  const without = await run(dir, text)
  assert.is(without.code, 2)
  assert.match(without.err, /is a template of node-cache; say what its -localip is/)
  const flags = ['--localip', '169.254.20.10,10.96.0.10', '--clusterdns', '10.96.0.11']
  const { code, out } = await run(dir, text, ...flags)
  assert.is(code, 0)
  assert.match(out, /^listen: \[169\.254\.20\.10:53, 10\.96\.0\.10:53\]$/m)
  assert.match(out, /udp:\/\/10\.96\.0\.11:53/)
})

test('with the Corefile of CoreDNS what pods would miss is said as well', async ({ dir }) => {
  const coredns = join(dir, 'coredns')
  writeFileSync(coredns, 'corp.example {\nforward . 10.1.0.53\n}\n.:53 {\nforward . 192.0.2.1\n}')
  const { code, out } = await run(dir, upstreamCorefile, '--coredns', coredns)
  assert.is(code, 0)
  assert.ok(
    out.includes(`#   ${coredns}:1: CoreDNS answers corp.example in a block of its own`),
    out,
  )
  const missing = await run(dir, upstreamCorefile, '--coredns', join(dir, 'none'))
  assert.equal([missing.code, missing.out], [2, ''])
})

test('a ConfigMap is unwrapped, that of CoreDNS as well, and places are those of the manifest', async ({
  dir,
}) => {
  const manifest = (corefile: string) =>
    `kind: ConfigMap\ndata:\n  Corefile: |\n${corefile.replace(/^/gm, '    ')}\n`
  const good = await run(dir, manifest('.:53 {\ncache 30 {\nkeepttl\n}\nforward . 192.0.2.1\n}'))
  assert.equal([good.code, good.err], [0, ''])
  assert.ok(good.out.includes(`#   ${good.path}:6:5: \`keepttl\`: TTLs count down`), good.out)
  const wrong = await run(dir, manifest('.:53 {\n  acl\n  forward . 192.0.2.1\n}'))
  assert.is(wrong.code, 2)
  assert.ok(wrong.err.startsWith(`${wrong.path}:5:7: \`acl\` is not served`), wrong.err)
  const coredns = join(dir, 'coredns.yaml')
  writeFileSync(coredns, manifest('corp.example {\nforward . 10.1.0.53\n}'))
  const { out } = await run(dir, manifest(upstreamCorefile), '--coredns', coredns)
  assert.ok(out.includes(`#   ${coredns}:4: CoreDNS answers corp.example in a block`), out)
  const none = await run(dir, 'kind: ConfigMap\ndata: { a: x }\n')
  assert.equal(
    [none.code, none.err],
    [2, `${none.path}: a ConfigMap without a Corefile (data: a)\n`],
  )
})

test('a misuse says how it is used', async ({ dir }) => {
  const io = captured()
  assert.is(await importCorefile([], io), 2)
  assert.match(io.err(), /import needs COREFILE/)
  const { code, err } = await run(dir, '', '--port', '99999')
  assert.is(code, 2)
  assert.match(err, /--port 99999: it takes a whole number from 1 to 65535/)
  const missing = captured()
  assert.is(await importCorefile([join(dir, 'none')], missing), 2)
  assert.match(missing.err(), /there is no such file/)
})

test.run()
