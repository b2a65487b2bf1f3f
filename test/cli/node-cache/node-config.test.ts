/**
 * Goal: flags, template, ConfigMap and environment become one checked configuration, at the start and again. Method: files in a folder, a
 * made-up environment, and no link and no rules, so that nobody looks at this machine.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatUpstream } from '../../../src/address/upstream-url.ts'
import { readNodeCacheConfig } from '../../../src/cli/node-cache/node-config.ts'
import {
  contentAt,
  contentRead,
  pathsIn,
  watchedPaths,
} from '../../../src/cli/node-cache/node-files.ts'
import { readNodeCacheFlags } from '../../../src/nodelocal/flags.ts'

const test = suite<{ folder: string }>('cli/node-cache/node-config')

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-node-cache-'))
  mkdirSync(join(context.folder, 'kube-dns'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true }))

const template = `cluster.local:53 {
    cache 30
    bind 0.0.0.0
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus 127.0.0.1:19253
}
.:53 {
    cache 30
    bind 0.0.0.0
    forward . __PILLAR__UPSTREAM__SERVERS__
}
`

function flagsFor(folder: string) {
  const files = ['-conf', join(folder, 'Corefile'), '-basecorefile', join(folder, 'Corefile.base')]
  const argv = ['-localip', '127.9.9.9', '-setupinterface=false', '-setupiptables=false', ...files]
  const read = readNodeCacheFlags([...argv, '-kubednscm', join(folder, 'kube-dns')])
  if (read.kind !== 'serve') throw new Error(JSON.stringify(read))
  return read.flags
}

async function read(folder: string, isStart = true) {
  const remarks: string[] = []
  const { result, files } = await readNodeCacheConfig({
    flags: flagsFor(folder),
    environment: { KUBE_DNS_SERVICE_HOST: '203.0.113.53' },
    isStart,
    remark: ({ where, message }) => remarks.push(`${where}: ${message}`),
  })
  return { result, files, remarks: remarks.join('\n') }
}

test('the template is rendered, written, and becomes the configuration', async ({ folder }) => {
  writeFileSync(join(folder, 'Corefile.base'), template)
  const { result } = await read(folder)
  assert.ok(result.ok, JSON.stringify(result))
  const { config } = result
  assert.is(config.clusterDomain, 'cluster.local')
  assert.equal(config.cluster.upstreams.map(formatUpstream), ['tcp://203.0.113.53:53'])
  assert.equal([config.sharePorts, config.admin.whenTaken], [true, 'retry'])
  assert.match(readFileSync(join(folder, 'Corefile'), 'utf8'), 'forward . 203.0.113.53')
})

test('stub domains become zones; a wrong ConfigMap counts as empty at the start and is refused later', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'Corefile.base'), template)
  const stub = join(folder, 'kube-dns', 'stubDomains')
  writeFileSync(stub, '{"corp.example":["203.0.113.7"]}')
  const good = await read(folder)
  assert.ok(good.result.ok)
  assert.ok(good.result.config.zones.some(({ name }) => name === 'corp.example'))
  writeFileSync(stub, '{"corp.example":["ns.example"]}')
  const start = await read(folder)
  assert.ok(start.result.ok)
  assert.match(start.remarks, /kube-dns: .*"ns\.example" is no server.*left out until it is right/)
  const later = await read(folder, false)
  assert.not.ok(later.result.ok)
})

test('without a template the Corefile is read, and never written', async ({ folder }) => {
  const conf = join(folder, 'Corefile')
  const text = template
    .replaceAll('__PILLAR__CLUSTER__DNS__', '203.0.113.1')
    .replaceAll('__PILLAR__UPSTREAM__SERVERS__', '203.0.113.2')
  writeFileSync(conf, text)
  const { result, files } = await read(folder)
  assert.ok(result.ok, JSON.stringify(result))
  assert.is(readFileSync(conf, 'utf8'), text)
  const paths = watchedPaths(flagsFor(folder), files)
  assert.ok(paths.includes(conf) && paths.includes(join(folder, 'Corefile.base')))
  const before = contentAt(paths)
  assert.equal(pathsIn(before), paths)
  assert.is(contentRead(flagsFor(folder), files), before)
  writeFileSync(join(folder, 'kube-dns', 'upstreamNameservers'), '[]')
  assert.is.not(contentAt(paths), before)
  // A file that changes between the reading and the watching has changed.
  assert.is(contentRead(flagsFor(folder), files), before)
})

test('what was read counts for imports and their directories as well', async ({ folder }) => {
  const conf = join(folder, 'Corefile')
  writeFileSync(join(folder, 'a.override'), 'cache 30\n')
  writeFileSync(conf, '.:53 {\nimport *.override\nimport a.override\nforward . 203.0.113.2\n}\n')
  const { files } = await read(folder)
  const text = contentRead(flagsFor(folder), files)
  assert.ok(pathsIn(text).includes(folder) && pathsIn(text).includes(join(folder, 'a.override')))
  assert.is(text, contentAt(watchedPaths(flagsFor(folder), files)))
})

test.run()
