/** From a stored image to this client's reply. */
import { makeImage } from '../../src/wire/image.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { ReplyShape, writeReply, writeStored } from '../../src/wire/reply.ts'
import { addressRun } from '../../src/wire/rotation.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import type { MicroBench } from './measure.ts'
import { addressReply, ednsQuery, fewReply, largeReply, plainQuery } from './packets.ts'

const udpWithEdns = 1232
/** Of what lies before the image in its memory. */
const neighbourBytes = 101

export const bench: MicroBench = () => {
  const out = Buffer.alloc(65_535)
  const prepared = (reply: Buffer, query: Buffer, bytesMax: number) => {
    const question = new Question()
    readQuestion(query, query.length, question)
    const shape = new ReplyShape()
    shape.bytesMax = bytesMax
    shape.rotates = true
    return { image: imageOf(reply), query, question, shape }
  }
  const fromCache = (...of: Parameters<typeof prepared>) => {
    const { image, query, question, shape } = prepared(...of)
    const memory = Buffer.concat([Buffer.alloc(neighbourBytes), image])
    const run = addressRun(image)
    const stored = { memory, imageAt: neighbourBytes, imageBytes: image.length, run, turns: 0 }
    return () => {
      stored.turns += 1
      return writeStored(out, stored, query, question, shape)
    }
  }
  const fromElsewhere = (...of: Parameters<typeof prepared>) => {
    const { image, query, question, shape } = prepared(...of)
    return () => writeReply(out, image, query, question, shape)
  }
  return [
    { name: 'writeStored, one address', op: fromCache(addressReply, plainQuery, 512) },
    { name: 'writeStored, one address, EDNS', op: fromCache(addressReply, ednsQuery, udpWithEdns) },
    { name: 'writeStored, 4 addresses turned', op: fromCache(fewReply, plainQuery, 512) },
    { name: 'writeStored, 4 KiB turned', op: fromCache(largeReply, plainQuery, 65_535) },
    {
      name: 'writeStored, 4 KiB turned and cut to 1,232',
      op: fromCache(largeReply, ednsQuery, udpWithEdns),
    },
    { name: 'writeReply, one address', op: fromElsewhere(addressReply, plainQuery, 512) },
  ]
}

function imageOf(reply: Buffer): Buffer {
  const scan = new ResponseScan()
  scanResponse(reply, reply.length, scan)
  const image = makeImage(reply, scan, new Uint8Array(scan.records).fill(1), false)
  if (image === undefined) throw new Error('no image')
  return image
}
