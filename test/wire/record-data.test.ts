/*
 * Goal: whatever an upstream does to a record of any type, what is passed on is well-formed and means the same; names are in full
 * where only that is allowed. Method: all types of the registry, their names compressed and in full, whole and damaged; images are
 * read by dns-packet and by the tests' own reader.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeImage } from '../../src/wire/image.ts'
import { decodeMessage } from '../../src/wire/message.ts'
import { NamePlaces } from '../../src/wire/name-places.ts'
import { hasSoundData, isFinished, layoutOf, Part } from '../../src/wire/record-data.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { header, labels, name, octets, pointer, question, rr } from '../fixtures/packets/octets.ts'
import { damagedData, recordTypes } from '../fixtures/packets/record-types.ts'
import { readMessage } from '../support/client/dns-message.ts'

const test = suite('wire/record-data')

const qname = name('www.corp.example')
const bodyAt = 12 + qname.length + 4
const host = octets(labels('Mail'), pointer(16))
const hostInFull = octets(labels('Mail'), name('corp.example'))

/** A message with the record between two others. */
function replyOf(type: number, data: Buffer, owner: Buffer): Buffer {
  const records = [
    rr({ owner: pointer(12), type: 65_400, data: octets('before') }),
    rr({ owner, type, ttl: 77, data }),
    rr({ owner: pointer(12), type: 65_400, data: octets('behind') }),
  ]
  const head = header({ id: 0, flags: 0x8080, counts: [1, 3, 0, 0] })
  return octets(head, question(qname, type), records)
}

/** @param owner in full, so that the record is written anew, or as a pointer */
function imageOf(type: number, data: Buffer, owner: Buffer): Buffer | undefined {
  const reply = replyOf(type, data, owner)
  const scan = new ResponseScan()
  assert.ok(scanResponse(reply, reply.length, scan))
  return makeImage(reply, scan, Uint8Array.of(1, 1, 1), false)
}

const owners: readonly Buffer[] = [pointer(12), qname]

/** The data of the second record. */
function dataIn(image: Buffer): Buffer {
  const at = bodyAt + 2 + 10 + 6
  assert.is(image.readUInt16BE(at), 0xc00c)
  return image.subarray(at + 12, at + 12 + image.readUInt16BE(at + 10))
}

for (const { type, mnemonic, names, data } of recordTypes) {
  test(`${mnemonic}: its data mean the same in the image`, () => {
    for (const owner of owners) {
      for (const given of [data(hostInFull), data(host)]) {
        const image = imageOf(type, given, owner)
        assert.ok(image !== undefined)
        // The reader knows names in the data of RFC 1035's types; the other types' are compared byte by byte.
        const wanted = readMessage(replyOf(type, data(hostInFull), owner))
        assert.equal(readMessage(image), wanted)
        if (names === 'packed') assert.ok(dataIn(image).length <= data(host).length)
        else assert.equal(dataIn(image), data(hostInFull))
        assert.ok(decodeMessage(image).ok, 'dns-packet cannot read it')
      }
    }
  })
}

for (const one of recordTypes) {
  test(`${one.mnemonic}: damaged data are refused, or passed on as they are in a message that can be read`, () => {
    for (const owner of owners) {
      for (const given of damagedData(one, hostInFull)) {
        const image = imageOf(one.type, given, owner)
        if (image === undefined) continue
        assert.is(readMessage(image).answers.length, 3)
        assert.equal(dataIn(image), given)
        const decoded = decodeMessage(image)
        assert.ok(decoded.ok || isQuirk(one.mnemonic, decoded.why), `${given.toString('hex')}`)
      }
    }
  })
}

/** What dns-packet refuses although the message is well-formed: a value, and a length that it takes from a value. */
function isQuirk(mnemonic: string, why: string): boolean {
  return mnemonic === 'SSHFP' || (mnemonic === 'DNSKEY' && why === 'Protocol must be 3')
}

test('a type of known length is refused with any other one', () => {
  const fixed = recordTypes.filter(({ isOpaque, names }) => !isOpaque && names === 'none')
  for (const { type, mnemonic, data } of fixed) {
    const whole = data(qname)
    for (const owner of owners) {
      assert.is(imageOf(type, octets(whole, 9), owner), undefined, `${mnemonic}, longer`)
      assert.is(imageOf(type, whole.subarray(0, -1), owner), undefined, `${mnemonic}, shorter`)
    }
  }
})

test('names are in full in every type that came after RFC 1035', () => {
  for (const { type, mnemonic, names } of recordTypes) {
    const layout = layoutOf(type) ?? []
    assert.is(layout.includes(Part.packedName), names === 'packed', mnemonic)
    assert.is(layout.includes(Part.fullName), names === 'full', mnemonic)
  }
})

test('answers can be read exactly when they have an image', () => {
  for (const one of recordTypes) {
    for (const given of [...damagedData(one, hostInFull), one.data(hostInFull), one.data(host)]) {
      const reply = replyOf(one.type, given, pointer(12))
      const scan = new ResponseScan()
      assert.ok(scanResponse(reply, reply.length, scan))
      const hasImage = imageOf(one.type, given, pointer(12)) !== undefined
      assert.is(hasSoundData(reply, scan), hasImage, `${one.mnemonic} ${given.toString('hex')}`)
    }
  }
})

test('the SOA of a denial is looked at as well, other records beside the answers are not', () => {
  const answered = (type: number, data: Buffer) => {
    const records = [
      rr({ owner: pointer(12), type: 1, data: octets(192, 0, 2, 1) }),
      rr({ owner: pointer(16), type, data }),
    ]
    const head = header({ id: 0, flags: 0x8180, counts: [1, 1, 1, 0] })
    const reply = octets(head, question(qname, 1), records)
    const scan = new ResponseScan()
    assert.ok(scanResponse(reply, reply.length, scan))
    return hasSoundData(reply, scan)
  }
  assert.ok(answered(2, octets(9, 'cut')))
  assert.ok(answered(6, octets(pointer(12), pointer(16), Buffer.alloc(20))))
  assert.not(answered(6, octets(pointer(13), pointer(16), Buffer.alloc(20))))
})

test('data that need no change are known as finished', () => {
  const finished = (type: number, data: Buffer) => {
    const record = octets(
      Buffer.alloc(12),
      question(qname, type),
      rr({ owner: pointer(12), type, data }),
    )
    const places = new NamePlaces()
    places.open(record, bodyAt)
    return isFinished(record, record.length - data.length, record.length, places)
  }
  assert.ok(finished(1, octets(192, 0, 2, 1)))
  assert.not(finished(1, octets(192, 0, 2)))
  assert.not(finished(28, octets(192, 0, 2, 1)))
  assert.ok(finished(4711, octets('opaque')))
  // The root cannot be shorter.
  assert.ok(finished(15, octets(0, 10, 0)))
  assert.not(finished(15, octets(0, 10, labels('mail'), 0)))
  assert.ok(finished(33, octets([0, 0, 0, 0, 0, 80], labels('mail'), 0)))
  assert.not(finished(33, octets([0, 0, 0, 0, 0, 80], labels('mail'), pointer(12))))
  assert.ok(finished(5, octets(labels('a.b'), pointer(12))))
  // A label that looks like a pointer, and a pointer that looks like an end.
  assert.not(finished(5, octets(1, 0xc0, 0)))
  assert.ok(finished(33, octets([0, 0, 0, 0, 0, 80], 1, 0xc0, 0)))
  assert.not(finished(5, octets(labels('a'), pointer(bodyAt - 1))), 'into the class')
  assert.not(finished(5, octets(labels('a'), pointer(bodyAt + 2))), 'into its own record')
})

test.run()
