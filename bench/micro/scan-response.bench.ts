/** The one walk over an upstream's response. */
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import type { MicroBench } from './measure.ts'
import { addressReply, deniedReply, largeReply } from './packets.ts'

export const bench: MicroBench = () => {
  const into = new ResponseScan()
  const scan = (reply: Buffer) => () => {
    if (!scanResponse(reply, reply.length, into)) throw new Error('the reply is malformed')
    return into.records
  }
  return [
    { name: 'scanResponse, one address', op: scan(addressReply) },
    { name: 'scanResponse, NXDOMAIN', op: scan(deniedReply) },
    { name: 'scanResponse, 250 addresses', op: scan(largeReply) },
  ]
}
