/** From a scanned response to what is kept of it. */
import { makeImage } from '../../src/wire/image.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import type { MicroBench } from './measure.ts'
import { addressReply, deniedReply, fullReply, largeReply } from './packets.ts'

export const bench: MicroBench = () => {
  const make = (reply: Buffer) => {
    const scan = new ResponseScan()
    scanResponse(reply, reply.length, scan)
    const keep = new Uint8Array(scan.records).fill(1)
    const into = Buffer.allocUnsafeSlow(65_535)
    return () => makeImage(reply, scan, keep, false, into)?.length ?? 0
  }
  return [
    { name: 'makeImage, one address', op: make(addressReply) },
    { name: 'makeImage, NXDOMAIN', op: make(deniedReply) },
    { name: 'makeImage, 250 addresses', op: make(largeReply) },
    { name: 'makeImage, 20 addresses, names in full', op: make(fullReply) },
  ]
}
