/** The first thing that happens to a packet, beside what decoding it into objects would cost. */
import { decode } from 'dns-packet'
import { Question, readQuestion } from '../../src/wire/question.ts'
import type { MicroBench } from './measure.ts'
import { ednsQuery, plainQuery } from './packets.ts'

export const bench: MicroBench = () => {
  const into = new Question()
  const read = (query: Buffer) => () => readQuestion(query, query.length, into) + into.qtype
  return [
    { name: 'readQuestion, plain', op: read(plainQuery) },
    { name: 'readQuestion, EDNS', op: read(ednsQuery) },
    { name: 'dns-packet decode, EDNS', op: () => decode(ednsQuery).questions?.length ?? 0 },
  ]
}
