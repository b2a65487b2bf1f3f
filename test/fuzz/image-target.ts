/**
 * What images must keep to, whatever sound message they are made of: they are sound, hold as many records, are made alike of equal
 * bytes, say the same and get no longer when made again, say the same when they get older, and can be
 * turned and cut. Every violation throws.
 */
import { ageTtls, overwriteTtls } from '../../src/core/cache/ttl.ts'
import { headerBytes } from '../../src/wire/constants.ts'
import { makeImage } from '../../src/wire/image.ts'
import { addressRun, turnAddresses } from '../../src/wire/rotation.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { truncate } from '../../src/wire/truncate.ts'
import { readMessage } from '../support/client/dns-message.ts'
import type { PoisonedPair } from './poisoned.ts'

const messageBytesMax = 65_535

export class ImageTarget {
  readonly seen = { made: 0, refused: 0, turned: 0 }
  private readonly scan = new ResponseScan()
  private readonly imageScan = new ResponseScan()
  private readonly into = Array.from({ length: 3 }, () => Buffer.alloc(messageBytesMax)) as [
    Buffer,
    Buffer,
    Buffer,
  ]
  private readonly out = Buffer.alloc(messageBytesMax)
  private readonly keep = new Uint8Array(6000)

  check(pair: PoisonedPair, packetBytes: number, ranks: (index: number) => number): void {
    const { scan, into, keep, seen } = this
    if (!scanResponse(pair.first, packetBytes, scan)) return
    for (let i = 0; i < scan.records; i++) keep[i] = ranks(i)
    const image = makeImage(pair.first, scan, keep, false, into[0])
    const twin = makeImage(pair.second, scan, keep, false, into[1])
    if (image === undefined || twin === undefined) {
      must(image === twin, 'whether there is an image depends on octets behind the packet')
      seen.refused++
      return
    }
    seen.made++
    must(scanResponse(image, image.length, this.imageScan), 'the image is malformed')
    must(image.equals(twin), 'the image holds octets from behind the packet')
    this.checkSound(image)
    this.checkAged(image)
    this.checkTurned(image)
    if (image.length > 512) {
      const end = truncate(image, 512, this.out)
      must(end <= 512, 'it is not cut')
      readMessage(this.out.subarray(0, end))
    }
  }

  private checkSound(image: Buffer): void {
    const { scan, imageScan, keep, into } = this
    must(imageScan.end === image.length, 'octets behind the image')
    let kept = 0
    for (let i = 0; i < scan.records; i++) if (keep[i] !== 0 && i !== scan.optIndex) kept++
    must(imageScan.records === kept && imageScan.optIndex < 0, 'other records than were kept')
    const message = JSON.stringify(readMessage(image))
    keep.fill(1, 0, kept)
    const again = makeImage(image, imageScan, keep, false, into[2])
    if (again === undefined || again.length > image.length)
      throw new Error('made again the image is longer')
    must(JSON.stringify(readMessage(again)) === message, 'made again the image says something else')
  }

  /** What happens to a copy of it: other TTLs, the client's letters, another type. */
  private checkAged(image: Buffer): void {
    const { imageScan, out } = this
    const { questionEnd, records } = imageScan
    const nameEnd = questionEnd - 4
    for (const seconds of [1, 25, 0x3f_ff_ff]) {
      const aged = out.subarray(0, image.copy(out))
      ageTtls(aged, questionEnd, records, seconds)
      for (let i = headerBytes; i < nameEnd; i++)
        if (/[a-z]/.test(aged.toString('latin1', i, i + 1)))
          aged.writeUInt8(aged.readUInt8(i) - 32, i)
      aged.writeUInt16BE(0xffff, nameEnd)
      must(namesIn(aged) === namesIn(image), 'it says something else when it is older')
    }
    overwriteTtls(out.subarray(0, image.length), questionEnd, records, 0x0161_6200)
    must(namesIn(out.subarray(0, image.length)) === namesIn(image), 'stale it says something else')
  }

  private checkTurned(image: Buffer): void {
    const run = addressRun(image)
    if (run === 0) return
    this.seen.turned++
    const turned = Buffer.from(image)
    turnAddresses(turned, image, 0, run, 1)
    must(sorted(turned) === sorted(image), 'turning changes more than the order')
  }
}

/** All that is read of the records but their TTLs, in small letters. */
function namesIn(message: Buffer): string {
  const { answers, authorities, additionals } = readMessage(message)
  return [...answers, ...authorities, ...additionals]
    .map(({ name, type, data }) => `${name} ${type} ${data}`.toLowerCase())
    .join()
}

function sorted(message: Buffer): string {
  return readMessage(message)
    .answers.map(({ name, type, data }) => `${name} ${type} ${data}`)
    .toSorted()
    .join()
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
