/** Goal: node-cache's command line ends as it should where it does not serve. Method: the verb itself, with files in a folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeCache } from '../../../src/cli/node-cache/node-cache.ts'
import { captured } from '../../support/cli-io.ts'

const test = suite<{ folder: string }>('cli/node-cache/node-cache')

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-node-cache-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true }))

async function called(...argv: string[]) {
  const io = captured()
  const code = await nodeCache(argv, io)
  return { code, out: io.out(), err: io.err() }
}

/** Without link and rules, so that nobody looks at this machine. */
const bare = ['-localip', '127.9.9.9', '-setupinterface=false', '-setupiptables=false']

test('help, version and plugins are printed, and end well', async () => {
  assert.match((await called('-help')).out, /-localip IP/)
  assert.match((await called('--version')).out, /^neardns \d/)
  const plugins = await called('-plugins')
  assert.equal([plugins.code, plugins.out.includes('dns.forward\n')], [0, true])
})

test('a flag that node-cache does not have: code 2, and its name', async () => {
  const { code, err } = await called('-localip', '127.9.9.9', '-forwardonexit=false')
  assert.is(code, 2)
  assert.match(err, /^neardns: unknown flag "-forwardonexit"; .*leave it out\n$/)
})

test('without template and Corefile, both are named', async ({ folder }) => {
  const { code, err } = await called(
    ...bare,
    '-conf',
    join(folder, 'a'),
    '-basecorefile',
    join(folder, 'b'),
  )
  assert.is(code, 2)
  assert.match(err, /\/a: cannot be read, and neither can the template .*\/b; mount one of them/)
})

test('a mistake in a Corefile is told with file, line and column', async ({ folder }) => {
  const conf = join(folder, 'Corefile')
  writeFileSync(conf, '.:53 {\n    kubernetes cluster.local\n}\n')
  const { code, err } = await called(...bare, '-conf', conf, '-basecorefile', join(folder, 'none'))
  assert.is(code, 2)
  assert.match(err, /\/Corefile:2:5: .*kubernetes/)
})

test('a template that asks for a Service without an address: its name and its variable', async ({
  folder,
}) => {
  const base = join(folder, 'Corefile.base')
  writeFileSync(base, '.:53 {\n    forward . __PILLAR__CLUSTER__DNS__\n}\n')
  const conf = join(folder, 'Corefile')
  const argv = [...bare, '-conf', conf, '-basecorefile', base, '-upstreamsvc', 'no-such-service']
  const { code, err } = await called(...argv)
  assert.is(code, 2)
  assert.match(err, /Service no-such-service, and NO_SUCH_SERVICE_SERVICE_HOST is not set to one/)
  assert.throws(() => readFileSync(conf), /ENOENT/)
})

test.run()
