// Goal: a command line ends in the right function, with the right streams and exit code.
// Method: dispatch with two recording verbs and captured output.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { verbs } from '../../src/cli/command-line/verbs.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { captured } from '../support/cli-io.ts'

const test = suite('cli/dispatch')

async function neardns(...argv: string[]) {
  const io = captured()
  const calls: [string, readonly string[]][] = []
  const code = await dispatch(argv, io, {
    run: async (rest) => {
      calls.push(['run', rest])
      return 0
    },
    demo: async (rest) => {
      calls.push(['demo', rest])
      return 7
    },
    nodeCache: async (rest) => {
      calls.push(['node-cache', rest])
      return 0
    },
  })
  return { code, calls, out: io.out(), err: io.err() }
}

test('run and demo get their arguments and give the exit code', async () => {
  assert.equal((await neardns('--io', 'auto')).calls, [['run', ['--io', 'auto']]])
  const demo = await neardns('demo', '--x')
  assert.equal(demo.calls, [['demo', ['--x']]])
  assert.is(demo.code, 7)
})

test('arguments of node-cache go there as they are, help and version included', async () => {
  const argv = ['-localip', '169.254.7.7', '-help']
  assert.equal((await neardns(...argv)).calls, [['node-cache', argv]])
  assert.equal((await neardns('node-cache', '-version')).calls, [['node-cache', ['-version']]])
})

test('help goes to standard output and is no failure', async () => {
  const { code, out, err } = await neardns('--help')
  assert.is(code, 0)
  assert.match(out, /^neardns - /)
  assert.is(err, '')
})

test('the version is that of package.json', async () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  assert.is((await neardns('--version')).out, `neardns ${version}\n`)
})

test('a misuse goes to standard error with exit code 2', async () => {
  assert.equal(await neardns('upstreams'), {
    code: 2,
    calls: [],
    out: '',
    err: `neardns: upstreams is not in this version yet; there are ${verbs.map(({ name }) => name).join(', ')}; neardns --help says what they do\n`,
  })
})

test('validate and query are reached', async () => {
  assert.is(
    (await neardns('validate')).err,
    'neardns: validate needs FILE: neardns validate FILE [flags]\n',
  )
  assert.is(
    (await neardns('query')).err,
    'neardns: query needs NAME: neardns query NAME [TYPE] [flags]\n',
  )
})

test.run()
