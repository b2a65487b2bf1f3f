// Goal: the data of the stand-ins' addresses are the bytes of RFC 1035 3.4.1 and RFC 3596 2.2. Method: literal bytes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { a, aaaa } from '../../src/demo/records.ts'
import { RrType } from '../../src/wire/constants.ts'

const test = suite('demo/records')

test('A has four bytes', () => {
  assert.equal(a('10.96.0.10'), { type: RrType.a, data: Uint8Array.of(10, 96, 0, 10) })
})

test('AAAA has sixteen, whether `::` stands in it or not', () => {
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
  assert.equal(aaaa('2001:db8::10'), {
    type: RrType.aaaa,
    data: bytes('20010db8000000000000000000000010'),
  })
  assert.equal(aaaa('1:2:3:4:5:6:7:8').data, bytes('00010002000300040005000600070008'))
})

test.run()
