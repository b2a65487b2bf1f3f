// Goal: a name as typed is asked as meant, and shown in both forms. Method: tables.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bothForms, readTypedName } from '../../src/cli/typed-name.ts'

const test = suite('cli/typed-name')

function read(text: string) {
  const parsed = readTypedName(text)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.value
}

test('both forms are shown, from whichever was typed', () => {
  const line = ';; bücher.example. is xn--bcher-kva.example. on the wire\n'
  for (const text of ['bücher.example', 'BÜCHER.example.', 'xn--bcher-kva.example']) {
    assert.is(bothForms(read(text)).toLowerCase(), line)
  }
})

test('a name with one form only has no line', () => {
  for (const text of ['www.example', '.', 'www.example.', 'a\\.b.example', 'xn--.example']) {
    assert.is(bothForms(read(text)), '', text)
  }
})

test('escapes stay as they are typed', () => {
  assert.is(read('a\\.b\\032c.example.').ascii, 'a\\.b\\032c.example.')
})

const refused: [string, RegExp][] = [
  ['', /the name is empty/],
  ['a..b', /has an empty label/],
  ['a\\256.example', /is not a domain name: \\DDD is a byte of 000 to 255/],
  ['a\\', /is not a domain name: \\DDD is a byte/],
  [`${'\\097'.repeat(64)}.example`, /labels have 1 to 63 bytes/],
  ['a\u200db.example', /internationalized/],
]
for (const [text, why] of refused) {
  test(`${JSON.stringify(text).slice(0, 30)} is refused`, () => {
    const parsed = readTypedName(text)
    assert.match(parsed.ok ? '' : parsed.why, why)
  })
}

test.run()
