/** Goal: options of the operator are read as they are written, and what would tell one client from another is refused. Method: texts and bytes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ednsOptionBytes, parseEdnsOption } from '../../src/wire/edns-option.ts'

const test = suite('wire/edns-option')

test('a code, with data or without', () => {
  const options = ['65518=aBcd', '65074', '3='].map((text) => {
    const read = parseEdnsOption(text)
    assert.ok(read.ok, text)
    return read.value
  })
  assert.equal(options[0], { code: 65_518, data: 'abcd' })
  const bytes = Buffer.from(ednsOptionBytes(options)).toString('hex')
  assert.is(bytes, 'ffee0002abcd' + 'fe320000' + '00030000')
})

test('what is no option, too long, or says who asks', () => {
  for (const text of [
    '',
    '0',
    '65536',
    '65518=abc',
    '65518=xy',
    'x',
    '-1',
    `9=${'00'.repeat(65)}`,
  ]) {
    assert.not(parseEdnsOption(text).ok, text)
  }
  const ecs = parseEdnsOption('8=0001')
  assert.match(ecs.ok ? '' : ecs.why, 'subnet of a client is not told')
})

test.run()
