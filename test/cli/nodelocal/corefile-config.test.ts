/*
 * Goal: a Corefile is told from a YAML file by its text, and becomes a checked configuration with what it names. Method: texts of both kinds;
 * files in a directory of their own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isCorefile, readCorefileConfig } from '../../../src/cli/nodelocal/corefile-config.ts'

const test = suite<{ dir: string }>('cli/nodelocal/corefile-config')

test.before((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'neardns-corefile-config-'))
})
test.after(({ dir }) => rmSync(dir, { recursive: true }))

test('Corefiles', () => {
  for (const text of [
    '.:53 {\n}',
    '# first\n\ncluster.local:53 in-addr.arpa {\nerrors\n}',
    '(common) {\nerrors\n}\n. {\nimport common\n}',
    '.:53\nforward . 192.0.2.1',
    '".:53" {\n}',
    'a.example,\nb.example {\n}',
    'dns://. {\n}',
    '{$CLUSTER_DOMAIN}:53 in-addr.arpa:53 {\nerrors\n}',
    '{%DOMAIN%} {\n}',
    'cluster.local in-addr.arpa\nforward . 192.0.2.1\n',
    'a.example,\nb.example\n  errors\n',
    'import *.server',
  ]) {
    assert.ok(isCorefile(text), text)
  }
})

test('YAML files, and what is neither', () => {
  for (const text of [
    '{}',
    '{ "listen": ["127.0.0.1:53"] }',
    'listen: [127.0.0.1:53]',
    '# .:53 {\nlisten:\n  - 127.0.0.1:53',
    '---\nlisten: []',
    '"listen": []',
    'cluster: {\n}',
    '',
    'hello',
    '- a\n- b',
  ]) {
    assert.not.ok(isCorefile(text), text)
  }
})

test('what a Corefile imports lies beside it', async ({ dir }) => {
  const path = join(dir, 'Corefile')
  writeFileSync(join(dir, 'root.server'), '.:53 {\nbind 127.0.0.9\nforward . 192.0.2.1\n}\n')
  const read = await readCorefileConfig(path, 'import *.server')
  assert.ok(read.ok)
  if (!read.ok) return
  assert.equal(
    read.config.listen.map(({ address, port }) => [address, port]),
    [['127.0.0.9', 53]],
  )
})

test('a pattern may match no file, and its directory be missing, as in CoreDNS; a plain file may not', async ({
  dir,
}) => {
  const path = join(dir, 'Corefile')
  const block = (name: string) => `.:53 {\nimport ${name}\nforward . 192.0.2.1\n}\n`
  const read = await readCorefileConfig(path, block('custom/*.override'))
  assert.ok(read.ok)
  assert.match(read.notes[0] ?? '', /Corefile:2:8: .*matches no file here/)
  assert.not.ok((await readCorefileConfig(path, block('custom/a.override'))).ok)
})

test('links of this machine have addresses, and labels without a port have that of the caller', async () => {
  const read = await readCorefileConfig('Corefile', '. {\nbind lo\nforward . 192.0.2.1\n}', {
    port: 5353,
  })
  assert.ok(read.ok)
  if (!read.ok) return
  assert.ok(read.config.listen.some(({ address }) => address === '127.0.0.1'))
  assert.ok(read.config.listen.every(({ port }) => port === 5353))
})

test('a template is judged with stand-ins, which is said', async () => {
  const text =
    '__PILLAR__DNS__DOMAIN__:53 {\nbind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__\nforward . __PILLAR__CLUSTER__DNS__\nprometheus __PROMETHEUS__ENDPOINT__\n}\n. {\nbind __PILLAR__LOCAL__DNS__\nforward . __PILLAR__UPSTREAM__SERVERS__\n}'
  const read = await readCorefileConfig('Corefile', text)
  assert.ok(read.ok, JSON.stringify(read))
  if (!read.ok) return
  assert.match(read.notes[0] ?? '', /^a template: judged with 192\.0\.2\.1/)
  assert.match(read.notes[1] ?? '', /^Corefile:1:1: .*has not been replaced/)
  const values = { localIps: ['169.254.20.10', 'fd00::10'], clusterDns: '10.96.0.11' }
  const real = await readCorefileConfig('Corefile', text, values)
  assert.ok(real.ok && real.notes.length === 1)
  if (real.ok) assert.equal(real.settings['listen'], ['169.254.20.10:53', '[fd00::10]:53'])
})

test('a mistake has file, line, column and a way out', async () => {
  const read = await readCorefileConfig('Corefile', '.:53 {\n  proxy . 192.0.2.1\n}')
  assert.not.ok(read.ok)
  if (read.ok) return
  const [{ where = '', message = '' } = {}] = read.problems
  assert.is(where, 'Corefile:2:3')
  assert.match(message, /write `forward`$/)
})

test.run()
