// Goal: fish offers what a verb takes at each place of a command line.
// Method: the text against the definitions; and the script in the real fish, where there is one.
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fishCompletion } from '../../../../src/cli/command-line/completion/fish.ts'
import { verbs } from '../../../../src/cli/command-line/verbs.ts'
import { programPath } from '../../../support/needs.ts'

const test = suite('cli/command-line/completion/fish')
const script = fishCompletion(verbs)

test('every verb and every flag has its line', () => {
  for (const { name, flags } of verbs) {
    assert.ok(script.includes(`-n __neardns_wants_verb -a ${name} -d `), name)
    for (const flag of Object.keys(flags)) {
      assert.ok(script.includes(`-n '__neardns_is ${name}' -l ${flag.slice(2)} `), flag)
    }
  }
})

test('a quote in a text ends no string', () => {
  const [first] = verbs
  assert.ok(first)
  const text = fishCompletion([{ ...first, what: "a node's \\ own" }])
  assert.ok(text.includes("-d 'a node\\'s \\\\ own'"))
})

if (programPath('fish') !== undefined) {
  const lines: [string, readonly string[]][] = [
    ['neardns q', ['query']],
    ['neardns query --', ['--help', '--json', '--server', '--tcp']],
    ['neardns query --server 10.0.0.1 a A', ['A', 'AAAA']],
    ['neardns rules --config x.yaml ', ['apply', 'remove', 'show']],
    ['neardns rules show ', []],
    ['neardns --io b', ['batched']],
  ]
  test('each place of a command line gets what may stand there', () => {
    for (const [line, wanted] of lines) {
      const args = ['--no-config', '-c', `${script}\ncomplete -C '${line}'`]
      const { stdout } = spawnSync('fish', args, { encoding: 'utf8' })
      const got = stdout.split('\n').filter((row) => row !== '')
      assert.equal(
        got.map((row) => row.split('\t')[0]),
        wanted,
        line,
      )
    }
  })
}

test.run()
