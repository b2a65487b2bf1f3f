/*
 * Goal: a directive is valid here exactly where CoreDNS says so, but for what is refused by name. Method: the table of nodelocal/directives, put to
 * the program. All valid ones are server blocks of one file, behind a block whose mistake CoreDNS meets last of all (as in
 * corefile/coredns), so no server starts; each invalid one is a file of its own.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { corednsPath, needs } from '../support/needs.ts'
import { Child } from '../support/process.ts'
import { directiveCases, inBlock } from './directive-cases.ts'

export const testTimeoutMs = 120_000

const test = suite('nodelocal/coredns')
const there = needs('coredns')

const lastMistake = "unknown property 'neardns-has-read-all'"
const atOnce = 4
const comparable = directiveCases.filter(({ ours }) => ours === undefined)

/** What CoreDNS says last; `lastMistake` when it found nothing else wrong. */
async function complaint(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-nodelocal-'))
  const corefile = join(directory, 'Corefile')
  await writeFile(corefile, `last.invalid:1 {\nnomad {\nneardns-has-read-all\n}\n}\n${text}`)
  const child = new Child(corednsPath() ?? 'coredns', ['-conf', corefile])
  try {
    const exit = await child.exited
    assert.is(exit.code, 1, child.lines.join('\n'))
    return child.lines.at(-1) ?? ''
  } finally {
    await child.stop('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
}

if (there) {
  test('CoreDNS takes what is taken here', async () => {
    const valid = comparable.filter(({ wrong }) => wrong === undefined)
    const blocks = valid.map(({ text }, i) => inBlock(text).replace('.:53', `z${i}.example:53`))
    const said = await complaint(blocks.join(''))
    assert.ok(said.includes(lastMistake), said)
  })

  test('CoreDNS refuses what is refused here', async () => {
    const invalid = comparable.filter(({ wrong }) => wrong !== undefined)
    const ask = async (lane: number) => {
      for (let i = lane; i < invalid.length; i += atOnce) {
        const { text = '' } = invalid[i] ?? {}
        const said = await complaint(inBlock(text))
        assert.not.ok(said.includes(lastMistake), text)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, (_, lane) => ask(lane)))
  })
} else {
  test.skip('CoreDNS takes and refuses what is taken and refused here')
}

test.run()
