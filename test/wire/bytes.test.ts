/** Goal: numbers are read and written big-endian and unsigned, and nothing beside them changes. Method: against Node's own Buffer. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { putU16, putU32, u8, u16, u32 } from '../../src/wire/bytes.ts'

const test = suite('wire/bytes')

const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 })

test('what is read is what Buffer reads', () => {
  fc.assert(
    fc.property(bytes, fc.nat(4), (of, at) => {
      const buffer = Buffer.from(of)
      assert.is(u8(of, at), buffer.readUInt8(at))
      assert.is(u16(of, at), buffer.readUInt16BE(at))
      assert.is(u32(of, at), buffer.readUInt32BE(at))
    }),
  )
})

test('what is written is what Buffer writes', () => {
  fc.assert(
    fc.property(bytes, fc.nat(4), fc.nat(0xffff_ffff), (of, at, value) => {
      const [two, four] = [Buffer.from(of), Buffer.from(of)]
      two.writeUInt16BE(value & 0xffff, at)
      four.writeUInt32BE(value, at)
      const [ourTwo, ourFour] = [Buffer.from(of), Buffer.from(of)]
      putU16(ourTwo, at, value & 0xffff)
      putU32(ourFour, at, value)
      assert.equal([ourTwo, ourFour], [two, four])
    }),
  )
})

test('the largest numbers stay positive', () => {
  const of = Buffer.alloc(4, 0xff)
  assert.equal([u8(of, 0), u16(of, 0), u32(of, 0)], [255, 65_535, 4_294_967_295])
  putU32(of, 0, 0x8000_0000)
  assert.is(u32(of, 0), 2_147_483_648)
})

test.run()
