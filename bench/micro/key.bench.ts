/** From the question in a packet to the key that its answer is kept under. */
import { QuestionKey } from '../../src/core/cache/key.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import type { MicroBench } from './measure.ts'
import { plainQuery } from './packets.ts'

export const bench: MicroBench = () => {
  const keys = new QuestionKey()
  const question = new Question()
  readQuestion(plainQuery, plainQuery.length, question)
  return [
    {
      name: 'key of a question',
      op: () => {
        keys.read(plainQuery, question)
        return keys.hash
      },
    },
  ]
}
