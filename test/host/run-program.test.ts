// Goal: what a program did is known whatever it does: fails, says much, reads nothing, is not there. Method: Node as the program.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runProgram } from '../../src/host/run-program.ts'

const test = suite('host/run-program')

const node = (script: string, stdin?: string) => runProgram(process.execPath, ['-e', script], stdin)

test('a successful program gives its output', async () => {
  const ran = await node(`process.stdout.write('rules'); process.stderr.write('a warning\\n')`)
  assert.equal(ran, { ok: true, stdout: 'rules', stderr: 'a warning', isMissing: false })
})

test('a failed program gives its error output, or the failed command if it printed none', async () => {
  const ran = await node(`console.error('xtables lock'); process.exitCode = 4`)
  assert.equal([ran.ok, ran.stderr, ran.isMissing], [false, 'xtables lock', false])
  const silent = await node('process.exitCode = 1')
  assert.match(silent.stderr, 'Command failed')
})

test('a program that is not there is missing, which is no failure of its own', async () => {
  const ran = await runProgram('neardns-no-such-program', ['-t', 'nat'])
  assert.equal([ran.ok, ran.isMissing, ran.stdout], [false, true, ''])
})

test('arguments reach the program as they are: no shell reads them', async () => {
  const odd = ['$(id)', '; true', '*', `'"`]
  const ran = await runProgram(process.execPath, [
    '-e',
    'console.log(JSON.stringify(process.argv.slice(1)))',
    ...odd,
  ])
  assert.equal(JSON.parse(ran.stdout), odd)
})

test('a text is fed to its standard input, which is empty and closed without one', async () => {
  const echo = `process.stdin.pipe(process.stdout)`
  assert.is((await node(echo, '*raw\nCOMMIT\n')).stdout, '*raw\nCOMMIT\n')
  assert.is((await node(echo)).stdout, '')
})

test('a program that ends without reading its input has ended, and nothing else', async () => {
  const ran = await node('process.exit(0)', 'x'.repeat(4_000_000))
  assert.is(ran.ok, true)
})

test('a program that hangs is killed after its 10 s and has failed', async () => {
  const startMs = performance.now()
  const ran = await node('setInterval(() => {}, 1000)')
  const tookMs = performance.now() - startMs
  assert.equal([ran.ok, ran.isMissing], [false, false])
  assert.ok(tookMs > 9900, `${tookMs} ms`)
})

test('messages are in English, and directories of the superuser are searched', async () => {
  const ran = await node(`console.log(process.env.LC_ALL, process.env.PATH)`)
  assert.match(ran.stdout, /^C .*:\/usr\/local\/sbin:\/usr\/sbin:\/sbin$/m)
})

test('megabytes of rules come whole', async () => {
  const ran = await node(`process.stdout.write('-A X -j Y\\n'.repeat(1_000_000))`)
  assert.equal([ran.ok, ran.stdout.length], [true, 10_000_000])
})

test.run()
