/** From a stored image to this client's reply. */
import { makeImage } from '../../src/wire/image.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { ReplyShape, writeReply } from '../../src/wire/reply.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import type { MicroBench } from './measure.ts'
import { addressReply, ednsQuery, largeReply, plainQuery } from './packets.ts'

const udpWithEdns = 1232

export const bench: MicroBench = () => {
  const out = Buffer.alloc(65_535)
  const write = (reply: Buffer, query: Buffer, bytesMax: number) => {
    const image = imageOf(reply)
    const question = new Question()
    readQuestion(query, query.length, question)
    const shape = new ReplyShape()
    shape.bytesMax = bytesMax
    return () => writeReply(out, image, query, question, shape)
  }
  return [
    { name: 'writeReply, one address', op: write(addressReply, plainQuery, 512) },
    { name: 'writeReply, one address, EDNS', op: write(addressReply, ednsQuery, udpWithEdns) },
    { name: 'writeReply, 4 KiB', op: write(largeReply, plainQuery, 65_535) },
    { name: 'writeReply, 4 KiB cut to 1,232', op: write(largeReply, ednsQuery, udpWithEdns) },
  ]
}

function imageOf(reply: Buffer): Buffer {
  const scan = new ResponseScan()
  scanResponse(reply, reply.length, scan)
  const image = makeImage(reply, scan, new Uint8Array(scan.records).fill(1), false)
  if (image === undefined) throw new Error('no image')
  return image
}
