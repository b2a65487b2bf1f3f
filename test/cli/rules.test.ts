/*
 * Goal: a wrong call touches nothing and says what would be right; what is shown is what the configuration means. Method: the verb with
 * configurations that intercept nothing. What it does to a node is tried in test/real.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rules } from '../../src/cli/rules.ts'
import { captured } from '../support/cli-io.ts'

const test = suite<{ folder: string }>('cli/rules')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-rules-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

async function call(argv: readonly string[]) {
  const io = captured()
  const code = await rules(argv, io)
  return { code, out: io.out(), err: io.err() }
}

const wrong: readonly [what: string, argv: readonly string[], says: RegExp][] = [
  ['no action', [], /one of show, apply, remove/],
  ['an action that is none', ['flush'], /one of show, apply, remove/],
  [
    'two actions',
    ['show', 'remove'],
    /does not take the word "remove": neardns rules show.apply.remove/,
  ],
  ['an unknown flag', ['show', '--dry'], /--dry/],
  ['a flag without its value', ['show', '--config'], /--config/],
]
for (const [what, argv, says] of wrong) {
  test(`${what}: exit code 2, one line, nothing on standard output`, async () => {
    const { code, out, err } = await call(argv)
    assert.equal([code, out], [2, ''])
    assert.match(err, says)
    assert.is(err.trimEnd().split('\n').length, 1)
  })
}

test('a configuration that is wrong is told as validate tells it', async ({ folder }) => {
  const file = join(folder, 'wrong.yaml')
  writeFileSync(file, 'interception: { renewMs: soon }\n')
  const { code, out, err } = await call(['show', '--config', file])
  assert.equal([code, out], [2, ''])
  assert.match(err, /wrong\.yaml:1:\d+: interception\.renewMs: /)
})

test('an upstream that is none is told as it was typed', async () => {
  const { code, err } = await call(['show', '--cluster-upstream', 'coredns'])
  assert.is(code, 2)
  assert.match(err, /--cluster-upstream coredns/)
})

test('as JSON there are facts and plan, or the commands of a dry run', async () => {
  const shown = await call(['show', '--json'])
  assert.is(JSON.parse(shown.out).plan.backend, 'none')
  const dry = await call(['apply', '--dry-run', '--json'])
  assert.equal(JSON.parse(dry.out), { commands: [], troubles: [] })
  const real = await call(['apply', '--json'])
  assert.equal([real.code, real.out], [2, ''])
})

test('without addresses nothing is planned, and apply prints no command', async () => {
  const shown = await call(['show'])
  assert.is(shown.code, 0, shown.err)
  assert.is.not(shown.out, '')
  const applied = await call(['apply', '--dry-run'])
  assert.is(applied.code, 0, applied.err)
  // Reasons only.
  assert.equal(
    applied.out.split('\n').filter((line) => line !== '' && !line.startsWith('# ')),
    [],
  )
})

test.run()
