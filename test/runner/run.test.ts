/**
 * Goal: the runner cannot be green by accident. Method: it is started as a child process on folders that each
 * hold one defect (test/fixtures/runner), each by itself, and on all of them in two lanes.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runToEnd } from '../support/process.ts'

const here = import.meta.dirname
const fixtures = join(here, '..', 'fixtures', 'runner')

interface Run {
  readonly code: number | null
  readonly output: string
  readonly lastLine: string
}

const isolated = { NEARDNS_TEST_REQUIRE_ALL: '', NO_COLOR: '1' }

async function run(
  folder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Run> {
  const argv = [join(here, '..', 'run.ts'), '--root', folder, '--timeout', '400', ...args]
  const options = { env: { ...isolated, ...env }, timeoutMs: 60_000 }
  const { code, output } = await runToEnd(process.execPath, argv, options)
  return { code, output, lastLine: output.trimEnd().split('\n').at(-1) ?? '' }
}

const runs = new Map<string, Run>()

/** What the run of one fixture came to; all of them were run beforehand, four at a time, because most of them wait. */
function runOf(fixture: string): Run {
  const known = runs.get(fixture)
  if (known === undefined) throw new Error(`no fixture ${fixture}`)
  return known
}

function assertFails(fixture: string, lastLine: string, says: RegExp): void {
  const { code, output, lastLine: last } = runOf(fixture)
  assert.is.not(code, 0, output)
  assert.is(last, lastLine, output)
  assert.match(output, says)
  assert.match(output, new RegExp(`FAIL .*${fixture}`), output)
}

const test = suite('test/run')

test.before(async () => {
  const queue = readdirSync(fixtures)
  const work = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      runs.set(name, await run(join(fixtures, name)))
    }
  }
  await Promise.all([work(), work(), work(), work()])
})

test('a file whose tests pass is green', () => {
  const { code, lastLine, output } = runOf('good')
  assert.is(code, 0, output)
  assert.is(lastLine, '2 passed, 0 failed')
})

test('a failed assertion fails', () => assertFails('assertion', '1 passed, 1 failed', /one is two/))

test('a file without a test fails', () =>
  assertFails('no-test', '0 passed, 1 failed', /file without a test/))

test('a suite without a test fails', () =>
  assertFails('empty-suite', '0 passed, 1 failed', /suite without a test/))

test('a suite without .run() fails although another suite of the file runs', () =>
  assertFails('no-run', '1 passed, 1 failed', /forgotten.*\.run\(\) is missing/))

test('a test registered after .run() fails', () =>
  assertFails('late-test', '1 passed, 1 failed', /1 of 2 tests did not run/))

test('a throw in before fails', () =>
  assertFails('throws-in-before', '0 passed, 1 failed', /before: hook broke/))

test('a throw in after fails', () =>
  assertFails('throws-in-after', '1 passed, 1 failed', /after: hook broke/))

test('a throw in before.each fails', () =>
  assertFails('throws-in-before.each', '0 passed, 1 failed', /before\.each: hook broke/))

test('a throw in after.each fails', () =>
  assertFails('throws-in-after.each', '1 passed, 1 failed', /after\.each: hook broke/))

test('a test that throws something else than an error fails by itself', () =>
  assertFails('throws-nothing', '0 passed, 2 failed', /throws a string: threw 'text'/))

test('a test that never ends fails and the next one still runs', () =>
  assertFails('hangs', '1 passed, 1 failed', /never ends: timed out after 400 ms/))

test('of tests that run beside each other each fails by itself', () => {
  assertFails('overlapping', '1 passed, 2 failed', /never ends: timed out after 400 ms/)
  assert.match(runOf('overlapping').output, /FAIL .*one is two: Expected values/)
})

test('a hook that never ends fails', () =>
  assertFails('hangs-in-hook', '0 passed, 1 failed', /before: timed out/))

test('a file whose import never ends fails', () =>
  assertFails('hangs-in-import', '0 passed, 1 failed', /could not be loaded: timed out/))

test('a test that blocks the event loop is killed and named', () =>
  assertFails('blocks', '0 passed, 1 failed', /spins for ever: blocked the event loop/))

test('an unhandled rejection fails and names the file', () =>
  assertFails('rejection', '1 passed, 1 failed', /unhandled rejection: nobody caught me/))

test('an uncaught exception fails and names the file', () =>
  assertFails('exception', '1 passed, 1 failed', /uncaught exception: thrown by a callback/))

test('.only fails because it hides the other tests', () =>
  assertFails('only', '1 passed, 1 failed', /1 of 2 tests did not run/))

test('an exit in the middle of a test fails', () =>
  assertFails('exits', '0 passed, 1 failed', /exits in the middle/))

test('a file that throws while it is loaded fails', () =>
  assertFails('does-not-load', '0 passed, 1 failed', /broken at load/))

test('a forgotten .run() of the shared suite fails only its own file', () => {
  const { code, output, lastLine } = runOf('anonymous')
  assert.is(code, 1)
  assert.is(lastLine, '1 passed, 1 failed', output)
  assert.match(output, /FAIL .*second\.test\.ts/)
})

test('a run in which every test is skipped is not green', () => {
  const { code, output, lastLine } = runOf('all-skipped')
  assert.is(code, 1)
  assert.is(lastLine, '0 passed, 0 failed')
  assert.match(output, /skipped: 1 in .*all-skipped/)
})

test('a skipped test is counted, and what would enable it is told', () => {
  const { code, output } = runOf('needs')
  assert.is(code, 0, output)
  assert.match(output, /skipped: 1 in .*needs\.test\.ts\nneeds rocket: apt-get install rocket/)
})

test('a skipped test fails where everything is required', async () => {
  const env = { NEARDNS_TEST_REQUIRE_ALL: '1' }
  const { code, output } = await run(join(fixtures, 'needs'), [], env)
  assert.is(code, 1, output)
  assert.match(output, /FAIL NEARDNS_TEST_REQUIRE_ALL: 1 tests skipped/)
})

test('a filter that matches no file fails', async () => {
  const { code, output, lastLine } = await run(join(fixtures, 'good'), ['no-such-file'])
  assert.is(code, 1)
  assert.is(lastLine, '0 passed, 1 failed', output)
})

test('a file may raise its own time limit', () => {
  const { code, output } = runOf('long-limit')
  assert.is(code, 0, output)
})

test('a socket left open is reported and does not keep the run alive', () => {
  const { code, output } = runOf('leaks')
  assert.is(code, 0, output)
  assert.match(output, /warning: left open: TCPServerWrap x 1 \(.*leaks\.test\.ts\)/)
})

test('a file that fails beside others runs once more alone, and what then passes is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-unsteady-'))
  const env = { NEARDNS_TEST_MARK: join(directory, 'mark') }
  const { code, output, lastLine } = await run(join(fixtures, 'unsteady'), [], env)
  rmSync(directory, { recursive: true })
  assert.is(code, 0, output)
  assert.is(lastLine, '4 passed, 0 failed')
  assert.match(output, /again, alone: .*unsteady\.test\.ts/)
  assert.match(output, /unsteady: .* › fails once: the first time; passed when run alone/)
})

test('what fails alone, too, has failed, and is counted once', async () => {
  const files = ['assertion/', 'good/']
  const { code, output, lastLine } = await run(fixtures, files)
  assert.is(code, 1)
  assert.is(lastLine, '3 passed, 1 failed', output)
  assert.match(output, /again, alone: .*assertion/)
})

test('in two lanes each defect, the end of a lane too, fails its own file and costs no other file a test', async () => {
  const { code, output, lastLine } = await run(fixtures, ['--lanes', '2'])
  assert.is(code, 1)
  const lines = output.split('\n').filter((line) => line.startsWith('FAIL '))
  for (const [fixture, { code: alone }] of runs) {
    const fails = lines.some((line) => line.includes(`/${fixture}/`))
    assert.is(fails, alone !== 0 && fixture !== 'all-skipped', `${fixture}\n${output}`)
  }
  assert.match(output, /FAIL .*blocks.*spins for ever: blocked the event loop.*SIGKILL/)
  assert.match(output, /FAIL .*exits.*ends the process: the process exits in the middle/)
  // Of a file whose process ends in the midst of it, what had passed until then is not told.
  const sums = [...runs.values()].map(({ lastLine: line }) => line.split(' ').map(Number))
  const sum = (column: number) => sums.reduce((all, numbers) => all + (numbers[column] ?? 0), 0)
  assert.is(lastLine, `${sum(0)} passed, ${sum(2)} failed`)
})

test.run()
