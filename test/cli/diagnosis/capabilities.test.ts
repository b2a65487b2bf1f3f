// Goal: effective capabilities are read as the kernel writes them. Method: texts of /proc/self/status.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { capabilitiesIn } from '../../../src/cli/diagnosis/capabilities.ts'

const test = suite('cli/diagnosis/capabilities')

for (const [hex, names] of [
  ['0000000000000000', []],
  ['0000000000000400', ['NET_BIND_SERVICE']],
  ['0000000000003400', ['NET_BIND_SERVICE', 'NET_ADMIN', 'NET_RAW']],
  ['000001ffffffffff', ['NET_BIND_SERVICE', 'NET_ADMIN', 'NET_RAW', 'BPF']],
] as const) {
  test(`CapEff ${hex}`, () => {
    const found = capabilitiesIn(`Name:\tnode\nCapPrm:\t0\nCapEff:\t${hex}\nCapBnd:\t0\n`)
    assert.equal([...(found ?? [])], names)
  })
}

test('a text without them says nothing', () => {
  assert.is(capabilitiesIn(''), undefined)
})

test.run()
