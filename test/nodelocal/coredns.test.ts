/*
 * Goal: a directive is valid here exactly where CoreDNS says so, but for what is refused by name. Method: the table of nodelocal/directives, put to
 * the program. All valid ones are server blocks of one file, behind a block whose mistake CoreDNS meets last of all (as in
 * support/coredns-complaint.ts), so no server starts; each invalid one is a file of its own.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { corednsComplaint, lastMistake } from '../support/coredns-complaint.ts'
import { needs } from '../support/needs.ts'
import { directiveCases, inBlock } from './directive-cases.ts'

export const testTimeoutMs = 120_000

const test = suite('nodelocal/coredns')
const there = needs('coredns')

const atOnce = 4
const comparable = directiveCases.filter(({ ours }) => ours === undefined)

if (there) {
  test('CoreDNS takes what is taken here', async () => {
    const valid = comparable.filter(({ wrong }) => wrong === undefined)
    const blocks = valid.map(({ text }, i) => inBlock(text).replace('.:53', `z${i}.example:53`))
    const said = await corednsComplaint(blocks.join(''))
    assert.ok(said.includes(lastMistake), said)
  })

  test('CoreDNS refuses what is refused here', async () => {
    const invalid = comparable.filter(({ wrong }) => wrong !== undefined)
    const ask = async (lane: number) => {
      for (let i = lane; i < invalid.length; i += atOnce) {
        const { text = '' } = invalid[i] ?? {}
        const said = await corednsComplaint(inBlock(text))
        assert.not.ok(said.includes(lastMistake), text)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, (_, lane) => ask(lane)))
  })
} else {
  test.skip('CoreDNS takes and refuses what is taken and refused here')
}

test.run()
